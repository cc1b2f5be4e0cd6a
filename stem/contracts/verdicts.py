"""What a store answers to a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["APPLIED", "FENCED", "Applied", "Duplicate", "Fenced", "RefusalCode", "Refused", "Verdict"]


class RefusalCode:
    """Why a store refuses a change. Stable text."""

    UNKNOWN_ID: Final = "unknown_id"
    INVALID_TRANSITION: Final = "invalid_transition"
    DUPLICATE: Final = "duplicate"
    TOO_LARGE: Final = "too_large"
    REJECTED: Final = "rejected"
    HELD_UP: Final = "held_up"
    """Somebody's open transaction has the unique key; nobody knows yet whether it is taken. To be sent again."""


@dataclass(frozen=True, slots=True)
class Applied:
    """All writes of the change are durable, now or by an earlier sending of the same change."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """The lease is no longer ours; nothing of the change was written."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The unique key is taken; nothing was written; `holder` is the id of the task that has it."""

    holder: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine cannot take this change; nothing of it was written, and its neighbours are not affected."""

    code: str
    detail: str = ""


Verdict: TypeAlias = Applied | Fenced | Duplicate | Refused

APPLIED: Final = Applied()
FENCED: Final = Fenced()
