"""What ties one task to others: what it waits for, and the group it belongs to; kept beside the envelope."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

__all__ = ["After", "GroupPolicy", "GroupState", "Member", "decide_group"]

GroupPolicy: TypeAlias = Literal["all", "settled", "any"]
"""When a group has its answer.

`all`: when every member succeeded; the first that does not fails the group. `settled`: when every member has ended,
however. `any`: when the first member succeeded; the group fails when none did.
"""


@dataclass(frozen=True, slots=True)
class After:
    """A message with this is a continuation: it is held until that task, or that group, has succeeded."""

    id: str
    kind: Literal["task", "group"] = "task"


@dataclass(frozen=True, slots=True)
class Member:
    """A message with this is held until the group is sealed.

    With an `index` it has that place in the group: its end joins the group. Without one it only begins with it, as the
    first link of a chain whose last link has the place.
    """

    group: str
    index: int | None = None


class GroupState(Enum):
    """Where a group is. The first two are live."""

    OPEN = "open"
    """Is being filled; none of its members can be leased."""
    SEALED = "sealed"
    """All members are there and work."""
    MET = "met"
    """Its policy is met: its continuations run."""
    UNMET = "unmet"
    """Its policy can no longer be met: its continuations are cancelled."""

    @property
    def is_closed(self) -> bool:
        """Whether the group has its answer, which nothing changes any more."""
        return self in (GroupState.MET, GroupState.UNMET)


def decide_group(policy: GroupPolicy, *, size: int, joined: int, succeeded: int) -> GroupState:
    """Where a sealed group of `size` members is when `joined` of them have ended, `succeeded` of these with success.

    Joining one member after another leads to the same closed state as asking once at the end.
    """
    failed = joined - succeeded
    early = {"all": failed > 0, "settled": False, "any": succeeded > 0}[policy]
    met = {"all": not failed, "settled": True, "any": succeeded > 0}[policy]
    if not early and joined < size:
        return GroupState.SEALED
    return GroupState.MET if met else GroupState.UNMET
