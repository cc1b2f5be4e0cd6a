"""What the doctor says about what it found."""

from __future__ import annotations

from stem.cli.checks import (
    Finding,
    Level,
    clock_check,
    disk_check,
    extras_check,
    name_check,
    queue_checks,
    sqlite_check,
    worker_checks,
)
from stem.contracts.heartbeats import Heartbeat, WorkerRecord
from stem.contracts.queries import QueueCount
from stem.tasks.state import TaskState


def worker(name: str, *queues: str, late: bool = False) -> WorkerRecord:
    beat = Heartbeat(
        worker=name, host="h", pid=1, fingerprint="f", queues=queues, concurrency=4, running=0, every=1_000_000
    )
    return WorkerRecord(heartbeat=beat, first_seen=0, last_seen=0, late=late)


def levels(findings: list[Finding]) -> list[Level]:
    return [finding.level for finding in findings]


def test_the_other_project_of_the_same_import_name_is_a_failure() -> None:
    assert name_check(["click", "stem"]).level is Level.FAIL
    assert name_check(["click", "stem-jobs"]).level is Level.OK


def test_an_old_sqlite_is_a_failure_that_says_the_floor() -> None:
    assert sqlite_check((3, 36, 0)).level is Level.FAIL
    assert "3.37" in sqlite_check((3, 36, 0)).do
    assert sqlite_check((3, 37, 0)).level is Level.OK


def test_an_extra_is_there_when_all_of_it_is() -> None:
    assert extras_check({"libcst": True, "jinja2": False, "redis": True}).found == "redis"
    assert extras_check({}).found == "none"


def test_a_nearly_full_disk_is_a_warning() -> None:
    assert disk_check(50 * 1024 * 1024, "/data").level is Level.WARN
    assert disk_check(5 * 1024**3, "/data") == Finding(Level.OK, "disk", "5,120 MiB free in /data")


def test_a_clock_that_is_off_is_a_warning_in_either_direction() -> None:
    assert clock_check(0, 6_000_000).level is Level.WARN
    assert clock_check(6_000_000, 0).level is Level.WARN
    assert clock_check(1_000_000, 0).level is Level.OK


def test_no_worker_is_a_warning_that_says_how_to_start_one() -> None:
    (finding,) = worker_checks([])
    assert (finding.level, "stem worker" in finding.do) == (Level.WARN, True)


def test_a_silent_worker_is_named_and_does_not_count_as_alive() -> None:
    findings = list(worker_checks([worker("w1"), worker("w2", late=True)]))
    assert levels(findings) == [Level.OK, Level.WARN]
    assert [finding.found for finding in findings] == ["1 alive", "silent: w2"]


def test_a_queue_with_work_that_nobody_reads_is_a_warning_with_the_command() -> None:
    queues = [QueueCount("mail", {TaskState.QUEUED: 1}, None), QueueCount("done", {TaskState.SUCCEEDED: 9}, None)]
    (finding,) = queue_checks(queues, [worker("w", "other"), worker("x", "mail", late=True)])
    assert (finding.level, finding.do) == (Level.WARN, "Start a worker for them: stem worker -q mail")


def test_parked_tasks_are_a_warning() -> None:
    queues = [QueueCount("mail", {TaskState.PARKED: 2}, None)]
    (finding,) = queue_checks(queues, [worker("w", "mail")])
    assert (finding.level, finding.found[:7]) == (Level.WARN, "2 tasks")


def test_queues_that_are_read_are_fine() -> None:
    (finding,) = queue_checks([QueueCount("mail", {TaskState.QUEUED: 1}, None)], [worker("w", "mail")])
    assert finding.level is Level.OK
