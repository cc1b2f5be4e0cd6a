"""The supervisor of worker processes, over processes that a test ends by hand."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from dataclasses import dataclass, field

import pytest

from stem.cli.supervise import Supervisor, hang_on
from stem.testing import ManualClock
from stem.worker.restarts import Life


@dataclass(slots=True, eq=False)
class FakeProcess:
    """Ends when it is told to."""

    number: int
    pid: int
    before: Life | None = None
    was_ready: bool = False
    signals: list[int] = field(default_factory=list[int])
    code: asyncio.Future[int] = field(default_factory=asyncio.Future[int])

    def send_signal(self, number: int, /) -> None:
        self.signals.append(number)

    async def wait(self) -> int:
        return await self.code


class Crew:
    """A supervisor of two and what it has started."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.started: list[FakeProcess] = []
        self.said: list[str] = []
        self.supervisor = Supervisor(2, self._start, clock=self.clock, say=self.said.append)
        self.result = asyncio.ensure_future(self.supervisor.run())

    @property
    def supervisor_gave_up(self) -> bool:
        return any(text.startswith("giving up") for text in self.said)

    async def _start(self, number: int, before: Life | None) -> FakeProcess:
        self.started.append(FakeProcess(number, 100 + len(self.started), before))
        return self.started[-1]

    async def end(self, number: int, code: int, *, was_ready: bool = False) -> None:
        """End the present worker of that number."""
        [process] = [each for each in self.started if each.number == number and not each.code.done()]
        process.was_ready = was_ready
        process.code.set_result(code)
        await self.clock.run_for(0)


@pytest.fixture
async def crew() -> Crew:
    made = Crew()
    await made.clock.run_for(0)
    return made


async def test_each_worker_is_started_once(crew: Crew) -> None:
    assert [process.number for process in crew.started] == [1, 2]


async def test_the_dead_are_replaced_after_a_pause_that_grows(crew: Crew) -> None:
    for pause in (0.5, 1.0, 2.0):
        before = len(crew.started)
        await crew.end(2, -signal.SIGKILL)
        await crew.clock.run_for(pause - 0.1)
        assert len(crew.started) == before
        await crew.clock.run_for(0.1)
        assert crew.started[-1].number == 2
    assert crew.said[0] == "worker 2 died (signal SIGKILL); another one is started in 0.5 s"


async def test_each_successor_is_told_how_the_one_before_it_ended(crew: Crew) -> None:
    await crew.clock.run_for(3)
    await crew.end(2, -signal.SIGKILL, was_ready=True)
    await crew.clock.run_for(1)
    assert [process.before for process in crew.started] == [None, None, Life(101, -signal.SIGKILL, 3_000_000, True)]


async def test_workers_that_came_to_work_are_replaced_however_often_they_die(crew: Crew) -> None:
    for _ in range(8):
        await crew.end(1, 1, was_ready=True)
        await crew.clock.run_for(30)

    assert not crew.result.done()
    assert len(crew.started) == 10


async def test_while_others_work_one_that_cannot_start_is_started_again_and_again(crew: Crew) -> None:
    crew.started[1].was_ready = True
    for _ in range(8):
        await crew.end(1, 4)
        await crew.clock.run_for(30)
    await crew.end(1, 2)

    assert not crew.supervisor_gave_up
    assert len(crew.started) == 10


async def test_workers_that_never_come_to_work_end_them_all_with_an_error(crew: Crew) -> None:
    for _ in range(4):
        await crew.end(1, 1)
        await crew.clock.run_for(30)
    await crew.end(1, 1)
    assert crew.started[1].signals == [signal.SIGTERM]
    await crew.end(2, 0)

    assert await crew.result == 1
    assert crew.said[-1].startswith("giving up: worker 1 died before it could work 5 times in a row, by exit code 1")


async def test_an_error_of_usage_is_not_tried_again(crew: Crew) -> None:
    await crew.end(1, 2)
    await crew.end(2, 2)

    assert (await crew.result, len(crew.started)) == (1, 2)


async def test_a_worker_that_was_told_to_end_is_not_replaced(crew: Crew) -> None:
    await crew.end(1, 0)
    await crew.clock.run_for(60)
    assert len(crew.started) == 2
    await crew.end(2, 0)

    assert await crew.result == 0


async def test_the_signals_to_stop_are_passed_on_and_the_third_one_kills(crew: Crew) -> None:
    for _ in range(3):
        crew.supervisor.ask_to_stop()
    crew.supervisor.pass_on(signal.SIGQUIT)

    assert crew.started[0].signals == [signal.SIGTERM, signal.SIGTERM, signal.SIGKILL, signal.SIGQUIT]
    await crew.end(1, 0)
    await crew.end(2, -signal.SIGKILL)
    assert await crew.result == 1


async def test_one_that_dies_of_the_signal_before_it_has_begun_did_as_it_should(crew: Crew) -> None:
    crew.supervisor.ask_to_stop()
    await crew.end(1, -signal.SIGTERM)
    await crew.end(2, 0)

    assert await crew.result == 0


async def test_nothing_is_started_while_it_stops(crew: Crew) -> None:
    await crew.end(1, 1)
    crew.supervisor.ask_to_stop()
    await crew.clock.run_for(60)
    await crew.end(2, 0)

    assert (await crew.result, len(crew.started)) == (0, 2)


def test_a_worker_tells_that_it_works_and_stops_when_nobody_is_left_to_hear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped, signals = threading.Event(), list[tuple[int, int]]()

    def kill(pid: int, number: int) -> None:
        signals.append((pid, number))
        stopped.set()

    monkeypatch.setattr(os, "kill", kill)
    ours, theirs = socket.socketpair()
    tell = hang_on(theirs.detach())
    with ours:
        tell()
        assert ours.recv(1)
    assert stopped.wait(30)
    assert signals == [(os.getpid(), signal.SIGTERM)]
    tell()
