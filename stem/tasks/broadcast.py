"""A task for every worker: the one message that is enqueued, and the copies that are made of it. Pure.

What is enqueued is an announcement. It waits in the task's queue under a name of its own, so that no limit of the task
counts it, and its payload is the message to copy. The worker that gets it hands out one copy to each worker that lives,
in that worker's private queue; ids of copies are derived, so that handing out again makes none twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from stem.clock import Micros
from stem.codec import dump_json
from stem.ids import derived_id
from stem.tasks.encoders import name_of
from stem.tasks.envelope import Envelope, decode_envelope, encode_envelope
from stem.tasks.option_rules import ANNOUNCED, PRIVATE
from stem.tasks.status import TaskRecord

__all__ = [
    "announced_name",
    "announcement",
    "by_worker",
    "copies_for",
    "copies_group",
    "enclosed",
    "handed_to",
    "is_announcement",
    "private_queue",
    "tell_copies",
    "worker_of",
]

_CRASHES: Final = 3
_RESULT: Final = "broadcast"
"""Stands where the name of an encoder stands: no result of a task can be taken for that of a broadcast."""


def announcement(task: Envelope) -> Envelope:
    """What is enqueued so that this task runs on every worker: the same id, queue, priority and times."""
    return task._replace(
        name=ANNOUNCED + task.name,
        payload=encode_envelope(task),
        version=1,
        contract="",
        max_retries=_CRASHES,
        ignore_result=False,
        retry=None,
    )


def is_announcement(name: str) -> bool:
    """Whether a message of this name is one to hand out."""
    return name.startswith(ANNOUNCED)


def announced_name(name: str) -> str:
    """The name of the task that an announcement is of; any other name as it is."""
    return name.removeprefix(ANNOUNCED)


def private_queue(worker: str) -> str:
    """The queue that only this worker serves."""
    return PRIVATE + worker


def worker_of(queue: str) -> str | None:
    """The worker whose private queue this is; `None` for a queue that any worker may serve."""
    return queue.removeprefix(PRIVATE) if queue.startswith(PRIVATE) else None


def copies_group(task_id: str, generation: int) -> str:
    """The id of the group of all copies that were made of an announcement in this generation."""
    return derived_id("copies", task_id, generation)


def copies_for(
    workers: Iterable[str], announced: Envelope, *, generation: int, expires: Micros | None
) -> list[Envelope]:
    """The message for each worker. Raises `Undecodable` where the announcement brings none."""
    task = decode_envelope(announced.payload)._replace(
        expires=expires,
        root=announced.root or announced.id,
        parent=announced.id,
    )
    return [
        task._replace(id=derived_id("copy", announced.id, generation, worker), queue=private_queue(worker))
        for worker in workers
    ]


def enclosed(message: Envelope) -> Envelope:
    """The task that a message is about: of an announcement the one that it carries, else itself. Raises
    `Undecodable`."""
    return decode_envelope(message.payload) if is_announcement(message.name) else message


def by_worker(copies: Iterable[TaskRecord]) -> dict[str, TaskRecord]:
    """Copies by the worker that each is for."""
    return {worker: copy for copy in copies if (worker := worker_of(copy.queue)) is not None}


def tell_copies(copies: Mapping[str, str]) -> bytes:
    """The stored result of a broadcast: the id of each worker's copy."""
    return b"\x00%b\n%b" % (_RESULT.encode(), dump_json(dict(copies)))


def handed_to(result: bytes) -> dict[str, str] | None:
    """The id of each worker's copy, from the stored result of a broadcast; `None` for the result of any other task."""
    if name_of(result) != _RESULT:
        return None
    copies: dict[str, str] = json.loads(result.partition(b"\n")[2])
    return copies
