"""Scripts made of files: each is a block, of which the others see what they name. Pure.

The server's language takes 200 local names at a time, and makes every function anew in each call. So the helpers of a
file are its own, without a word in the file, and files that few calls need are made when one does: `know_ties()`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

__all__ = ["composed"]

_LOCAL: Final = re.compile(r"^local (?:function (\w+)|([\w, ]+?)(?= =|$))", re.MULTILINE)
_COMMENT: Final = re.compile(r"^ *--.*\n| +--.*$", re.MULTILINE)


def composed(below: Sequence[str], rare: Sequence[str], script: str) -> str:
    """The script behind the files that it builds on; a file may use those before it, and the others the rare ones."""
    *usual, last = [_COMMENT.sub("", text) for text in (*below, script)]
    seldom = [_COMMENT.sub("", text) for text in rare]
    asked = _words(*usual, last)
    ahead = [name for text in seldom for name in _names(text, asked)]
    parts = [_blocks(usual, _words(*seldom, last), ()), _when_needed(seldom, ahead), last]
    return "\n".join((*([f"local {', '.join(('know_ties', *ahead))}"] if seldom else []), *filter(None, parts)))


def _blocks(texts: Sequence[str], asked: set[str], declared: Collection[str]) -> str:
    """Each file as a block. Before it stand the names that others ask for, as far as they are not declared yet."""
    blocks: list[str] = []
    for place, text in enumerate(texts):
        shared = _names(text, asked | _words(*texts[place + 1 :]))
        new = [name for name in shared if name not in declared]
        blocks.append(f"local {', '.join(new)}" if new else "")
        blocks.append(f"do\n{_LOCAL.sub(partial(_opened, shared), text)}\nend")
    return "\n".join(filter(None, blocks))


def _opened(shared: Collection[str], found: re.Match[str]) -> str:
    """The beginning of a statement, without its `local` where what it names is declared ahead of the block."""
    if not any(name in shared for name in _named(found)):
        return found[0]
    has_value = found.string.startswith(" =", found.end())
    return f"function {found[1]}" if found[1] else found[2] if has_value else ""


def _when_needed(texts: Sequence[str], ahead: Collection[str]) -> str:
    """One function that makes what these files make, at its first call. It may see 60 names around it."""
    if not texts:
        return ""
    first = "local known = false\nfunction know_ties()\nif known then\nreturn\nend\nknown = true"
    return f"{first}\n{_blocks(texts, set(ahead), ahead)}\nend"


def _names(text: str, asked: set[str]) -> list[str]:
    """What a file names and others ask for; names that are given together are seen together."""
    statements = map(_named, _LOCAL.finditer(text))
    return [name for names in statements if not asked.isdisjoint(names) for name in names]


def _named(found: re.Match[str]) -> list[str]:
    return [found[1]] if found[1] else found[2].split(", ")


def _words(*texts: str) -> set[str]:
    return set(re.findall(r"\w+", "\n".join(texts)))
