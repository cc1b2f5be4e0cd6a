"""What a worker does when an operator asks: tell how it is, stop, or let go of what was revoked."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable, Mapping
from typing import Final, Protocol, cast

from stem.clock import Clock
from stem.contracts.commands import Command
from stem.contracts.control import Revocation
from stem.errors import ConfigError
from stem.tasks.options import JsonValue
from stem.worker.decide import Stop
from stem.worker.held import Held
from stem.worker.revoked import Revoked
from stem.worker.settings import WorkerSettings
from stem.worker.stats import WorkerStats

__all__ = ["Operated", "WorkerDesk", "end_revoked"]

_MODES: Final = ("warm", "soft", "hard")


class Operated(Protocol):
    """What of a worker its operators reach."""

    @property
    def settings(self) -> WorkerSettings: ...
    @property
    def stats(self) -> WorkerStats: ...
    @property
    def stopping(self) -> bool: ...
    def attempts(self) -> list[Held]: ...
    async def stop(self) -> None: ...
    async def stop_now(self, *, hard: bool = False) -> None: ...


class WorkerDesk:
    """Does what a command asks for, and gives what is answered. A stop begins when it was answered, by `act`."""

    def __init__(self, worker: Operated, revoked: Revoked, *, clock: Clock) -> None:
        self._worker = worker
        self._revoked = revoked
        self._clock = clock
        self._stop_as: str | None = None
        self._stops: set[asyncio.Task[None]] = set()

    async def __call__(self, command: Command) -> Mapping[str, JsonValue]:
        """The answer. Raises `ConfigError` for arguments that make no sense."""
        match command.kind:
            case "ping":
                return self._state()
            case "stats":
                return {**self._state(), **self._counters()}
            case "inspect":
                return {**self._state(), "tasks": [self._attempt(held) for held in self._worker.attempts()]}
            case "drain":
                return self._stop("warm")
            case "stop":
                return self._stop(str(command.arguments.get("mode", "warm")))
            case "revoked":
                return {"ended": await self._let_go(command.arguments.get("ids"))}

    def act(self) -> None:
        """Begin the stop that was asked for, if one was; it is waited for by nobody."""
        mode, self._stop_as = self._stop_as, None
        if mode is None:
            return
        stop = self._worker.stop() if mode == "warm" else self._worker.stop_now(hard=mode == "hard")
        task = asyncio.ensure_future(stop)
        self._stops.add(task)
        task.add_done_callback(self._stops.discard)

    async def learn(self) -> None:
        """Learn of revocations, and let go of what runs and is revoked. Raises `StoreError`."""
        end_revoked(self._worker.attempts(), await self._revoked.learn())

    async def _let_go(self, ids: JsonValue) -> int:
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
            raise ConfigError(expected="`ids` of tasks", found=repr(ids)[:80], do="Send a list of texts.")
        return end_revoked(self._worker.attempts(), await self._revoked.learn_of(cast("list[str]", ids)))

    def _state(self) -> dict[str, JsonValue]:
        return {"busy": len(self._worker.attempts()), "stopping": self._worker.stopping}

    def _counters(self) -> dict[str, JsonValue]:
        settings, stats = self._worker.settings, self._worker.stats
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "concurrency": settings.concurrency,
            "queues": dict(settings.queues),
            "leased": stats.leased,
            "handled": stats.handled,
            "rescued": stats.rescued,
            "fenced": stats.fenced,
            "dropped": stats.dropped,
            "revocations": len(self._revoked.ids),
            "ended": {event.value: count for event, count in stats.ended.items()},
        }

    def _attempt(self, held: Held) -> dict[str, JsonValue]:
        delivery = held.delivery
        return {
            "id": delivery.fence.task_id,
            "name": delivery.name,
            "queue": delivery.queue,
            "attempt": delivery.attempt,
            "phase": held.phase.name.lower(),
            "seconds": round((self._clock.elapsed() - held.asked_at) / 1_000_000, 3),
            "cancel_requested": held.cancel_requested,
        }

    def _stop(self, mode: str) -> dict[str, JsonValue]:
        if mode not in _MODES:
            raise ConfigError(expected=f"`mode` among {', '.join(_MODES)}", found=repr(mode)[:80], do="Correct it.")
        self._stop_as = mode
        return {**self._state(), "stopping": True, "mode": mode}


def end_revoked(attempts: Iterable[Held], revocations: Iterable[Revocation]) -> int:
    """Tell the attempts of revoked tasks; those that are to be terminated end now. How many were told."""
    by_id = {revocation.task_id: revocation for revocation in revocations}
    told = 0
    for held in attempts:
        revocation = by_id.get(held.fence.task_id)
        if revocation is not None:
            told += 1
            held.cancel_requested = True
            if revocation.terminate:
                held.end(Stop.TERMINATE)
    return told
