"""Reads the documentation's pages: their fences, what is to happen with each, and their links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_FENCE = re.compile(
    r"(?:<!-- (?P<note>[^>]*?) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code: its language, its text, the line it begins on, and what the page says is to happen with it."""

    language: str
    text: str
    line: int
    note: str = ""

    @property
    def file(self) -> str | None:
        """The file that the block is the content of, if it is one."""
        return self.note.removeprefix("file: ") if self.note.startswith("file: ") else None

    @property
    def runs(self) -> bool:
        """Whether the block is a program or a session, and not only something to look at."""
        return self.note != "shown" and self.file is None and self.language in {"python", "console"}


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a session and the output that the page shows for it; without any, the output is not compared."""

    line: str
    output: str

    @property
    def in_background(self) -> bool:
        return self.line.endswith("&")


def fences(page: str) -> list[Fence]:
    """The page's blocks, in order."""
    return [
        Fence(found["language"], found["text"], page.count("\n", 0, found.start()) + 1, found["note"] or "")
        for found in _FENCE.finditer(page)
    ]


def commands(session: str) -> Iterator[Command]:
    """The commands of a console block: the lines after `$ `, each with the lines up to the next one."""
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        yield Command(line.strip(), output.strip())


def matches(shown: str, found: str) -> bool:
    """Whether the output is the one shown; `…` in the page stands for any text."""
    pattern = ".*?".join(re.escape(piece) for piece in shown.strip().split("…"))
    return re.fullmatch(pattern, found.strip(), re.DOTALL) is not None


def links(page: str) -> list[str]:
    """The targets of the page's links."""
    return [found["target"] for found in _LINK.finditer(page)]


def anchors(page: str) -> set[str]:
    """The names under which the page's headings can be linked to."""
    titles = (re.sub(r"[^\w\- ]", "", found["title"].lower()) for found in _HEADING.finditer(page))
    return {title.strip().replace(" ", "-") for title in titles}
