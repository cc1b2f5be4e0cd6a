"""The child's end of the pipe: frames out of any thread, frames in by one."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from itertools import count
from queue import SimpleQueue
from typing import Final

from stem.tasks.call import TaskCall
from stem.worker.process.calls import error_of, plain_call
from stem.worker.process.messages import PREFIX, Answer, Ask, Message, Said, decode, encode, lengths

__all__ = ["SOFT_SIGNAL", "Link", "PipeLog"]

SOFT_SIGNAL: Final = signal.SIGXCPU
"""What the system sends at a soft limit of processor time; here it interrupts the main thread at ours."""

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class Link:
    """Messages to and from the worker."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._requests = count(1)
        self._asked: dict[int, SimpleQueue[Answer]] = {}

    def send(self, message: Message) -> None:
        """Send, from any thread; blocks while the pipe is full. A soft limit waits until the frame is whole."""
        frame = encode(message)
        signal.pthread_sigmask(signal.SIG_BLOCK, {SOFT_SIGNAL})
        try:
            with self._lock:
                self._connection.sendall(frame)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {SOFT_SIGNAL})

    def receive(self) -> Message:
        """The next message. Raises `EOFError` when the worker is gone."""
        head, body = lengths(self._exactly(PREFIX))
        return decode(self._exactly(head), self._exactly(body))

    def ask(self, call: TaskCall[object], *, at_the_end: bool) -> Answer:
        """Have the worker publish a call, and wait for its answer. Raises the error that it met."""
        request, answers = next(self._requests), SimpleQueue[Answer]()
        self._asked[request] = answers
        self.send(Ask(request, at_the_end, plain_call(call), call.payload))
        answer = answers.get()
        if answer.error is not None:
            raise error_of(answer.error)
        return answer

    def answered(self, answer: Answer) -> None:
        """Wake who asked."""
        asked = self._asked.pop(answer.request, None)
        if asked is not None:
            asked.put(answer)

    def _exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0:
            part = self._connection.recv(min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


class PipeLog(logging.Handler):
    """Sends log records to the worker, which writes them where its own go."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self._formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record: its level, its logger, its text with the traceback, and what the call added."""
        added = {name: value for name, value in vars(record).items() if name not in _OWN}
        extra = {name: value for name, value in added.items() if isinstance(value, str | int | float | bool)}
        try:
            self._link.send(Said(record.levelno, record.name, self._formatter.format(record), extra))
        except OSError:
            self.handleError(record)
