"""A worker's ear for commands: every worker hears every command once, does what it is asked to, and answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from stem.clock import Clock, Micros
from stem.contracts.broadcasts import Broadcast
from stem.contracts.commands import (
    CONTROL,
    KEEP_ANSWER,
    Answer,
    Command,
    answers_to,
    decode_command,
    encode_answer,
)
from stem.contracts.store import Notice, Store
from stem.errors import StemError, StoreError, Undecodable
from stem.tasks.options import JsonValue
from stem.worker.timing import wait_any

__all__ = ["ControlEar", "Desk"]

Desk: TypeAlias = Callable[[Command], Awaitable[Mapping[str, JsonValue]]]
"""Does what a command asks for, and gives what is answered. Raises `StemError` for what it cannot do."""

POLL: Final[Micros] = 60_000_000
"""How long without a notice before the worker looks itself: commands are heard at once, or late, but not never."""
_PAGE: Final = 100

_log: Final = logging.getLogger("stem.worker")


class ControlEar:
    """Listens from the moment it begins; what was said before is not for this worker. `then` follows each answer."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        *,
        worker: str,
        clock: Clock,
        settle: Callable[[], Awaitable[None]],
        then: Callable[[], None],
    ) -> None:
        self._store = store
        self._desk = desk
        self._worker = worker
        self._clock = clock
        self._settle = settle
        self._then = then
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._position: int | None = None

    def hear(self, notice: Notice) -> None:
        """A listener for the store's notices. From any thread."""
        if notice.everything or CONTROL in notice.channels:
            self._loop.call_soon_threadsafe(self._news.set)

    async def begin(self) -> None:
        """From here on nothing is missed; where the store does not answer, from its first answer on."""
        try:
            self._position = await self._store.broadcast_position()
            await self._settle()
        except StoreError as error:
            _log.warning("commands of operators cannot be heard yet (%s)", error.code)

    async def run(self) -> None:
        """Hear commands until cancelled."""
        while True:
            await wait_any((self._news,), self._clock, POLL)
            self._news.clear()
            try:
                await self._look()
            except StoreError as error:
                _log.warning("commands of operators could not be read (%s)", error.code)

    async def _look(self) -> None:
        if self._position is None:
            await self.begin()
            return
        while said := await self._store.broadcasts([CONTROL], after=self._position, limit=_PAGE):
            now = await self._store.now()
            for message in said:
                self._position = message.position
                await self._obey(message, now)

    async def _obey(self, message: Broadcast, now: Micros) -> None:
        try:
            command = decode_command(message.id, message.body)
        except Undecodable as error:
            _log.warning("passed over a command that cannot be read (%s)", error.found)
            return
        if command.is_for(self._worker) and now - message.at <= command.valid:
            await self._answer(command)

    async def _answer(self, command: Command) -> None:
        _log.info("asked to %s (command %s)", command.kind, command.id)
        try:
            answer = Answer(worker=self._worker, value=await self._desk(command))
        except StemError as error:
            answer = Answer(worker=self._worker, error=str(error))
        answered = f"{command.id}/{self._worker}"
        try:
            body = encode_answer(answer)
            await self._store.broadcast(answers_to(command.id), body, message_id=answered, keep=KEEP_ANSWER)
        finally:
            self._then()  # a stop ends this ear, too
