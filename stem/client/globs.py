"""Names that stand for several. Pure."""

from __future__ import annotations

from typing import Final

__all__ = ["is_glob"]

_MARKS: Final = frozenset("*?[")


def is_glob(text: str) -> bool:
    """Whether it is a pattern, and not the name of one."""
    return not _MARKS.isdisjoint(text)
