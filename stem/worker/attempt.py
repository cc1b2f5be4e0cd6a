"""One attempt: decode, guard, open context, run, decide, commit, report. Every exit settles the delivery."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, cast

from stem.contracts.changes import Change, Release
from stem.errors import ResultRefused, StoreError, Undecodable
from stem.signals.middleware import Instead
from stem.tasks.broadcast import is_announcement
from stem.tasks.envelope import Header, envelope_of, open_envelope, retry_of
from stem.tasks.retry import Backoff
from stem.worker import decide
from stem.worker.around import Core, ask, attempt_of, run_around
from stem.worker.context import Controls, Surroundings, open_context
from stem.worker.crashed import needs_start, waits_for_start
from stem.worker.decide import Stop
from stem.worker.failures import failure_of, unencodable
from stem.worker.held import HANDLING, SETTLING, Held
from stem.worker.herald import ASK_AGAIN, Herald
from stem.worker.lanes import Lanes
from stem.worker.patience import Patience
from stem.worker.revoked import Revoked
from stem.worker.run import Job, Jobs, Lane
from stem.worker.stats import WorkerStats
from stem.worker.unfit import decide_refused, decide_undecodable, decide_unknown, decide_version
from stem.worker.verdicts import Ends, Verdicts

__all__ = ["Attempts"]

_log: Final = logging.getLogger("stem.worker")


@dataclass(slots=True, eq=False)
class _Opened:
    """What the handler is called with."""

    job: Job
    header: Header
    payload: bytes
    retry: Backoff | None
    """Where the call brings one of its own."""
    arguments: dict[str, object]
    controls: Controls | None = None

    async def pass_follow_ups(self) -> None:
        if self.controls is not None:
            await self.controls.pass_follow_ups()


class Attempts:
    """Runs attempts; what happens in each is decided by pure functions and committed under its fence.

    `handled` is called once for each, when its handler needs its slot no more, and `ended` once, when its outcome has
    its verdict or there is none; that may be before.
    """

    def __init__(
        self,
        jobs: Jobs,
        lanes: Lanes,
        *,
        fingerprint: str,
        revoked: Revoked,
        herald: Herald,
        around: Surroundings,
        stats: WorkerStats,
        handled: Ends,
        ended: Ends,
    ) -> None:
        self._jobs = jobs
        self._commits = around.commits
        self._lanes = lanes
        self._fingerprint = fingerprint
        self._revoked = revoked
        self._herald = herald
        self._around = around
        self._tell = around.tell
        self._signals = around.tell.signals
        self._wraps = bool(around.middleware.around or around.middleware.on_enqueue)
        self._stats = stats
        self._handled = handled
        self._verdicts = Verdicts(around.commits, around.tell, stats, ended)

    async def run(self, held: Held) -> None:
        """Run one attempt and hand its outcome over; nobody waits for the verdict, which saves a turn of its task."""
        change: Change | None = None
        if self._signals.heard:
            self._tell.received(held.delivery)
        try:
            job = self._jobs.get(held.delivery.name)
            spoken = job is None and is_announcement(held.delivery.name)
            change = await (self._herald.change(held) if spoken else self._decided(held, job))
        except Exception:  # noqa: BLE001  # a mistake of ours must not take the neighbours along
            self._stats.dropped += 1
            _log.exception("task %s: the worker failed; its lease runs out", held.fence.task_id)
        finally:
            held.phase = SETTLING
            held.task = None  # it is over before its verdict comes, and what ends early is not looked at by collections
            if self._signals.heard:
                self._tell.handled(held)
            if change is None:
                self._verdicts.give_up(held)
            else:
                self._verdicts.settle(held, change)
            self._handled(held)  # after what is sent at once, where nothing else is under way

    async def _decided(self, held: Held, job: Job | None) -> Change | None:
        known = held.delivery.fence.task_id in self._revoked.ids
        if known and (revoked := await self._decide_revoked(held)) is not None:
            return revoked
        opened = self._open(held, job)
        if not isinstance(opened, _Opened):
            return opened
        try:
            first = self._announce(held, opened) if needs_start(held.delivery) else None
            if first is not None and await self._verdicts.of(held, first) is None:
                return None
            if held.stop is not None:
                return decide.decide_stopped(held.delivery, held.stop)
            value = await (self._wrapped(held, opened) if self._wraps else self._call(held, opened))
        except GeneratorExit:  # the loop is being torn down: nothing may be awaited any more
            raise
        except BaseException as error:  # noqa: BLE001  # everything a handler can raise is an outcome of its task
            return await self._after_error(held, opened, error)
        held.phase = SETTLING
        if opened.controls is not None:
            await opened.controls.flush()
        return self._after_success(held, opened, value)

    async def _decide_revoked(self, held: Held) -> Change | None:
        """What becomes of a task that was revoked, unless it is not any more, or nobody can say."""
        try:
            revocation = await self._revoked.standing(held.fence.task_id)
        except StoreError as error:
            _log.warning("task %s was revoked; whether it still is cannot be read (%s)", held.fence.task_id, error.code)
            return Change((Release(ASK_AGAIN),), held.fence)
        return None if revocation is None else decide.decide_revoked(held.delivery, revocation)

    def _open(self, held: Held, job: Job | None) -> _Opened | Change | None:
        delivery = held.delivery
        if held.stop is not None:
            return decide.decide_stopped(delivery, held.stop)
        guarded = decide.decide_guard(delivery)
        if guarded is not None:
            return guarded
        if job is None:
            return decide_unknown(delivery, self._fingerprint)
        try:
            header, payload = open_envelope(delivery.body)
            payload = self._around.encoders.read(payload)
            retry, version = retry_of(header), header.get("version", 1)
            unfit = decide_version(delivery, version, job.rules, fingerprint=self._fingerprint)
            read = job.older.get(version, job.decode)
            return unfit or _Opened(job, header, payload, retry, read(payload))
        except Undecodable as error:
            return decide_undecodable(delivery, error)
        except Exception as error:  # noqa: BLE001  # validators are the user's code
            return self._failed(held, job, job.rules.backoff, error)

    def _announce(self, held: Held, opened: _Opened) -> Change | None:
        """Tell the store that the attempt begins; the change that has to be recorded before, where it has to wait."""
        delivery, start = held.delivery, opened.job.start
        if opened.retry is not None:
            start = replace(start, backoff=opened.retry)
        if not waits_for_start(delivery, start):
            self._commits.start(delivery.fence, start)
            return None
        return Change((start,), delivery.fence)

    async def _wrapped(self, held: Held, opened: _Opened) -> object:
        """The handler inside of the middleware, and then the middleware around what it has asked to follow."""
        held.phase = HANDLING
        around, limits = self._around, opened.job.limits
        hard = None if limits is None else limits.hard
        held.patience = Patience(around.clock, longest=around.middleware_limit, hard=hard)
        core = Core(
            partial(self._call, held, opened),
            opened.pass_follow_ups,
            lambda: None if hard is None or held.deadline is None else held.deadline - around.clock.now(),
            held.patience,
        )
        return await run_around(around.middleware.around, attempt_of(held.delivery, opened.header, around.worker), core)

    def _call(self, held: Held, opened: _Opened) -> Awaitable[object]:
        """The handler at work: a coroutine function on the loop is awaited without anything between."""
        self._stats.handled += 1
        held.phase = HANDLING
        if self._signals.heard:
            self._tell.started(held)
        job = opened.job
        held.once = job.once
        if job.simple is not None:
            return job.simple(**opened.arguments)
        if job.apart is not None:
            return self._apart(held, opened)
        context: tuple[object, ...] = ()
        if job.wants_context:
            envelope = envelope_of(opened.header, opened.payload)
            opened.controls = Controls(held, envelope, self._around)
            context = (open_context(opened.controls, held, envelope, self._around),)
        if job.lane is Lane.LOOP and job.limits is None:
            return cast("Awaitable[object]", job.handler(*context, **opened.arguments))
        call = partial(job.handler, *context, **opened.arguments)
        return _at_once(call) if job.lane is Lane.LOOP_PLAIN else self._lanes.call(held, job, call)

    async def _apart(self, held: Held, opened: _Opened) -> object:
        envelope = envelope_of(opened.header, opened.payload)
        if opened.job.wants_context:
            opened.controls = Controls(held, envelope, self._around)
        return await self._lanes.apart(held, opened.job, envelope, opened.controls)

    def _after_success(self, held: Held, opened: _Opened, value: object) -> Change:
        controls = opened.controls
        try:
            result = self._around.encoders.write_result(held.delivery.name, opened.job.encode(value))
        except Exception as error:  # noqa: BLE001  # serializers are the user's code
            refused = error if isinstance(error, ResultRefused) else unencodable(held.delivery.name, error)
            return decide_refused(held.delivery, failure_of(refused))
        return decide.decide_success(held.delivery, result, () if controls is None else controls.follow_ups)

    async def _after_error(self, held: Held, opened: _Opened, error: BaseException) -> Change | None:
        held.phase = SETTLING
        task = asyncio.current_task()
        if held.stop is None and isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            held.stop = Stop.SHUTDOWN  # the program ends its tasks without having stopped the worker
        if held.stop is not None:
            if task is not None:
                task.uncancel()
            return decide.decide_stopped(held.delivery, held.stop, once=held.once)
        instead = None
        if self._around.middleware.on_error and isinstance(error, Exception):
            attempt = attempt_of(held.delivery, opened.header, self._around.worker)
            instead = await ask(self._around.middleware.on_error, attempt, error, self._around.clock)
        return self._failed(held, opened.job, opened.retry or opened.job.rules.backoff, error, instead=instead)

    def _failed(
        self, held: Held, job: Job, backoff: Backoff, error: BaseException, *, instead: Instead | None = None
    ) -> Change:
        delivery = held.delivery
        kind = error.fault.failure.kind if isinstance(error, decide.Judged) else type(error).__name__
        _log.info("task %s (%s) raised %s", delivery.fence.task_id, delivery.name, kind)
        return decide.decide_error(
            delivery,
            error,
            job.rules.retry,
            backoff=backoff,
            random=random.random(),  # noqa: S311  # spreads retries; nothing secret hangs on it
            cancelled=held.cancel_requested,
            once=held.once,
            instead=instead,
        )


async def _at_once(call: Callable[[], object]) -> object:
    return call()
