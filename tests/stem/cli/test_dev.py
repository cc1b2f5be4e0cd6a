"""A worker that is started again at each change: over processes that a test ends by hand, and once for real."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stem.cli.dev import Reloader
from tests.stem.cli.conftest import Run
from tests.stem.worker.support import turns


@dataclass(slots=True, eq=False)
class FakeProcess:
    """Ends when it is told to, or by SIGKILL."""

    pid: int = 1
    was_ready: bool = True
    signals: list[int] = field(default_factory=list[int])
    code: asyncio.Future[int] = field(default_factory=asyncio.Future[int])

    def send_signal(self, number: int, /) -> None:
        self.signals.append(number)
        if number == signal.SIGKILL and not self.code.done():
            self.code.set_result(-number)

    async def wait(self) -> int:
        return await self.code


class Desk:
    """A reloader and what it has started; the test says what changes."""

    def __init__(self, patience: float = 60.0) -> None:
        self.started: list[FakeProcess] = []
        self.said: list[str] = []
        self.queue: asyncio.Queue[Collection[str]] = asyncio.Queue()
        self.reloader = Reloader(self._start, self._changes(), say=self.said.append, patience=patience)
        self.result = asyncio.ensure_future(self.reloader.run())

    async def _start(self) -> FakeProcess:
        self.started.append(FakeProcess())
        return self.started[-1]

    async def _changes(self) -> AsyncIterator[Collection[str]]:
        while True:
            yield await self.queue.get()

    async def change(self, *paths: str) -> None:
        self.queue.put_nowait(paths)
        await turns()

    async def stop(self) -> int:
        self.reloader.ask_to_stop()
        await turns()
        for process in self.started:
            if not process.code.done():
                process.code.set_result(0)
        return await self.result


async def test_a_change_ends_the_worker_and_starts_another() -> None:
    desk = Desk()
    await turns()
    await desk.change("/src/shop/tasks.py")
    (first,) = desk.started
    assert first.signals == [signal.SIGTERM]
    first.code.set_result(0)
    await turns()
    assert len(desk.started) == 2
    assert desk.said == ["changed: tasks.py; starting the worker again"]
    assert await desk.stop() == 0


async def test_a_worker_that_cannot_start_waits_for_the_next_change() -> None:
    desk = Desk()
    await turns()
    desk.started[0].code.set_result(2)
    await turns()
    assert (len(desk.started), desk.said) == (1, ["the worker ended by itself (exit code 2); waiting for a change"])
    await desk.change("a.py", "b.py", "c.py", "d.py")
    assert (len(desk.started), desk.said[-1]) == (2, "changed: a.py, b.py, c.py and 1 more; starting the worker again")
    assert await desk.stop() == 0


async def test_a_worker_that_does_not_end_is_killed() -> None:
    desk = Desk(patience=0)
    await turns()
    await desk.change("a.py")
    assert desk.started[0].signals == [signal.SIGTERM, signal.SIGKILL]
    assert await desk.stop() == 0


async def test_asked_twice_to_stop_it_kills() -> None:
    desk = Desk()
    await turns()
    desk.reloader.ask_to_stop()
    await turns()
    desk.reloader.ask_to_stop()
    assert await desk.result == 0
    assert desk.started[0].signals == [signal.SIGTERM, signal.SIGKILL]


def test_without_the_watcher_the_install_line_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    ran = run("dev", "shop:registry")
    assert (ran.code, "pip install 'stem-jobs[dev]'" in ran.err) == (2, True)


TASKS = """
from stem import Registry, task

@task(name="dev.answer")
async def answer() -> str:
    return "{answer}"

registry = Registry.of(answer)
"""


def test_what_is_written_runs_at_once(run: Run, url: str, tmp_path: Path) -> None:
    module = tmp_path / "tasks_of_dev.py"
    module.write_text(TASKS.format(answer="before"))
    program = [sys.executable, "-c", "from stem.cli.main import main; main()", "dev", "tasks_of_dev:registry"]
    started = subprocess.Popen(
        [*program, "--url", url, "-c", "3"], cwd=tmp_path, env={**os.environ}, stderr=subprocess.PIPE, text=True
    )
    try:
        assert ask(run) == "before"
        module.write_text(TASKS.format(answer="after"))
        assert started.stderr is not None
        assert any(line.startswith("changed: tasks_of_dev.py") for line in started.stderr)
        assert ask(run) == "after"
        started.send_signal(signal.SIGINT)
        assert started.wait(30) == 0
    finally:
        started.kill()
        started.communicate()


def ask(run: Run) -> object:
    return run("enqueue", "dev.answer", "--wait", "--timeout", "60s", "--json").json["result"]
