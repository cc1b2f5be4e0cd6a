"""What a worker says of itself in its signs of life."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from stem.clock import Micros, to_micros
from stem.contracts.heartbeats import Heartbeat, Predecessor, RunningTask, WorkerRecord, longest
from stem.errors import StoreError
from stem.worker.engine import Outside
from stem.worker.held import Held
from stem.worker.process.memory import current_memory
from stem.worker.settings import WorkerSettings

__all__ = ["Beats", "predecessor", "sign_of_life"]

_log: Final = logging.getLogger("stem.worker")


class Beats:
    """The signs of life of one worker; `concurrency` and `attempts` tell how it stands."""

    def __init__(
        self, outside: Outside, *, concurrency: Callable[[], int], attempts: Callable[[], Sequence[Held]]
    ) -> None:
        self._outside = outside
        self._concurrency = concurrency
        self._attempts = attempts
        self._replaces: Predecessor | None = None

    async def find_predecessor(self, pid: int, code: int, last_lines: tuple[str, ...]) -> None:
        """Tell from now on whose place this worker took: that of a process of this machine which gave signs of life."""
        try:
            workers = await self._outside.store.workers()
        except StoreError as error:
            _log.warning("the last sign of life of process %d could not be read (%s)", pid, error.code)
        else:
            found = predecessor(workers, socket.gethostname(), pid, code)
            self._replaces = None if found is None else replace(found, last_lines=last_lines)

    async def beat(self) -> None:
        """One sign of life; a store that does not take it is no error."""
        outside, attempts = self._outside, self._attempts()
        heartbeat = sign_of_life(
            outside.settings,
            outside.registry.fingerprint,
            concurrency=self._concurrency(),
            attempts=attempts,
            now=outside.clock.elapsed(),
            replaces=self._replaces,
        )
        try:
            await outside.store.beat(heartbeat)
        except StoreError as error:
            _log.warning("no sign of life could be given (%s)", error.code)
        else:
            outside.tell.beat(heartbeat.running, heartbeat.concurrency)

    async def sign_off(self) -> None:
        """The worker has ended: it is listed no more."""
        try:
            await self._outside.store.retire(self._outside.settings.name)
        except StoreError as error:
            _log.warning("the worker could not be signed off (%s)", error.code)


def predecessor(workers: Sequence[WorkerRecord], host: str, pid: int, code: int) -> Predecessor | None:
    """The process of that number as it was last seen; `None` when it gave no sign of life."""
    seen = [each for each in workers if (each.heartbeat.host, each.heartbeat.pid) == (host, pid)]
    if not seen:
        return None
    last = max(seen, key=lambda each: each.last_seen)
    return Predecessor(last.heartbeat.worker, code, last.last_seen, last.heartbeat.memory)


def sign_of_life(
    settings: WorkerSettings,
    fingerprint: str,
    *,
    concurrency: int,
    attempts: Sequence[Held],
    now: Micros,
    replaces: Predecessor | None = None,
) -> Heartbeat:
    """The sign of life of this moment; `now` is by the worker's own clock, as the times of the attempts are."""
    return Heartbeat(
        worker=settings.name,
        host=socket.gethostname(),
        pid=os.getpid(),
        fingerprint=fingerprint,
        queues=tuple(settings.queues),
        concurrency=concurrency,
        running=len(attempts),
        every=to_micros(settings.beat_every),
        tasks=longest(_running(held, now) for held in attempts),
        memory=current_memory(),
        replaces=replaces,
    )


def _running(held: Held, now: Micros) -> RunningTask:
    delivery = held.delivery
    ran = max(0, now - held.asked_at)
    return RunningTask(held.fence.task_id, delivery.name, delivery.queue, delivery.attempt, ran)
