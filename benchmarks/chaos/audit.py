"""What became of every task, beside what was planned and what the tasks themselves wrote down. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord

from .jobs import Line
from .plan import Job

__all__ = ["audit"]


def audit(jobs: Mapping[str, Job], records: Mapping[str, TaskRecord], book: Sequence[Line]) -> Iterator[str]:
    """The promises that were broken, as sentences; none when all were kept. `jobs` are those that were accepted."""
    yield from (f"task {task_id} was accepted and is not known" for task_id in jobs.keys() - records.keys())
    yield from (f"task {task_id} is known and was never accepted" for task_id in records.keys() - jobs.keys())
    for line, times in Counter(book).items():
        if times > 1:
            yield f"task {line.task_id} did '{line.what}' {times} times under fence {line.fence}"
    ended = {line.task_id for line in book if line.what == "end"}
    for task_id in jobs.keys() & records.keys():
        yield from _of_one(jobs[task_id], records[task_id], has_ended=task_id in ended)


def _of_one(job: Job, record: TaskRecord, *, has_ended: bool) -> Iterator[str]:
    """What is wrong with one task."""
    if not record.state.is_terminal:
        yield f"task {record.id} is {record.state.value} for ever"
    if record.state is TaskState.SUCCEEDED and not has_ended:
        yield f"task {record.id} has a result, and never came to its end"
    if record.state is TaskState.SUCCEEDED and record.result != str(job.number).encode():
        yield f"task {record.id} has the result {record.result!r} of another"
    if job.hopeless and record.state is TaskState.SUCCEEDED:
        yield f"task {record.id} always fails, and is {record.state.value}"
    if not job.hopeless and record.state.is_terminal and record.state is not TaskState.SUCCEEDED:
        yield f"task {record.id} could succeed, and is {record.state.value} ({record.bury_reason})"
    if record.lease_until is not None and record.state.is_terminal:
        yield f"task {record.id} has ended, and is still leased"
