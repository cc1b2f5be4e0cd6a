"""How long a record outlives its end: one rule for every engine."""

from __future__ import annotations

from typing import Final

from stem.clock import Micros

__all__ = ["KEEP_AT_LEAST", "KEEP_DEAD", "keep_for"]

KEEP_AT_LEAST: Final[Micros] = 60_000_000
"""Twice the time for which a change may be sent again: until then the record must answer for it."""
KEEP_DEAD: Final[Micros] = 30 * 86_400_000_000
"""Dead letters wait this long for somebody to look at them."""


def keep_for(result_ttl: Micros, *, dead: bool) -> Micros:
    """Microseconds from the end of a task until its record may be deleted; `dead` for one in the dead letters."""
    kept = max(2 * result_ttl, KEEP_AT_LEAST)
    return max(kept, KEEP_DEAD) if dead else kept
