"""One child process as its worker sees it: given one attempt at a time, heard, stopped or killed."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import Final

from stem.clock import Clock, Micros
from stem.errors import Undecodable
from stem.tasks.context import AttemptControls
from stem.tasks.status import Failure
from stem.worker.decide import Fault, Judged
from stem.worker.process.calls import call_of, plain_error
from stem.worker.process.evidence import Death, failure_of_death, out_of_memory_kills
from stem.worker.process.messages import (
    PREFIX,
    Answer,
    Ask,
    Beat,
    Begin,
    Cancel,
    Done,
    Extend,
    Failed,
    Message,
    Ready,
    Report,
    Said,
    Setup,
    Soften,
    Stop,
    decode,
    encode,
    lengths,
)
from stem.worker.process.spawn import Spawned
from stem.worker.timing import wait_any

__all__ = ["Child"]

_log: Final = logging.getLogger("stem.worker")

_MOST_LINES: Final = 40
_LAST_WORDS: Final = 1.0
"""Seconds to read what a dead child still said; only a process that it forked can keep its pipe open."""


class Child:
    """A child process. `ended` is set when it is gone; until then it can be killed."""

    def __init__(self, setup: Setup) -> None:
        self.ended = asyncio.Event()
        self.tasks = 0
        """How many attempts it has finished."""
        self.memory = 0
        """What it held after the last one, in bytes."""
        self._tail: deque[str] = deque(maxlen=_MOST_LINES)
        self._last: Report | None = None
        self._number = 0
        self._task = "none"
        self._kills = out_of_memory_kills()
        self._controls: AttemptControls | None = None
        self._context = contextvars.copy_context()
        self._outcome: asyncio.Future[bytes] | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._process = Spawned(hear=self._hear_error, ended=self._exited)
        self._writer: asyncio.StreamWriter | None = None
        self._unsent: list[bytes] = [encode(setup)]
        self._doomed = False
        self._listening = asyncio.ensure_future(self._listen())
        self._burying: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def is_idle(self) -> bool:
        """Whether it lives and runs nothing."""
        return self._outcome is None and self._process.code is None and not self._doomed

    async def ready(self) -> None:
        """Return when it can work. Raises `Judged` when it died before."""
        try:
            await asyncio.shield(self._ready)
        except asyncio.CancelledError:
            self.kill()
            raise

    async def run(self, begin: Begin, controls: AttemptControls | None) -> bytes:
        """The encoded result of an attempt. Raises `Judged`; cancelled, it kills the child and waits for its end."""
        self._number += 1
        self._task, self._controls, self._last = begin.name, controls, None
        self._context = contextvars.copy_context()
        self._kills = out_of_memory_kills()
        self._tail.clear()
        outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._outcome = outcome
        try:
            self._send(replace(begin, number=self._number))
            result = await outcome
        except asyncio.CancelledError:
            self.kill()
            await self.ended.wait()
            raise
        finally:
            self._controls = None
            for asking in self._asking:
                asking.cancel()
        return result

    def soften(self, limit: Micros) -> None:
        """Its attempt has reached its soft limit."""
        self._send(Soften(self._number, limit))

    def cancel(self) -> None:
        """Its attempt is asked to end."""
        self._send(Cancel(self._number))

    def kill(self) -> None:
        """End it, whatever it does."""
        self._doomed = True
        self._process.kill()

    async def stop(self, *, clock: Clock, longest: Micros) -> None:
        """Let it close what it opened, for so long; then kill it."""
        self._doomed = True
        self._send(Stop())
        await wait_any((self.ended,), clock, longest)
        self.kill()
        await self.ended.wait()

    def _send(self, message: Message) -> None:
        frame = encode(message)
        if self._writer is None:
            self._unsent.append(frame)
        elif not self._writer.is_closing():
            self._writer.write(frame)

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_connection(sock=self._process.connection)
        writer.writelines(self._unsent)
        self._writer = writer
        try:
            while True:
                head, body = lengths(await reader.readexactly(PREFIX))
                self._hear(decode(await reader.readexactly(head), await reader.readexactly(body)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # how it ended is told by the process
        except Undecodable as error:
            _log.error("child process %d is killed: %s", self.pid, error)
            self.kill()
        finally:
            writer.close()

    def _hear(self, message: Message) -> None:
        controls = self._controls
        match message:
            case Ready():
                self._ready.set_result(None)
            case Done(number, memory, body) if number == self._number:
                self._finish(memory).set_result(body)
            case Failed() if message.number == self._number:
                self._finish(message.memory).set_exception(Judged(_fault_of(message)))
            case Said():
                self._say(message)
            case Report() if controls is not None:
                self._last = message
                controls.progress(message.done, message.total, message.message, message.data)
            case Beat() if controls is not None:
                controls.heartbeat()
            case Extend(by) if controls is not None:
                controls.extend_lease(timedelta(microseconds=by))
            case Ask() if controls is not None:
                answering = self._answer(message, controls)
                asking = asyncio.get_running_loop().create_task(answering, context=self._context)
                self._asking.add(asking)
                asking.add_done_callback(self._asking.discard)
            case _:
                pass

    async def _answer(self, ask: Ask, controls: AttemptControls) -> None:
        try:
            call = call_of(ask.call, ask.body)
            if ask.at_the_end:
                answer = Answer(ask.request, controls.follow_up(call))
            else:
                handle = await controls.enqueue(call)
                answer = Answer(ask.request, handle.id, handle.duplicate)
        except Exception as error:  # noqa: BLE001  # it is raised where it was asked, in the handler
            answer = Answer(ask.request, error=plain_error(error))
        self._send(answer)

    def _finish(self, memory: int) -> asyncio.Future[bytes]:
        outcome, self._outcome = self._outcome, None
        self.tasks, self.memory = self.tasks + 1, memory
        assert outcome is not None
        return outcome

    def _say(self, said: Said) -> None:
        name = logging.getLevelName(said.level)
        self._tail.append(f"{name} {said.logger}: {said.text}")
        logger = logging.getLogger(said.logger)
        if logger.isEnabledFor(said.level):
            fields = {"name": said.logger, "levelno": said.level, "levelname": name, "msg": said.text}
            logger.handle(logging.makeLogRecord({**said.extra, **fields}))

    def _hear_error(self, line: str) -> None:
        self._tail.append(line)
        sys.stderr.write(f"{line}\n")

    def _exited(self) -> None:
        self._burying = asyncio.ensure_future(self._bury())

    async def _bury(self) -> None:
        """First everything that it still said, then that it is gone."""
        await asyncio.wait((self._listening,), timeout=_LAST_WORDS)
        self._listening.cancel()
        self.ended.set()
        outcome, self._outcome = self._outcome, None
        fault = Judged(Fault(failure=self._evidence(), crash=True))
        for waiting in (outcome, self._ready):
            if waiting is not None and not waiting.done():
                waiting.set_exception(fault)
                waiting.exception()

    def _evidence(self) -> Failure:
        kills = out_of_memory_kills()
        death = Death(
            code=self._process.code or 0,
            peak_memory=self._process.peak_memory,
            out_of_memory=None if kills is None or self._kills is None else kills > self._kills,
            last=self._last,
            tail=tuple(self._tail),
        )
        return failure_of_death(self._task, death)


def _fault_of(failed: Failed) -> Fault:
    return Fault(
        failure=Failure(failed.kind, failed.message, failed.traceback, failed.code),
        repeated=failed.repeated,
        delay=failed.delay,
        reason=failed.reason,
    )
