"""One attempt: decode, guard, open context, run, decide, commit, report. Every exit settles the delivery."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from stem.contracts.changes import Applied, Change, Fenced, Refused
from stem.errors import ResultRefused, StoreError, Undecodable
from stem.stores.committer import Commits
from stem.tasks.envelope import Envelope, decode_envelope
from stem.tasks.retry import Backoff
from stem.worker import decide
from stem.worker.context import Controls, Surroundings, open_context
from stem.worker.decide import Stop
from stem.worker.failures import failure_of
from stem.worker.held import Held, Phase
from stem.worker.run import Job, Jobs, Lane, Threads
from stem.worker.stats import WorkerStats

__all__ = ["Attempts"]

_log: Final = logging.getLogger("stem.worker")


@dataclass(slots=True, eq=False)
class _Opened:
    """What the handler is called with."""

    job: Job
    envelope: Envelope
    arguments: dict[str, object]
    controls: Controls | None = None


class Attempts:
    """Runs attempts; what happens in each is decided by pure functions and committed under its fence."""

    def __init__(
        self,
        jobs: Jobs,
        commits: Commits,
        threads: Threads,
        *,
        fingerprint: str,
        around: Surroundings,
        stats: WorkerStats,
    ) -> None:
        self._jobs = jobs
        self._commits = commits
        self._threads = threads
        self._fingerprint = fingerprint
        self._around = around
        self._stats = stats

    async def run(self, held: Held, handled: Callable[[Held], None]) -> None:
        """Run one attempt to its verdict; `handled` is called once, when its handler needs its slot no more."""
        try:
            change = await self._decided(held)
        finally:
            held.phase = Phase.SETTLING
            handled(held)
        if change is not None:
            await self._settle(held, change)

    async def _decided(self, held: Held) -> Change | None:
        opened = self._open(held)
        if not isinstance(opened, _Opened):
            return opened
        try:
            if not await self._announce(held, opened):
                return None
            if held.stop is not None:
                return decide.decide_stopped(held.delivery, held.stop)
            value = await self._call(held, opened)
        except GeneratorExit:  # the loop is being torn down: nothing may be awaited any more
            raise
        except BaseException as error:  # noqa: BLE001  # everything a handler can raise is an outcome of its task
            return self._after_error(held, opened, error)
        return await self._after_success(held, opened, value)

    def _open(self, held: Held) -> _Opened | Change | None:
        delivery = held.delivery
        if held.stop is not None:
            return decide.decide_stopped(delivery, held.stop)
        guarded = decide.decide_guard(delivery)
        if guarded is not None:
            return guarded
        job = self._jobs.get(delivery.name)
        if job is None:
            return decide.decide_unknown(delivery, self._fingerprint)
        try:
            envelope = decode_envelope(delivery.body)
            unfit = decide.decide_version(delivery, envelope.version, job.rules, fingerprint=self._fingerprint)
            return unfit or _Opened(job, envelope, job.decode(envelope.payload))
        except Undecodable as error:
            return decide.decide_undecodable(delivery, error)
        except Exception as error:  # noqa: BLE001  # validators are the user's code
            return self._failed(held, job, job.rules.backoff, error)

    async def _announce(self, held: Held, opened: _Opened) -> bool:
        """Tell the store that the attempt begins. What may run at most once, or was lost before, waits for the verdict:
        a task that kills its process at once must not get away as one that never began."""
        delivery, rules = held.delivery, opened.job.rules
        if not decide.needs_start(delivery):
            return True
        change = decide.start_change(delivery, opened.envelope.retry or rules.backoff, rules.ack)
        if rules.ack != "early" and not delivery.crashes and not delivery.lost:
            self._commits.start(change)
            return True
        return await self._verdict(held, change) is not None

    async def _call(self, held: Held, opened: _Opened) -> object:
        self._stats.handled += 1
        held.phase = Phase.HANDLING
        job = opened.job
        held.once = job.rules.ack == "early"
        if job.wants_context:
            opened.controls = Controls(held, opened.envelope, self._around)
            context = open_context(opened.controls, held, opened.envelope, self._around)
            call = partial(job.handler, context, **opened.arguments)
        else:
            call = partial(job.handler, **opened.arguments)
        if job.lane is Lane.LOOP:
            return await cast("asyncio.Future[object]", call())
        if job.lane is Lane.LOOP_PLAIN:
            return call()
        return await self._threads.call(held, job, call)

    async def _after_success(self, held: Held, opened: _Opened, value: object) -> Change:
        held.phase = Phase.SETTLING
        controls = opened.controls
        if controls is not None:
            await controls.flush()
        try:
            result = opened.job.encode(value)
        except Exception as error:  # noqa: BLE001  # serializers are the user's code
            refused = error if isinstance(error, ResultRefused) else _unencodable(held, error)
            return decide.decide_refused(held.delivery, failure_of(refused))
        return decide.decide_success(held.delivery, result, () if controls is None else controls.follow_ups)

    def _after_error(self, held: Held, opened: _Opened, error: BaseException) -> Change | None:
        held.phase = Phase.SETTLING
        task = asyncio.current_task()
        if held.stop is None and isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            held.stop = Stop.SHUTDOWN  # the program ends its tasks without having stopped the worker
        if held.stop is not None:
            if task is not None:
                task.uncancel()
            return decide.decide_stopped(held.delivery, held.stop, once=held.once)
        return self._failed(held, opened.job, opened.envelope.retry or opened.job.rules.backoff, error)

    def _failed(self, held: Held, job: Job, backoff: Backoff, error: BaseException) -> Change:
        delivery = held.delivery
        _log.info("task %s (%s) raised %s", delivery.fence.task_id, delivery.name, type(error).__name__)
        return decide.decide_error(
            delivery,
            error,
            job.rules.retry,
            backoff=backoff,
            random=random.random(),  # noqa: S311  # spreads retries; nothing secret hangs on it
            cancelled=held.cancel_requested,
        )

    async def _settle(self, held: Held, change: Change) -> None:
        verdict = await self._verdict(held, change)
        if isinstance(verdict, Refused):
            failure = decide.refused_failure(verdict)
            change = decide.decide_refused(held.delivery, failure, number=2)
            verdict = await self._verdict(held, change)
        if isinstance(verdict, Applied):
            self._stats.count(change)
        elif verdict is not None:
            self._stats.dropped += 1
            _log.error("task %s: the store took no outcome (%s)", held.fence.task_id, type(verdict).__name__)

    async def _verdict(self, held: Held, change: Change) -> Applied | Refused | None:
        """The store's verdict; `None` when the lease is another's or nobody knows: then nothing is decided anew."""
        try:
            verdict = await self._commits.commit(change)
        except StoreError as error:
            self._stats.dropped += 1
            _log.error("task %s: outcome unknown (%s)", held.fence.task_id, error.code)
            return None
        if isinstance(verdict, Fenced):
            self._stats.fenced += 1
            return None
        return cast("Applied | Refused", verdict)


def _unencodable(held: Held, error: Exception) -> ResultRefused:
    return ResultRefused(
        expected=f"a result of task '{held.delivery.name}' that can be encoded",
        found=f"{type(error).__name__} from its serializer",
        do="Correct the serializer of the result's type.",
    )
