"""A status becomes a document for programs and a line for people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stem.cli.views import age_of, dead_row, document_of, job_row, listed_row, queue_row, told_rows
from stem.contracts.heartbeats import RunningTask, WorkerRecord
from stem.contracts.queries import QueueCount
from stem.tasks.state import TaskState
from stem.tasks.status import Failure, Progress, TaskStatus
from stem.testing.contracts.heartbeats import BEAT

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
STATUS = TaskStatus(
    id="t1",
    name="shop.charge",
    queue="billing",
    priority=3,
    state=TaskState.RUNNING,
    attempt=1,
    max_retries=3,
    crashes=0,
    error=None,
    reason=None,
    progress=None,
    worker="w1",
    cancel_requested=False,
    root="t1",
    parent=None,
    tags=("money",),
    published_at=NOON - timedelta(minutes=3),
    due_at=None,
    expires_at=None,
    started_at=NOON,
    finished_at=None,
)


def test_times_in_a_document_are_iso_in_utc() -> None:
    document = document_of(STATUS)
    assert (document["started_at"], document["finished_at"]) == ("2026-01-02T12:00:00Z", None)


def test_attempts_are_counted_from_one_for_people() -> None:
    assert job_row(STATUS, NOON)["attempt"] == "2/4"


def test_the_age_is_since_publication() -> None:
    assert job_row(STATUS, NOON)["age"] == "3m"


def test_the_note_of_a_failure_is_its_first_line_cut_short() -> None:
    status = replace(STATUS, error=Failure("ValueError", "x" * 300 + "\nmore"))
    note = str(job_row(status, NOON)["note"])
    assert note.startswith("ValueError: xxx")
    assert len(note) == 100


def test_the_note_of_a_running_task_is_its_progress() -> None:
    status = replace(STATUS, progress=Progress(1, 3, 10, "resizing", '{"file": 1}'))
    assert job_row(status, NOON)["note"] == "3/10 resizing"
    assert document_of(status)["progress"] == {"done": 3, "total": 10, "message": "resizing", "data": {"file": 1}}


def test_a_dead_letter_says_why_and_since_when() -> None:
    status = replace(STATUS, reason="crashes", error=Failure("WorkerLost", ""), finished_at=NOON - timedelta(hours=2))
    row = dead_row(status, NOON)
    assert (row["reason"], row["error"], row["buried"]) == ("crashes", "WorkerLost", "2h")


def test_a_queue_shows_every_state_and_the_wait_of_its_oldest_task() -> None:
    row = queue_row(QueueCount("billing", {TaskState.QUEUED: 2}, oldest_due=1_000_000), now=3_500_000)
    assert (row[TaskState.QUEUED.value], row[TaskState.RUNNING.value], row["latency"]) == (2, 0, 2.5)


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "now"), (59, "59s"), (60, "1m"), (7_300, "2h"), (864_000, "10d")])
def test_an_age_is_said_in_its_largest_unit(seconds: float, text: str) -> None:
    assert age_of(timedelta(seconds=seconds)) == text


CHARGE = RunningTask("t1", "shop.charge", "billing", 2, 90_000_000)
SEEN = 1_000_000_000
BUSY = WorkerRecord(heartbeat=replace(BEAT, tasks=(CHARGE,)), first_seen=0, last_seen=SEEN, late=False)


def test_a_listed_worker_shows_what_it_has_had_the_longest_by_now() -> None:
    row = listed_row(BUSY, SEEN + 30_000_000)
    assert row["longest"] == "shop.charge 2m"
    told = {"id": "t1", "name": "shop.charge", "queue": "billing", "attempt": 2, "since": "1970-01-01T00:15:10Z"}
    assert row["tasks"] == [told]


def test_an_idle_worker_shows_none() -> None:
    assert listed_row(replace(BUSY, heartbeat=BEAT), SEEN)["longest"] == ""


def test_what_a_worker_last_told_says_when_it_did() -> None:
    (row,) = told_rows(BUSY)
    assert (row["worker"], row["seconds"], row["told"]) == ("worker-1", 90.0, "1970-01-01T00:16:40Z")
