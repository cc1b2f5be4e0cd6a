"""Between a change and an outcome: what a split store records first, and what it then commits. Pure."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from stem.codec import dump_json, load_value
from stem.contracts.changes import Bury, Change, Fence, Publish, Settle, UniqueKey, Write
from stem.contracts.outcomes import Outcome
from stem.contracts.wellformed import event_of
from stem.errors import Undecodable
from stem.tasks.envelope import decode_envelope
from stem.tasks.links import After, Member
from stem.tasks.state import TaskEvent, TaskState, outcome_state

__all__ = ["Held", "dump_publishes", "ending_of", "ends_by", "load_publishes", "outcome_of", "settled_by"]

_EVENTS = {
    outcome_state(event): event
    for event in (TaskEvent.SUCCEEDED, TaskEvent.CANCELLED, TaskEvent.EXPIRED, TaskEvent.FAILED)
}


def ending_of(change: Change) -> Settle | Bury | None:
    """The write of a change that ends a leased task; `None` in a change that ends none."""
    return next((write for write in change.writes if isinstance(write, Settle | Bury)), None)


@dataclass(frozen=True, slots=True)
class Held:
    """What has to be known of a leased task to tell its outcome."""

    fence: int
    generation: int
    envelope: bytes = field(repr=False)
    ignored: bool


def outcome_of(change: Change, ending: Settle | Bury, fence: Fence, held: Held) -> Outcome:
    """What a change that ends this task makes of it."""
    result = ending.result if isinstance(ending, Settle) and not held.ignored else None
    return Outcome(
        task_id=fence.task_id,
        generation=held.generation,
        state=outcome_state(event_of(ending)),
        result=result,
        error=ending.error,
        bury_reason=ending.reason if isinstance(ending, Bury) else None,
        result_ttl=decode_envelope(held.envelope).result_ttl,
        by=f"{fence.counter}:{fence.nonce}",
        follow_ups=dump_publishes([write for write in change.writes if isinstance(write, Publish)]),
    )


def settled_by(change: Change, ending: Settle | Bury, standing: Outcome) -> Change:
    """The change as the outcome that stands has it: its end, and what is published with that end.

    The result stays where it is recorded.
    """
    others = (write for write in change.writes if write is not ending and not isinstance(write, Publish))
    return replace(change, writes=(*others, *ends_by(standing)))


def ends_by(standing: Outcome) -> tuple[Write, ...]:
    """The writes that end a task in the broker as it ended in the results."""
    end: Write = Settle(_EVENTS[standing.state], error=standing.error)
    if standing.state is TaskState.FAILED and standing.bury_reason is not None:
        end = Bury(standing.bury_reason, standing.error)
    return end, *load_publishes(standing.follow_ups)


def dump_publishes(publishes: Sequence[Publish]) -> str:
    """What an end publishes, as the text that is kept with its outcome."""
    return dump_json([_noted(write) for write in publishes]).decode() if publishes else ""


def _noted(write: Publish) -> dict[str, object]:
    unique, after, member = write.unique, write.after, write.member
    return {
        "body": b64encode(write.body).decode(),
        "delay": write.delay,
        "not_before": write.not_before,
        "unique": None if unique is None else [unique.key, unique.lifetime],
        "after": None if after is None else [after.id, after.kind],
        "member": None if member is None else [member.group, member.index],
    }


def load_publishes(text: str) -> list[Publish]:
    """The publishes that `dump_publishes` noted. Raises `Undecodable` for another text."""
    if not text:
        return []
    try:
        return [_publish(**noted) for noted in cast("list[dict[str, Any]]", load_value(text.encode()))]
    except (TypeError, ValueError) as error:
        raise Undecodable(
            expected="what a task publishes with its end",
            found=str(error),
            do="Check what wrote this outcome; a newer Stem needs newer workers.",
        ) from None


def _publish(*, body: str, delay: int, not_before: int | None, unique: Any, after: Any, member: Any) -> Publish:
    raw = b64decode(body)
    return Publish(
        envelope=decode_envelope(raw),
        body=raw,
        delay=delay,
        not_before=not_before,
        unique=None if unique is None else UniqueKey(*unique),
        after=None if after is None else After(*after),
        member=None if member is None else Member(*member),
    )
