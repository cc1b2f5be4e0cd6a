"""Commands for live workers: every one that is meant hears them, and what they answer within a time is collected."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from stem.client.events import teller
from stem.client.globs import is_glob
from stem.clock import Clock, Micros, to_micros
from stem.contracts.commands import (
    CONTROL,
    Answer,
    Command,
    CommandKind,
    answers_to,
    decode_answer,
    encode_command,
)
from stem.contracts.heartbeats import WorkerRecord
from stem.contracts.store import Store
from stem.errors import Undecodable, UnknownWorker
from stem.ids import new_id
from stem.tasks.options import JsonValue
from stem.worker.timing import wait_any

__all__ = ["Answers", "Controller", "StopMode"]

StopMode = Literal["warm", "soft", "hard"]
"""What runs may finish; is cancelled and goes back; goes back at once under the hands of what does not end."""

_PATIENCE: Final = timedelta(seconds=2)
_POLL: Final[Micros] = 500_000
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Answers:
    """What the workers said, by name, and who of those that live and were meant said nothing in time."""

    answers: tuple[Answer, ...]
    silent: tuple[str, ...] = ()
    told: tuple[WorkerRecord, ...] = ()
    """After `inspect`: of those that were meant and did not answer, frozen or gone, the last sign of life."""


class Controller:
    """Asks workers. `workers` are names or globs (`*` is all); a name without a live worker behind it is an error.

    Nothing of this is stored for workers that start later, and a worker that is cut off from the store does not hear
    it. Each method raises `UnknownWorker`, and `StoreUnavailable` when the store does not answer.
    """

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def ping(self, workers: Sequence[str] = ("*",), *, timeout: timedelta = _PATIENCE) -> Answers:
        """Whether they hear; of each, how many attempts keep it `busy`, and whether it is `stopping`."""
        return await self.ask("ping", workers, timeout=timeout)

    async def stats(self, workers: Sequence[str] = ("*",), *, timeout: timedelta = _PATIENCE) -> Answers:
        """What they have done since they started, and what they serve."""
        return await self.ask("stats", workers, timeout=timeout)

    async def inspect(self, workers: Sequence[str] = ("*",), *, timeout: timedelta = _PATIENCE) -> Answers:
        """What runs in them: each task with its queue, its attempt, its phase and for how many seconds they have it.

        Who does not answer and was seen in the last hour is no error here: what it last told is in `told`.
        """
        return await self.ask("inspect", workers, timeout=timeout)

    async def drain(self, workers: Sequence[str] = ("*",), *, timeout: timedelta = _PATIENCE) -> Answers:
        """Let them finish what runs, take nothing more, and stop. Their answers do not wait for the end."""
        return await self.ask("drain", workers, timeout=timeout)

    async def stop(
        self, workers: Sequence[str] = ("*",), *, mode: StopMode = "warm", timeout: timedelta = _PATIENCE
    ) -> Answers:
        """Stop them: warm is `drain`, soft cancels what runs, hard waits for nothing; no attempt is used up."""
        return await self.ask("stop", workers, timeout=timeout, arguments={"mode": mode})

    async def send(self, kind: CommandKind, *, arguments: Mapping[str, JsonValue] | None = None) -> str:
        """Say it to all workers without waiting for answers; the command's id."""
        command = Command(id=new_id(), kind=kind, arguments=arguments or {})
        await self._say(command)
        return command.id

    async def ask(
        self,
        kind: CommandKind,
        workers: Sequence[str],
        *,
        timeout: timedelta,
        arguments: Mapping[str, JsonValue] | None = None,
    ) -> Answers:
        """Say it, and collect answers until all who live have answered, or until the time is over."""
        command = Command(id=new_id(), kind=kind, workers=tuple(workers), arguments=arguments or {})
        news = asyncio.Event()
        position = await self._store.broadcast_position()
        subscription = self._store.listen(teller(asyncio.get_running_loop(), news, answers_to(command.id)))
        try:
            await self._say(command)
            expected = _meant(await self._store.workers(), command)
            found = await self._collect(command.id, expected, position, news, to_micros(timeout))
        finally:
            subscription.close()
        told = await self._told(command, found) if kind == "inspect" else ()
        unheard = {record.heartbeat.worker for record in told}
        await self._check_names(workers, {*found, *unheard})
        silent = (expected | unheard.intersection(workers)) - found.keys()
        return Answers(tuple(found[name] for name in sorted(found)), tuple(sorted(silent)), told)

    async def _say(self, command: Command) -> None:
        await self._store.broadcast(CONTROL, encode_command(command), message_id=command.id, keep=command.valid)

    async def _collect(
        self, command_id: str, expected: set[str], position: int, news: asyncio.Event, longest: Micros
    ) -> dict[str, Answer]:
        found: dict[str, Answer] = {}
        deadline = self._clock.elapsed() + longest
        while True:
            news.clear()
            for said in await self._store.broadcasts([answers_to(command_id)], after=position, limit=_PAGE):
                position = said.position
                answer = _read(said.body)
                if answer is not None:
                    found[answer.worker] = answer
            left = deadline - self._clock.elapsed()
            if expected <= found.keys() or left <= 0:
                return found
            await wait_any((news,), self._clock, min(left, _POLL))

    async def _told(self, command: Command, found: Container[str]) -> tuple[WorkerRecord, ...]:
        records = await self._store.workers()
        return tuple(r for r in records if command.is_for(r.heartbeat.worker) and r.heartbeat.worker not in found)

    async def _check_names(self, workers: Sequence[str], found: Container[str]) -> None:
        gone = [name for name in workers if not is_glob(name) and name not in found]
        if not gone:
            return
        known = {record.heartbeat.worker: record for record in await self._store.workers()}
        seen = known.get(gone[0])
        raise UnknownWorker(
            expected=f"an answer of worker '{gone[0]}'",
            found="no worker of that name" if seen is None else "none in time, though it was seen lately",
            do="Look at `stem workers ls`; what it held is taken over when its leases end.",
        )


def _meant(records: Sequence[WorkerRecord], command: Command) -> set[str]:
    """The live workers that are to answer."""
    return {
        record.heartbeat.worker for record in records if not record.late and command.is_for(record.heartbeat.worker)
    }


def _read(body: bytes) -> Answer | None:
    try:
        return decode_answer(body)
    except Undecodable:
        return None
