"""A publish that looks before it writes: at its unique key, and at what it waits for."""

from __future__ import annotations

from typing import cast

from stem.adapters.sqlite.ends import end_waiting
from stem.adapters.sqlite.links import Hold, judge_links, tie
from stem.adapters.sqlite.rows import cut
from stem.adapters.sqlite.write import Writing
from stem.contracts.changes import APPLIED, Duplicate, Publish, Refused, UniqueKey, Verdict
from stem.tasks.status import Failure

__all__ = ["holder_of", "publish", "take_key"]


def publish(writing: Writing, write: Publish, *, alone: bool) -> Verdict:
    """Make the message visible, or hold it; only when it is `alone` in its change a taken key answers `Duplicate`."""
    if write.unique is None and not _is_linked(write):
        writing.publish([write])
        return APPLIED
    if writing.find(write.envelope.id) is not None:
        return APPLIED
    hold = judge_links(writing, write) if _is_linked(write) else Hold(None, None)
    if isinstance(hold, Refused):
        return hold
    holder = None if write.unique is None else holder_of(writing, write.unique.key, other_than=write.envelope.id)
    if holder is not None and alone:
        return Duplicate(holder)
    failure = hold.failure if holder is None else Failure("DuplicateTask", f"duplicate of {holder}")
    is_linked = _is_linked(write)
    writing.publish([write], held=hold.holds or (is_linked and failure is not None))
    if is_linked:
        tie(writing, write, hold)
    if write.unique is not None and holder is None:
        take_key(writing, write.unique, write.envelope.id)
    if failure is not None:
        end_waiting(writing, write.envelope.id, error=failure)
    return APPLIED


def _is_linked(write: Publish) -> bool:
    return write.after is not None or write.member is not None


def holder_of(writing: Writing, key: str, *, other_than: str) -> str | None:
    """The task that has the key, if it is another one."""
    row = writing.execute("unique_holder", key=key, now=writing.now).fetchone()
    return None if row is None or row[0] == other_than else cast("str", row[0])


def take_key(writing: Writing, unique: UniqueKey, task: str) -> None:
    """Give the key to this task."""
    until = None if unique.lifetime is None else cut(writing.now + unique.lifetime)
    writing.execute("unique_hold", key=unique.key, holder=task, until=until)
