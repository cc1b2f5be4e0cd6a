"""What those are told whom the end of something else ends: one wording for every engine."""

from __future__ import annotations

from typing import Final

from stem.tasks.links import After
from stem.tasks.status import Failure

__all__ = ["GROUP_CLOSED", "REMOVED", "UPSTREAM_FAILED", "group_closed", "upstream_failed"]

UPSTREAM_FAILED: Final = "UpstreamFailed"
"""The `kind` of the error of a continuation that will never run."""
GROUP_CLOSED: Final = "GroupClosed"
"""The `kind` of the error of a member that its group no longer needs."""
REMOVED: Final = "removed"
"""Where a group ended that nobody sealed in time, and each of its members."""


def upstream_failed(after: After, state: str) -> Failure:
    """The error of a message that waited for this; `state` is where that ended: of a task, of a group, or `REMOVED`."""
    return Failure(UPSTREAM_FAILED, f"{after.kind} {after.id} is {state}")


def group_closed(group: str) -> Failure:
    """The error of a member that is cancelled because its group has its answer."""
    return Failure(GROUP_CLOSED, f"group {group} has its answer")
