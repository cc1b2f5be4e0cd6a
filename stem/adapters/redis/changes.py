"""Changes as lists for JSON, and their bytes beside it. Pure."""

from __future__ import annotations

import json
from typing import Final

from stem.adapters.redis.newrows import cut, pack_row
from stem.clock import Micros
from stem.contracts.changes import (
    Bury,
    Cancel,
    Change,
    Discard,
    FireSchedule,
    OpenGroup,
    Park,
    Publish,
    Release,
    Replay,
    Report,
    Reschedule,
    SealGroup,
    Settle,
    Start,
    Write,
)
from stem.contracts.wellformed import event_of
from stem.tasks.state import TRANSITIONS, TaskEvent, outcome_state
from stem.tasks.status import Failure

__all__ = ["OUTCOMES", "add_task", "cut", "dump", "encode_change", "failure_text"]

OUTCOMES: Final = {
    event: state.value for (before, event), state in TRANSITIONS.items() if before is outcome_state(TaskEvent.STARTED)
}
"""What each event makes of a leased task."""


def encode_change(change: Change, blobs: list[bytes]) -> list[object]:
    """The change as a list; the bytes that it brings are added to the blobs."""
    fence = change.fence
    head = (
        (False, 0, "", change.number) if fence is None else (fence.task_id, fence.counter, fence.nonce, change.number)
    )
    return [*head, *[_encode_write(write, blobs) for write in change.writes]]


def _encode_write(write: Write, blobs: list[bytes]) -> list[object]:
    match write:
        case Publish():
            return _publish(write, blobs)
        case Settle() | Bury():
            return _end(write, blobs)
        case Start() | Report():
            return _note(write)
        case Reschedule() | Release() | Park():
            return _give_back(write)
        case Cancel() | Replay() | Discard():
            return _ask(write)
        case _:
            return _arrange(write)


def _arrange(write: OpenGroup | SealGroup | FireSchedule) -> list[object]:
    match write:
        case OpenGroup():
            return ["O", write.group, cut(write.size), write.policy, write.root, cut(write.result_ttl)]
        case SealGroup():
            return ["E", write.group]
        case FireSchedule():
            return ["F", write.schedule, cut(write.expected), _time(write.next)]


def _ask(write: Cancel | Replay | Discard) -> list[object]:
    if isinstance(write, Cancel):
        return ["C", write.task_id, int(write.terminate)]
    generation = False if write.generation is None else write.generation
    if isinstance(write, Discard):
        return ["D", write.task_id, generation]
    return ["Y", write.task_id, generation, cut(write.delay)]


def _end(write: Settle | Bury, blobs: list[bytes]) -> list[object]:
    state, failure = OUTCOMES[event_of(write)], failure_text(write.error)
    if isinstance(write, Bury):
        return ["S", state, failure, write.reason, False]
    return ["S", state, failure, False, _blob(write.result, blobs)]


def _note(write: Start | Report) -> list[object]:
    if isinstance(write, Start):
        backoff = write.backoff
        return ["T", dump([backoff.initial, backoff.factor, backoff.max_delay, backoff.jitter]), write.ack]
    report = write.progress
    return ["R", report.sequence, dump([report.sequence, report.done, report.total, report.message, report.data])]


def _give_back(write: Reschedule | Release | Park) -> list[object]:
    state = OUTCOMES[event_of(write)]
    match write:
        case Reschedule():
            return ["G", state, cut(write.delay), failure_text(write.error), False]
        case Release():
            return ["G", state, cut(write.delay) if write.delay > 0 else False, False, False]
        case Park():
            return ["G", state, 0, False, write.reason, write.fingerprint, cut(write.pause)]


def add_task(write: Publish, blobs: list[bytes]) -> int:
    """The place, from 1, of the row among the blobs; the envelope is behind it."""
    blobs += (pack_row(write, _head(write)), write.body)
    return len(blobs) - 1


def _publish(write: Publish, blobs: list[bytes]) -> list[object]:
    envelope, unique = write.envelope, write.unique
    values: list[object] = [
        "P",
        envelope.id,
        envelope.queue,
        envelope.name,
        envelope.priority,
        add_task(write, blobs),
        cut(write.delay),
        _time(write.not_before),
        _time(envelope.expires),
        False if unique is None else unique.key,
    ]
    return values if write.after is None and write.member is None else ["L", *values[1:], *_ties(write)]


def _ties(write: Publish) -> list[object]:
    """What a message continues, and the group and the place that are its own, where these are given."""
    after, member = write.after, write.member
    place = () if member is None or member.index is None else (cut(member.index),)
    return [False if after is None else (after.kind, after.id), False if member is None else (member.group, *place)]


def _head(write: Publish) -> str:
    """What scripts need seldom, and only people ask for."""
    envelope = write.envelope
    head: dict[str, object] = {}
    if write.after is not None or write.member is not None:
        head = {name: tie for name, tie in zip(("after", "member"), _ties(write), strict=True) if tie}
    if write.rate_key is not None:
        head["rate_key"] = write.rate_key
    if write.concurrency_key is not None:
        head["concurrency_key"] = write.concurrency_key
    if envelope.root:
        head["root"] = envelope.root
    if envelope.parent is not None:
        head["parent"] = envelope.parent
    if envelope.tags:
        head["tags"] = envelope.tags
    return dump(head) if head else "{}"


def failure_text(error: Failure | None) -> str | bool:
    """The error as one text; false for none."""
    return False if error is None else dump([error.kind, error.message, error.traceback, error.code])


def _blob(blob: bytes | None, blobs: list[bytes]) -> int | bool:
    """Take the bytes in; their place, from 1."""
    if blob is None:
        return False
    blobs.append(blob)
    return len(blobs)


def _time(time: Micros | None) -> Micros | bool:
    return False if time is None else cut(time)


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dump(value: object) -> str:
    """Compact JSON."""
    return _ENCODER.encode(value)
