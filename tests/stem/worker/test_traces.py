"""What is recorded of a task whose worker went with it too often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from stem.contracts.heartbeats import Heartbeat, Predecessor, WorkerRecord
from stem.tasks.status import Progress
from stem.testing.contracts.heartbeats import BEAT
from stem.worker.beats import predecessor
from stem.worker.traces import NO_TRACES, Traces, failure_of_loss, traces_of
from tests.stem.worker.support import SECOND, delivery

NOON = 1_767_268_800 * SECOND
HALF = Progress(1, 5, 10, "half way")
LOST = delivery(lost_by="worker-1", crashes=4, deliveries=4)


def _seen(heartbeat: Heartbeat, at: int = NOON) -> WorkerRecord:
    return WorkerRecord(heartbeat=heartbeat, first_seen=0, last_seen=at, late=True)


DEAD = _seen(replace(BEAT, memory=64 << 20))
HEIR = _seen(
    replace(BEAT, worker="worker-2", pid=2, replaces=Predecessor("worker-1", -9, NOON, 64 << 20)), NOON + 10 * SECOND
)
NAMESAKE = _seen(replace(BEAT, pid=2, memory=1, replaces=HEIR.heartbeat.replaces), NOON + 10 * SECOND)


@pytest.mark.parametrize(
    ("workers", "traces"),
    [
        ([], Traces(progress=HALF)),
        ([_seen(BEAT)], Traces(seen_at=NOON, progress=HALF)),
        ([DEAD], Traces(seen_at=NOON, memory=64 << 20, progress=HALF)),
        ([DEAD, HEIR], Traces(code=-9, seen_at=NOON, memory=64 << 20, progress=HALF)),
        ([NAMESAKE], Traces(code=-9, seen_at=NOON, memory=64 << 20, progress=HALF)),
    ],
    ids=["nothing", "no memory", "died alone", "supervised", "of one name"],
)
def test_signs_of_life_tell_of_the_dead(workers: Sequence[WorkerRecord], traces: Traces) -> None:
    assert traces_of("worker-1", workers, HALF) == traces


def test_everything_that_is_known_is_recorded() -> None:
    failure = failure_of_loss(LOST, traces_of("worker-1", [DEAD, HEIR], HALF))
    assert failure.code == "STEM-E051"
    assert (
        "found worker worker-1 gone, by signal SIGKILL; last sign of life 2026-01-01 12:00:00 UTC, with 64 MiB of "
        "memory; last progress 5 of 10 'half way'; crashes 4, lost 0, deliveries 4. Look for" in failure.message
    )


def test_what_the_process_logged_last_stands_where_a_traceback_would() -> None:
    logged = replace(HEIR, heartbeat=replace(HEIR.heartbeat, replaces=Predecessor("worker-1", -9, NOON, 0, ("a", "b"))))
    assert failure_of_loss(LOST, traces_of("worker-1", [logged], None)).traceback == "Last lines of the process:\na\nb"


def test_what_nobody_knows_is_left_out() -> None:
    assert "found worker worker-1 gone; crashes 4" in failure_of_loss(LOST, NO_TRACES).message
    assert "12:00:00 UTC; crashes 4" in failure_of_loss(LOST, Traces(seen_at=NOON)).message


@pytest.mark.parametrize(("host", "pid"), [("host", 12), ("other", BEAT.pid)])
def test_a_process_that_gave_no_sign_of_life_is_nobodys_predecessor(host: str, pid: int) -> None:
    assert predecessor([_seen(replace(BEAT, host="host"))], host, pid, 1) is None


def test_of_two_of_one_number_the_last_that_lived_is_the_predecessor() -> None:
    old = _seen(replace(BEAT, worker="old", host="host"), 7)
    new = _seen(replace(BEAT, worker="new", host="host", memory=3), 8)
    assert predecessor([new, old], "host", BEAT.pid, -9) == Predecessor("new", -9, 8, 3)
