"""Scripts made of files: each is a block, of which the others see what they name. Pure.

The server's language takes 200 local names at a time, so the helpers of a file are its own, without a word in the file.
Functions, and names in capitals, are made once where the server keeps what it was sent. Everything else that stands
alone in a file is done at the beginning of each call, in the order of the files; that of the last file is the call.
What few calls need is made when one does: `know_ties()`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

__all__ = ["composed"]

_COMMENT: Final = re.compile(r"^ *--.*\n| +--.*$", re.MULTILINE)
_LOCAL: Final = re.compile(r"^local (?:function (\w+)|([\w, ]+?)(?= =|$))", re.MULTILINE)
_STATEMENTS: Final = re.compile(r"\n+(?=(?!end\b|else|until\b|[)}])\S)")
_MADE_ONCE: Final = re.compile(r"(?:local )?(?:function |[A-Z]{2}[\w., ]* =)")


@dataclass(frozen=True, slots=True)
class _Block:
    """A file: what it shares with others, what it keeps to itself, what is made once, and what each call does."""

    shared: list[str]
    own: list[str]
    once: str
    steps: str

    def text(self, named: str, declared: Collection[str]) -> str:
        """The block, in which its steps are a function of this name; what it shares stands before it."""
        ahead = [name for name in self.shared if name not in declared]
        begin = f"function {named}()\n{self.steps}\nend" if self.steps else ""
        return "\n".join(filter(None, (_local(*ahead), "do", _local(*self.own), self.once, begin, "end")))


def composed(below: Sequence[str], rare: Sequence[str], script: str) -> str:
    """A text that ends with the function `run(keys, args)`: the script behind the files that it builds on.

    A file may use those before it, and the others the rare ones.
    """
    *usual, last = [_COMMENT.sub("", text) for text in (*below, script)]
    seldom = [_COMMENT.sub("", text) for text in rare]
    asked = _words(*usual, last)
    ahead = [name for text in seldom for name in _names(text, asked)]
    blocks = _blocks([*usual, last], _words(*seldom))
    names = [f"begin_{place}" if block.steps else "" for place, block in enumerate(blocks[:-1])]
    parts = [
        _local("KEYS", "ARGV", "begun", *(("known", "know_ties", "begin_ties", *ahead) if seldom else ())),
        _local(*filter(None, names), "main"),
        *(block.text(name, ()) for block, name in zip(blocks[:-1], names, strict=True)),
        _when_needed(_blocks(seldom, set(ahead)), ahead),
        blocks[-1].text("main", ()),
        _run(names),
    ]
    return "\n".join(filter(None, parts))


def _run(names: Sequence[str]) -> str:
    """One call. Nothing of what it was given stays when it is over."""
    begin = "\n".join(f"{name}()" for name in names if name)
    return (
        f"local function run(keys, args)\nKEYS, ARGV, begun = keys, args, false\n{begin}\n"
        "local answer = main()\nKEYS, ARGV = nil, nil\nreturn answer\nend"
    )


def _blocks(texts: Sequence[str], asked: set[str]) -> list[_Block]:
    """Each file as a block, which shares what the files after it and those who ask name."""
    return [_block(text, asked | _words(*texts[place + 1 :])) for place, text in enumerate(texts)]


def _block(text: str, asked: set[str]) -> _Block:
    shared = _names(text, asked)
    statements = _STATEMENTS.split(text.strip("\n"))
    once = [statement for statement in statements if _MADE_ONCE.match(statement)]
    steps = [statement for statement in statements if statement and not _MADE_ONCE.match(statement)]
    state = [name for statement in steps for found in _LOCAL.finditer(statement) for name in _named(found)]
    made = _LOCAL.sub(partial(_opened, shared), "\n".join(once))
    done = _LOCAL.sub(partial(_opened, [*shared, *state]), "\n".join(steps))
    return _Block(shared, [name for name in state if name not in shared], made, done)


def _opened(declared: Collection[str], found: re.Match[str]) -> str:
    """The beginning of a statement, without its `local` where what it names is declared before."""
    if not any(name in declared for name in _named(found)):
        return found[0]
    has_value = found.string.startswith(" =", found.end())
    return f"function {found[1]}" if found[1] else found[2] if has_value else f"{found[2]} = nil"


def _when_needed(blocks: Sequence[_Block], ahead: Collection[str]) -> str:
    """One function that makes what these files make, at its first call. It may see 60 names around it."""
    if not blocks:
        return ""
    names = [f"begin_rare_{place}" if block.steps else "" for place, block in enumerate(blocks)]
    texts = (block.text(name, ahead) for block, name in zip(blocks, names, strict=True))
    made = "\n".join(filter(None, (_local(*filter(None, names)), *texts)))
    begin = "\n".join(f"{name}()" for name in names if name)
    return (
        "function know_ties()\nif begun then\nreturn\nend\nbegun = true\nif not known then\nknown = true\n"
        f"{made}\nfunction begin_ties()\n{begin}\nend\nend\nbegin_ties()\nend"
    )


def _names(text: str, asked: set[str]) -> list[str]:
    """What a file names and others ask for; names that are given together are seen together."""
    statements = map(_named, _LOCAL.finditer(text))
    return [name for names in statements if not asked.isdisjoint(names) for name in names]


def _named(found: re.Match[str]) -> list[str]:
    return [found[1]] if found[1] else found[2].split(", ")


def _local(*names: str) -> str:
    return f"local {', '.join(names)}" if names else ""


def _words(*texts: str) -> set[str]:
    return set(re.findall(r"\w+", "\n".join(texts)))
