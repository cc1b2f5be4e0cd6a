"""Scripts made of files: each is a block, of which the others see what they name. Pure.

The server's language takes 200 local names at a time, and makes every function anew in each call. So the helpers of a
file are its own, without a word in the file, and files that few calls need are made when one does: `know_ties()`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["composed"]

_LOCAL: Final = re.compile(r"^local (?:function (\w+)|([\w, ]+?)(?= =|$))", re.MULTILINE)
_COMMENT: Final = re.compile(r"^ *--.*\n| +--.*$", re.MULTILINE)


def composed(below: Sequence[str], rare: Sequence[str], script: str) -> str:
    """The script behind the files that it builds on; a file may use those before it, and the rare ones."""
    texts = [_COMMENT.sub("", text) for text in (*below, *rare, script)]
    blocks = [_block(text, [*texts[:place], *texts[place + 1 :]]) for place, text in enumerate(texts[:-1])]
    usual, seldom = blocks[: len(below)], blocks[len(below) :]
    ahead = ["local know_ties" if seldom else "", *(block.declared for block in seldom)]
    parts = [*ahead, *map(_at_once, usual), *_when_needed(seldom), texts[-1]]
    return "\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class _Block:
    declared: str
    """The names that others use, as one statement that comes before them."""
    text: str


def _block(text: str, others: Iterable[str]) -> _Block:
    named = set(re.findall(r"\w+", "\n".join(others)))
    shared: list[str] = []

    def opened(found: re.Match[str]) -> str:
        names = [found[1]] if found[1] else found[2].split(", ")
        if named.isdisjoint(names):
            return found[0]
        shared.extend(names)
        has_value = found.string.startswith(" =", found.end())
        return f"function {found[1]}" if found[1] else found[2] if has_value else ""

    block = _LOCAL.sub(opened, text)
    return _Block(f"local {', '.join(shared)}" if shared else "", block)


def _at_once(block: _Block) -> str:
    return f"{block.declared}\ndo\n{block.text}\nend"


def _when_needed(blocks: Sequence[_Block]) -> list[str]:
    """One function that runs these blocks at its first call; each is a function, for one may see 60 names around it."""
    if not blocks:
        return []
    makers = [f"makers[{place}] = function()\n{block.text}\nend" for place, block in enumerate(blocks, 1)]
    know = "function know_ties()\nfor _, make in ipairs(makers) do\nmake()\nend\nmakers = {}\nend"
    return ["local makers = {}", *makers, know]
