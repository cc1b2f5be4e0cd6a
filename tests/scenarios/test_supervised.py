"""`stem worker --processes N`: the dead are replaced, and a stop reaches every worker and loses nothing."""

from __future__ import annotations

import os
import signal

import pytest

from stem.app import Stem
from stem.client.batch import Batch
from stem.tasks.state import TaskState
from tests.scenarios.support.jobs import HELD, WORK
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import WorkerProcess, Yard

pytestmark = pytest.mark.slow


async def _pids(stem: Stem) -> dict[str, int]:
    """The workers that have given a sign of life."""
    return {record.heartbeat.worker: record.heartbeat.pid for record in await stem.inspect.workers()}


async def _both(yard: Yard, stem: Stem, *options: str) -> tuple[WorkerProcess, dict[str, int]]:
    supervisor = yard.start("--processes", "2", "-c", "1", *options)
    names = {f"{supervisor.name}-1", f"{supervisor.name}-2"}

    async def beaten() -> bool:
        return names <= (await _pids(stem)).keys()

    await eventually(beaten, what=yard.said())
    return supervisor, await _pids(stem)


async def _held(yard: Yard, stem: Stem, journal: Journal) -> tuple[WorkerProcess, Batch[str]]:
    supervisor, _ = await _both(yard, stem)
    batch = await stem.enqueue_many([HELD.call()] * 3)
    await eventually(lambda: len(journal.started()) == 2, what=yard.said())
    supervisor.send(signal.SIGTERM)
    await eventually(lambda: supervisor.said().count("asked to stop: 1 running") == 2, what=yard.said())
    return supervisor, batch


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_worker_that_is_killed_is_replaced_and_a_stop_ends_both(yard: Yard, stem: Stem) -> None:
    supervisor, pids = await _both(yard, stem)
    killed = int((await stem.enqueue_and_wait(WORK.call(0.0))).partition(":")[2])
    (name,) = [name for name, pid in pids.items() if pid == killed]
    os.kill(killed, signal.SIGKILL)

    async def replaced() -> bool:
        return (await _pids(stem))[name] != killed

    await eventually(replaced, what=yard.said())
    assert f"worker {name[-1]} died (signal SIGKILL)" in supervisor.said()
    (dead,) = [record.heartbeat.replaces for record in await stem.inspect.workers() if record.heartbeat.worker == name]
    assert dead is not None
    assert (dead.worker, dead.code) == (name, -signal.SIGKILL)
    assert dead.memory > 1 << 20
    assert any(line.endswith("works for 0 s") for line in dead.last_lines)
    await stem.enqueue_and_wait(WORK.call(0.0))
    supervisor.send(signal.SIGTERM)
    assert await supervisor.exit_code() == 0


async def test_the_first_sigterm_lets_what_runs_end_in_every_worker(yard: Yard, stem: Stem, journal: Journal) -> None:
    supervisor, batch = await _held(yard, stem, journal)
    yard.open_gate()

    assert await supervisor.exit_code() == 0
    states = [status.state for status in await batch.status()]
    assert (states.count(TaskState.SUCCEEDED), states.count(TaskState.QUEUED)) == (2, 1)


async def test_the_second_sigterm_cancels_and_uses_no_attempt(yard: Yard, stem: Stem, journal: Journal) -> None:
    supervisor, batch = await _held(yard, stem, journal)
    supervisor.send(signal.SIGTERM)

    assert await supervisor.exit_code() == 0
    assert {(s.state, s.attempt, s.crashes) for s in await batch.status()} == {(TaskState.QUEUED, 0, 0)}


async def test_a_sigterm_before_the_start_is_complete_ends_all(yard: Yard, journal: Journal) -> None:
    supervisor = yard.start("--processes", "2", "--app", "tests.scenarios.support.jobs:slow_to_start")
    await eventually(journal.path.with_suffix(".starting").exists, what=yard.said())
    supervisor.send(signal.SIGTERM)

    assert await supervisor.exit_code() == 0
    assert journal.started() == []


async def test_workers_stop_when_their_supervisor_was_killed(yard: Yard, stem: Stem) -> None:
    supervisor, pids = await _both(yard, stem)
    supervisor.kill()

    await eventually(lambda: not any(map(_lives, pids.values())), what=yard.said())


async def test_a_worker_that_cannot_start_ends_them_all_and_says_why(yard: Yard) -> None:
    supervisor = yard.start("--processes", "2", registry="nothing_here")

    assert await supervisor.exit_code() == 1
    assert "giving up: worker" in supervisor.said()
    assert "nothing_here" in supervisor.said()
