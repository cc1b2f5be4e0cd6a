"""The plan and the audit of the chaos run: what is the same again, and that each broken promise is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.chaos.audit import audit
from benchmarks.chaos.jobs import Line
from benchmarks.chaos.plan import Job, draw
from stem.adapters.memory import MemoryStore
from stem.contracts.changes import Settle
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import TaskRecord
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench

JOB = Job(7, 10, 0, hopeless=False)
BOOK = [Line("begin", "t", 1), Line("end", "t", 1)]


@pytest.fixture
async def record() -> TaskRecord:
    """A task that ended as it should."""
    bench = Bench(store := MemoryStore(clock := ManualClock()), clock)
    await bench.put(id="t")
    await bench.finish(Settle(TaskEvent.SUCCEEDED, b"7"))
    return (await store.get(["t"]))["t"]


def test_the_same_seed_has_the_same_plan() -> None:
    sizes = {"tasks": 100, "workers": 4, "seconds": 10, "restarts": True}
    assert draw(3, **sizes) == draw(3, **sizes) != draw(4, **sizes)  # type: ignore[arg-type]  # of several types


def test_a_plan_kills_each_second_and_restarts_twice() -> None:
    plan = draw(1, tasks=5_000, workers=4, seconds=20, restarts=True)
    assert (len(plan.blows), sum(blow.restart for blow in plan.blows)) == (20, 2)
    assert {blow.victim for blow in plan.blows} == {0, 1, 2, 3}
    assert 0 < sum(job.hopeless for job in plan.jobs) < 200 < sum(job.failures > 0 for job in plan.jobs)


def test_nothing_is_wrong_with_a_task_that_ended_as_it_should(record: TaskRecord) -> None:
    assert list(audit({"t": JOB}, {"t": record}, BOOK)) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"state": TaskState.QUEUED}, "for ever"),
        ({"state": TaskState.FAILED}, "could succeed"),
        ({"result": b"8"}, "of another"),
        ({"lease_until": 5}, "still leased"),
    ],
)
def test_what_is_wrong_with_a_record_is_found(record: TaskRecord, changed: dict[str, Any], words: str) -> None:
    (sentence,) = audit({"t": JOB}, {"t": replace(record, **changed)}, BOOK)
    assert words in sentence


def test_a_lost_task_is_found() -> None:
    assert list(audit({"t": JOB}, {}, [])) == ["task t was accepted and is not known"]


def test_a_stranger_is_found(record: TaskRecord) -> None:
    assert "never accepted" in next(iter(audit({}, {"t": record}, BOOK)))


def test_what_was_done_twice_under_one_fence_is_found(record: TaskRecord) -> None:
    assert list(audit({"t": JOB}, {"t": record}, [*BOOK, BOOK[1]])) == ["task t did 'end' 2 times under fence 1"]


def test_what_was_done_again_under_a_later_fence_is_right(record: TaskRecord) -> None:
    assert list(audit({"t": JOB}, {"t": record}, [Line("begin", "t", 0), *BOOK])) == []


def test_a_result_that_nobody_made_is_found(record: TaskRecord) -> None:
    assert "never came to its end" in next(iter(audit({"t": JOB}, {"t": record}, BOOK[:1])))


def test_a_hopeless_task_that_succeeded_is_found(record: TaskRecord) -> None:
    assert "always fails" in next(iter(audit({"t": replace(JOB, hopeless=True)}, {"t": record}, BOOK)))
