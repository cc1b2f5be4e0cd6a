"""Between a change and an outcome: what a split store records first, and what it then commits. Pure."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from stem.codec import dump_json, load_value
from stem.contracts.changes import Bury, Change, Fence, OpenGroup, Publish, SealGroup, Settle, UniqueKey, Write
from stem.contracts.outcomes import Outcome
from stem.contracts.wellformed import event_of
from stem.errors import Undecodable
from stem.tasks.envelope import decode_envelope
from stem.tasks.links import After, Member
from stem.tasks.state import TaskEvent, TaskState, outcome_state

__all__ = ["Held", "dump_follow_ups", "ending_of", "ends_by", "load_follow_ups", "outcome_of", "settled_by"]

_EVENTS = {
    outcome_state(event): event
    for event in (TaskEvent.SUCCEEDED, TaskEvent.CANCELLED, TaskEvent.EXPIRED, TaskEvent.FAILED)
}


def ending_of(change: Change) -> Settle | Bury | None:
    """The write of a change that ends a leased task; `None` in a change that ends none."""
    return next((write for write in change.writes if isinstance(write, Settle | Bury)), None)


FollowUp = Publish | OpenGroup | SealGroup
"""What a task makes with its end: messages, and the groups that they are members of."""


@dataclass(frozen=True, slots=True)
class Held:
    """What has to be known of a leased task to tell its outcome."""

    fence: int
    generation: int
    envelope: bytes = field(repr=False)


def outcome_of(change: Change, ending: Settle | Bury, fence: Fence, held: Held) -> Outcome:
    """What a change that ends this task makes of it."""
    return Outcome(
        task_id=fence.task_id,
        generation=held.generation,
        state=outcome_state(event_of(ending)),
        result=ending.result if isinstance(ending, Settle) else None,
        error=ending.error,
        bury_reason=ending.reason if isinstance(ending, Bury) else None,
        result_ttl=decode_envelope(held.envelope).result_ttl,
        by=f"{fence.counter}:{fence.nonce}",
        follow_ups=dump_follow_ups([write for write in change.writes if isinstance(write, FollowUp)]),
    )


def settled_by(change: Change, ending: Settle | Bury, standing: Outcome, envelope: bytes) -> Change:
    """The change as the outcome that stands has it: its end, and what follows up on that end."""
    others = (write for write in change.writes if write is not ending and not isinstance(write, FollowUp))
    return change._replace(writes=(*others, *ends_by(standing, envelope)))


def ends_by(standing: Outcome, envelope: bytes) -> tuple[Write, ...]:
    """The writes that end a task in the broker as it ended in the results.

    The result stays where it is recorded. In place of one that the producer ignores the broker is given an empty one:
    it keeps that if somebody waits for it, and so says whether the one that is recorded is to be answered.
    """
    is_told = standing.result is not None and decode_envelope(envelope).ignore_result
    end: Write = Settle(_EVENTS[standing.state], b"" if is_told else None, standing.error)
    if standing.state is TaskState.FAILED and standing.bury_reason is not None:
        end = Bury(standing.bury_reason, standing.error)
    return end, *load_follow_ups(standing.follow_ups)


def dump_follow_ups(writes: Sequence[FollowUp]) -> str:
    """What follows up on an end, in its order, as the text that is kept with the outcome."""
    return dump_json([_noted(write) for write in writes]).decode() if writes else ""


def _noted(write: FollowUp) -> dict[str, object]:
    if isinstance(write, OpenGroup):
        return {"open": asdict(write)}
    if isinstance(write, SealGroup):
        return {"seal": asdict(write)}
    unique, after, member = write.unique, write.after, write.member
    return {
        "body": b64encode(write.body).decode(),
        "delay": write.delay,
        "not_before": write.not_before,
        "unique": None if unique is None else [unique.key, unique.lifetime],
        "after": None if after is None else [after.id, after.kind],
        "member": None if member is None else [member.group, member.index],
        "rate_key": write.rate_key,
        "concurrency_key": write.concurrency_key,
    }


def load_follow_ups(text: str) -> list[FollowUp]:
    """The writes that `dump_follow_ups` noted. Raises `Undecodable` for another text."""
    if not text:
        return []
    try:
        return [_write(noted) for noted in cast("list[dict[str, Any]]", load_value(text.encode()))]
    except (TypeError, ValueError) as error:
        raise Undecodable(
            expected="what a task makes with its end",
            found=str(error),
            do="Check what wrote this outcome; a newer Stem needs newer workers.",
        ) from None


def _write(noted: dict[str, Any]) -> FollowUp:
    if "open" in noted:
        return OpenGroup(**noted["open"])
    return SealGroup(**noted["seal"]) if "seal" in noted else _publish(**noted)


def _publish(
    *,
    body: str,
    delay: int,
    not_before: int | None,
    unique: Any,
    after: Any,
    member: Any,
    rate_key: str | None = None,
    concurrency_key: str | None = None,
) -> Publish:
    raw = b64decode(body)
    return Publish(
        envelope=decode_envelope(raw),
        body=raw,
        delay=delay,
        not_before=not_before,
        unique=None if unique is None else UniqueKey(*unique),
        after=None if after is None else After(*after),
        member=None if member is None else Member(*member),
        rate_key=rate_key,
        concurrency_key=concurrency_key,
    )
