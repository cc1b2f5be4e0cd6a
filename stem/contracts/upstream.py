"""What a continuation is told when what it waited for ended without success: one wording for every engine."""

from __future__ import annotations

from typing import Final

from stem.tasks.links import After
from stem.tasks.status import Failure

__all__ = ["UPSTREAM_FAILED", "upstream_failed"]

UPSTREAM_FAILED: Final = "UpstreamFailed"
"""The `kind` of the error."""


def upstream_failed(after: After, state: str) -> Failure:
    """The error of a message that waited for this; `state` is where that ended: of a task, or of a group."""
    return Failure(UPSTREAM_FAILED, f"{after.kind} {after.id} is {state}")
