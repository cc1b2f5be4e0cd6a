"""JSON for people: what fits on a line stands on one line, so that a changed field is a changed line."""

from __future__ import annotations

import json
from typing import Final

from stem_builder.lock.normalise import Json

__all__ = ["lay_out"]

_WIDTH: Final = 170


def lay_out(value: Json, *, opened: int) -> str:
    """The text with sorted keys, ending in a newline; the outermost `opened` levels always have a line per member."""
    return f"{_lay_out(value, 0, 0, opened)}\n"


def _lay_out(value: Json, level: int, used: int, opened: int) -> str:
    """One line where it fits beside the `used` characters before it, else one line per member."""
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or (level >= opened and level + used + len(flat) < _WIDTH):
        return flat
    pad = " " * (level + 1)
    if isinstance(value, list):
        return _block("[]", [f"{pad}{_lay_out(item, level + 1, 0, opened)}" for item in value], level)
    keys = {key: f"{json.dumps(key, ensure_ascii=False)}: " for key in sorted(value)}
    return _block(
        "{}", [f"{pad}{text}{_lay_out(value[key], level + 1, len(text), opened)}" for key, text in keys.items()], level
    )


def _block(brackets: str, rows: list[str], level: int) -> str:
    inner = ",\n".join(rows)
    return f"{brackets[0]}\n{inner}\n{' ' * level}{brackets[1]}"
