"""Child processes of a worker in the hands of the system: killed, stopped, orphaned."""

from __future__ import annotations

import os
import signal

import pytest

from stem.app import Stem
from stem.tasks.handle import TaskHandle
from stem.tasks.state import TaskState
from tests.scenarios.support.jobs import HELD_APART
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import WorkerProcess, Yard

pytestmark = pytest.mark.slow


async def _held(yard: Yard, stem: Stem, journal: Journal, *options: str) -> tuple[WorkerProcess, TaskHandle[str], int]:
    """A worker whose child runs a task, and the child's id."""
    worker = yard.start("--children", "1", *options)
    handle = await HELD_APART.enqueue(stem)
    await eventually(journal.started, what=yard.said())
    (entry,) = journal.started()
    assert entry.pid != worker.pid
    return worker, handle, entry.pid


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_child_costs_an_attempt_and_its_worker_lives(yard: Yard, stem: Stem, journal: Journal) -> None:
    worker, handle, pid = await _held(yard, stem, journal)
    os.kill(pid, signal.SIGKILL)
    yard.open_gate()

    await handle.result()
    status = await handle.status()
    assert (status.attempt, status.crashes, len(journal.started())) == (1, 0, 2)
    assert not worker.is_dead


async def test_a_child_that_is_stopped_does_not_hold_up_a_stop_and_uses_no_attempt(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    worker, handle, pid = await _held(yard, stem, journal, "--drain", "100ms")
    os.kill(pid, signal.SIGSTOP)
    worker.send(signal.SIGTERM)

    assert await worker.exit_code(within=20) == 0
    status = await handle.status()
    assert (status.state, status.attempt, status.crashes) == (TaskState.QUEUED, 0, 0)
    assert not _lives(pid)


async def test_a_killed_worker_takes_its_child_along_and_another_runs_the_task(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    worker, handle, pid = await _held(yard, stem, journal)
    worker.kill()
    await eventually(lambda: not _lives(pid), what="the end of the child")
    yard.open_gate()
    yard.start()

    await handle.result()
    assert (await handle.status()).crashes == 1
    assert len(journal.ended()) == 1
