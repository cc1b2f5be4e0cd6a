"""`stem worker --processes N`: starts worker processes, replaces those that die, and passes on what it is told."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import IO, Final, Protocol

import click

from stem.cli.exits import Exit
from stem.cli.last_lines import open_file
from stem.clock import Clock, SystemClock
from stem.worker.restarts import Deaths, Life, exit_reason
from stem.worker.timing import wait_any

__all__ = ["Started", "Supervisor", "hang_on", "start_worker", "supervise"]

_PROGRAM: Final = "from stem.cli.main import main; main()"
_READY: Final = b"+"
_KILLED_AT: Final = 3
"""The signal to stop that is not passed on but kills."""


class Started(Protocol):
    """A worker process."""

    @property
    def pid(self) -> int: ...
    @property
    def was_ready(self) -> bool: ...
    def send_signal(self, signal: int, /) -> None: ...
    async def wait(self) -> int: ...


Start = Callable[[int, Life | None], Awaitable[Started]]
"""Given the number of the worker, from 1, and how the one before it ended."""


class Supervisor:
    """Keeps `count` worker processes running until it is asked to stop, or until it is plain that they cannot run.

    One that ends with 0 was told to, and is not replaced. One that dies is, after a pause that grows while its
    successors die soon too. Five in a row that never came to work, or an error of usage, end all, unless any worker
    ever came to work: then it is not the command that is wrong.
    """

    def __init__(self, count: int, start: Start, *, clock: Clock, say: Callable[[str], None]) -> None:
        self._count = count
        self._start = start
        self._clock = clock
        self._say = say
        self._asked = 0
        self._worked = False
        self._stopping = asyncio.Event()
        self._running: dict[int, Started] = {}

    async def run(self) -> int:
        """The exit code, once no worker runs any more."""
        kept = await asyncio.gather(*(self._keep(number) for number in range(1, self._count + 1)))
        return Exit.OK if all(kept) else Exit.PROBLEMS

    def ask_to_stop(self) -> None:
        """The first time workers let what runs finish, the second time they cancel it, the third kills them."""
        self._asked += 1
        self._stopping.set()
        self.pass_on(signal.SIGKILL if self._asked >= _KILLED_AT else signal.SIGTERM)

    def pass_on(self, number: int) -> None:
        """Send a signal to every worker."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(self, number: int) -> bool:
        """Whether it ended as it should."""
        deaths, before = Deaths(), None
        while not self._stopping.is_set():
            before = life = await self._live(number, before)
            if life.code == Exit.OK or self._stopping.is_set():
                return life.code in (Exit.OK, -signal.SIGTERM)  # one that has not begun yet dies of the first signal
            deaths = deaths.with_one(life)
            if (deaths.are_hopeless or life.code == Exit.USAGE) and not self._has_worked():
                self._give_up(number, life.code, deaths.before_ready)
                return False
            told = exit_reason(life.code)
            self._say(f"worker {number} died ({told}); another one is started in {deaths.pause / 1e6:g} s")
            await wait_any((self._stopping,), self._clock, deaths.pause)
        return True

    async def _live(self, number: int, before: Life | None) -> Life:
        began = self._clock.elapsed()
        process = self._running[number] = await self._start(number, before)
        if self._stopping.is_set():
            process.send_signal(signal.SIGTERM)
        code = await process.wait()
        self._has_worked()
        del self._running[number]
        return Life(process.pid, code, self._clock.elapsed() - began, process.was_ready)

    def _has_worked(self) -> bool:
        """Whether any worker ever came to work."""
        self._worked = self._worked or any(process.was_ready for process in self._running.values())
        return self._worked

    def _give_up(self, number: int, code: int, times: int) -> None:
        by = exit_reason(code)
        often = "" if times == 1 else f" {times} times in a row"
        self._say(f"giving up: worker {number} died before it could work{often}, by {by}; it says why above")
        self.ask_to_stop()


def supervise(count: int, name: str | None) -> int:
    """Run this very command in `count` processes; the exit code."""
    return asyncio.run(_supervise(count, name, sys.argv[1:]))


async def _supervise(count: int, name: str | None, words: Sequence[str]) -> int:
    with ExitStack() as stack:
        kept = [stack.enter_context(open_file()) for _ in range(count)]
        start = partial(start_worker, words, name, kept)
        _say(f"{count} worker processes")
        return await _supervised(Supervisor(count, start, clock=SystemClock(), say=_say))


def _say(text: str) -> None:
    click.echo(text, err=True)


async def _supervised(supervisor: Supervisor) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.ask_to_stop)
    loop.add_signal_handler(signal.SIGQUIT, supervisor.pass_on, signal.SIGQUIT)
    return await supervisor.run()


class _Process:
    """A worker process and our end of its lifeline."""

    def __init__(self, process: asyncio.subprocess.Process, lifeline: socket.socket) -> None:
        self._process = process
        self._lifeline = lifeline
        self._was_ready = False
        self.send_signal = process.send_signal
        self.pid = process.pid

    @property
    def was_ready(self) -> bool:
        """Whether it has said that it works."""
        with suppress(OSError):  # nothing was said yet
            self._was_ready = self._was_ready or self._lifeline.recv(1) == _READY
        return self._was_ready

    async def wait(self) -> int:
        """How it ended."""
        code = await self._process.wait()
        with self._lifeline:
            _ = self.was_ready
        return code


async def start_worker(
    words: Sequence[str], name: str | None, kept: Sequence[IO[bytes]], number: int, before: Life | None
) -> Started:
    """A worker process that runs this command, in a process group of its own: Ctrl-C reaches it through us alone.

    `kept` may have a file for each number, in which one worker after the other keeps what it logs.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    passed: tuple[int, ...] = (theirs.fileno(),)
    own = [] if name is None else ["--name", f"{name}-{number}"]
    if before is not None:
        own += ["--replaces", str(before.pid), str(before.code)]
    command = ["-P", "-c", _PROGRAM, *words, *own, "--processes", "1", "--lifeline", str(theirs.fileno())]
    if kept:
        command += ["--last-lines", str(kept[number - 1].fileno())]
        passed = (*passed, kept[number - 1].fileno())
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, pass_fds=passed, stdin=asyncio.subprocess.DEVNULL, process_group=0
        )
    return _Process(process, ours)


def hang_on(descriptor: int) -> Callable[[], None]:
    """Stop as after a SIGTERM when the supervisor is gone, however it went; what to call when the worker works."""
    os.set_inheritable(descriptor, False)
    lifeline = socket.socket(fileno=descriptor)

    def watch() -> None:
        with lifeline, suppress(ConnectionError):
            while lifeline.recv(1):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    def tell() -> None:
        with suppress(OSError):  # nobody is left to hear it; the thread has the worker stop
            lifeline.sendall(_READY)

    threading.Thread(target=watch, name="stem-lifeline", daemon=True).start()
    return tell
