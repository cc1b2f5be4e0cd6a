"""Workers are killed in the middle of their work, again and again: nothing is lost, nothing ends twice."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from itertools import chain

import pytest

from stem.app import Stem
from stem.client.batch import Batch
from tests.scenarios.support.engines import SERVERS
from tests.scenarios.support.jobs import BRIEF, WORK
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.outcomes import assert_each_ended_once, held_by
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import WorkerProcess, Yard

KILLS = 20
PATIENT, PATIENT_BRIEF = WORK.options(max_retries=KILLS), BRIEF.options(max_retries=KILLS)
"""A task may be in the hands of every worker that is killed: each time uses an attempt."""
LIFE = 150
"""How many tasks a worker ends before it is killed: about ten seconds with four at once, a quarter of a second each."""
RERUN_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL: when, and the tasks whose leases the dead worker held."""

    at: float
    lost: frozenset[str]


async def kill(victim: WorkerProcess, stem: Stem) -> Kill:
    at = time.time()
    victim.kill()
    return Kill(at, await held_by(victim.name, stem))


def late_reruns(kills: list[Kill], journal: Journal) -> list[tuple[str, float]]:
    """The lost tasks that did not begin again in time, with the seconds after which they did."""
    waits = [(task_id, _wait(killed, task_id, journal)) for killed in kills for task_id in killed.lost]
    return [(task_id, seconds) for task_id, seconds in waits if seconds > RERUN_WITHIN]


def _wait(killed: Kill, task_id: str, journal: Journal) -> float:
    starts = [entry.at for entry in journal.started(task_id) if entry.at > killed.at]
    return min(starts, default=float("inf")) - killed.at


def _is_in_the_middle(worker: WorkerProcess, journal: Journal, life: int) -> bool:
    assert not worker.is_dead, worker.said()
    return len(journal.ended(pid=worker.pid)) >= life and bool(journal.in_hand(worker.pid))


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_twenty_killed_workers_lose_no_task_and_end_none_twice(yard: Yard, stem: Stem, journal: Journal) -> None:
    workers = [yard.start("-c", "4"), yard.start("-c", "4")]
    batches = [await stem.enqueue_many([PATIENT.call(0.25)] * LIFE * 2)]  # so that there is always more to do
    kills: list[Kill] = []
    for number in range(KILLS):
        life = LIFE if number else LIFE // 2  # so that from now on the two die in turn
        batches.append(await stem.enqueue_many([PATIENT.call(0.25)] * LIFE))
        victim = workers.pop(0)
        await eventually(
            partial(_is_in_the_middle, victim, journal, life), what=f"work of {victim.name}: {victim.said()}"
        )
        kills.append(await kill(victim, stem))
        workers.append(yard.start("-c", "4"))

    ids = await assert_each_ended_once(chain.from_iterable(batches), stem, journal)
    assert all(killed.lost for killed in kills), "every kill hit a worker in the middle of a task"
    assert late_reruns(kills, journal) == []
    touched = frozenset[str]().union(*(killed.lost for killed in kills))
    assert [task_id for task_id in ids - touched if len(journal.started(task_id)) != 1] == []


@pytest.mark.slow
@pytest.mark.parametrize("engine", SERVERS)
async def test_workers_killed_one_after_the_other_lose_no_task_on_a_server(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    workers = [yard.start_rigged()]
    batches: list[Batch[str]] = []
    kills: list[Kill] = []
    for _ in range(3):
        workers.append(yard.start_rigged())
        await yard.ready(stem, *workers)  # both wait, so that each gets some
        batches.append(await stem.enqueue_many([PATIENT_BRIEF.call(0.3)] * 24))
        victim = workers.pop(0)
        await eventually(partial(journal.in_hand, victim.pid), what=f"work of {victim.name}: {victim.said()}")
        kills.append(await kill(victim, stem))

    await assert_each_ended_once(chain.from_iterable(batches), stem, journal)
    assert any(killed.lost for killed in kills)
    assert late_reruns(kills, journal) == []
