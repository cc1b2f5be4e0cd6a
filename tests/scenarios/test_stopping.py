"""A worker that is asked to stop ends what it runs, hands back the rest, and uses up nobody's attempt."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest

from stem.app import Stem
from stem.client.batch import Batch
from stem.tasks.state import TaskState
from tests.scenarios.support.engines import SHARED, on_servers
from tests.scenarios.support.jobs import HELD
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import WorkerProcess, Yard

MINUTE = timedelta(seconds=60)
SIGNALS = [("sqlite", signal.SIGTERM), ("sqlite", signal.SIGINT), *on_servers(signal.SIGTERM)]


async def _two_of_six_run(yard: Yard, stem: Stem, *options: str) -> tuple[WorkerProcess, Batch[str]]:
    worker = yard.start("-c", "2", *options)
    batch = await stem.enqueue_many([HELD.call()] * 6)
    await eventually(lambda: len(yard.journal.started()) == 2, what=f"two starts: {yard.said()}")
    return worker, batch


async def _ask(worker: WorkerProcess, number: signal.Signals) -> None:
    """The first signal, and that it was heard: two at once would reach the process as one."""
    worker.send(number)
    await eventually(lambda: "asked to stop: 2 running" in worker.said(), what=worker.said())


async def _stop_at_once(worker: WorkerProcess, number: signal.Signals) -> None:
    await _ask(worker, number)
    assert not worker.is_dead
    worker.send(number)
    assert await worker.exit_code(within=20) == 0


async def _untouched(batch: Batch[str]) -> int:
    """How many wait as if nobody had ever looked at them."""
    statuses = await batch.status()
    return len([s for s in statuses if (s.state, s.attempt, s.crashes) == (TaskState.QUEUED, 0, 0)])


@pytest.mark.parametrize("engine", SHARED)
async def test_the_first_sigterm_lets_what_runs_end_and_starts_nothing_more(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    worker, batch = await _two_of_six_run(yard, stem)
    await _ask(worker, signal.SIGTERM)
    yard.open_gate()
    assert await worker.exit_code() == 0
    assert len(journal.ended()) == len(journal.started()) == 2
    assert await _untouched(batch) == 4


@pytest.mark.parametrize(("engine", "number"), SIGNALS)
async def test_the_second_signal_cancels_what_runs_and_hands_it_back(
    number: signal.Signals, yard: Yard, stem: Stem, journal: Journal
) -> None:
    worker, batch = await _two_of_six_run(yard, stem)
    await _stop_at_once(worker, number)
    assert journal.ended() == []
    assert await _untouched(batch) == 6


async def test_what_does_not_end_within_the_drain_is_handed_back(yard: Yard, stem: Stem, journal: Journal) -> None:
    worker, batch = await _two_of_six_run(yard, stem, "--drain", "500ms")
    worker.send(signal.SIGTERM)
    assert await worker.exit_code() == 0
    assert journal.ended() == []
    assert await _untouched(batch) == 6


async def test_what_was_handed_back_is_run_by_the_next_worker_at_once(yard: Yard, stem: Stem, journal: Journal) -> None:
    worker, batch = await _two_of_six_run(yard, stem)
    await _stop_at_once(worker, signal.SIGTERM)
    yard.open_gate()
    after = yard.start("-c", "2")
    results = await batch.result(timeout=MINUTE)
    assert {result.partition(":")[2] for result in results} == {str(after.pid)}
    assert {status.attempt for status in await batch.status()} == {0}


async def test_a_stopped_worker_signs_off(yard: Yard, stem: Stem) -> None:
    worker = yard.start()
    await yard.ready(stem, worker)
    worker.send(signal.SIGTERM)
    await worker.exit_code()
    assert await stem.inspect.workers() == ()


@pytest.mark.parametrize(("engine", "number"), SIGNALS)
async def test_a_signal_before_the_start_is_complete_ends_it_and_touches_nothing(
    number: signal.Signals, yard: Yard, stem: Stem, journal: Journal
) -> None:
    batch = await stem.enqueue_many([HELD.call()] * 3)
    worker = yard.start("--app", "tests.scenarios.support.jobs:slow_to_start")
    starting = journal.path.with_suffix(".starting")
    await eventually(starting.exists, what=f"its lifespan: {worker.said()}")
    worker.send(number)
    await worker.exit_code()
    assert journal.started() == []
    assert await _untouched(batch) == 3


async def test_what_fails_while_a_worker_stops_is_said_and_does_not_keep_it(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    worker = yard.start("--app", "tests.scenarios.support.jobs:bad_at_its_end")
    handle = await HELD.enqueue(stem)
    await eventually(lambda: journal.started(handle.id), what=f"its start: {worker.said()}")
    worker.send(signal.SIGTERM)
    yard.open_gate()
    assert await worker.exit_code(within=20) == 1
    assert "the pool does not close" in worker.said()
    assert await handle.result() == f"1:{worker.pid}"
    assert await stem.inspect.workers() == ()
