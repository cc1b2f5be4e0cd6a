"""How a lost delivery is counted: one rule for every engine."""

from __future__ import annotations

from typing import Final

__all__ = ["LOST_BEFORE_CRASH", "count_loss"]

LOST_BEFORE_CRASH: Final = 5
"""The loss before a start that counts as a crash, and every one after it."""


def count_loss(*, started: bool, crashes: int, lost: int, attempt: int) -> tuple[int, int, int]:
    """The new (crashes, lost, attempt) of a delivery whose worker is gone.

    Lost after its start: a crash, which uses an attempt. Lost before: `lost` + 1, and from the fifth on a crash too.
    """
    if not started:
        lost += 1
        if lost < LOST_BEFORE_CRASH:
            return crashes, lost, attempt
    return crashes + 1, lost, attempt + 1
