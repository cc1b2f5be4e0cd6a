"""What a rule says about the user's source, and how it is shown: for people, for one line, for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from stem_builder.model import Place

__all__ = ["Diagnostic", "Format", "Severity", "has_errors", "ordered", "project_lines", "render", "summary"]

Lines = Callable[[str], Sequence[str]]
"""Gives the source lines of a file named by its path relative to the project; nothing when it cannot be read."""


class Severity(Enum):
    """An error stops the build before anything is written; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Format(Enum):
    """How diagnostics are printed."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: `message` is the headline, `note` stands at the caret, `help` says what to do."""

    rule: str
    severity: Severity
    place: Place | None
    message: str
    note: str = ""
    help: str = ""


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The same problems, each once, by file, line, column and rule: the same source gives the same text."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=_order))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether anything here forbids writing output."""
    return any(found.severity is Severity.ERROR for found in diagnostics)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """One line that counts: "2 errors, 1 warning", or "no problems"."""
    counts = Counter(found.severity.value for found in diagnostics)
    parts = [f"{counts[kind]} {kind}{'s' if counts[kind] > 1 else ''}" for kind in ("error", "warning") if counts[kind]]
    return ", ".join(parts) or "no problems"


def project_lines(project: Path) -> Lines:
    """A reader of source lines below `project` that reads each file once; an unreadable file has no lines."""
    cache: dict[str, Sequence[str]] = {}

    def lines(path: str) -> Sequence[str]:
        if path not in cache:
            cache[path] = _read_lines(project / path)
        return cache[path]

    return lines


def render(diagnostics: Iterable[Diagnostic], *, form: Format, lines: Lines) -> str:
    """All problems as text in a stable order, ending in a newline; the empty string for none (JSON: an empty list)."""
    found = ordered(diagnostics)
    if form is Format.JSON:
        return json.dumps([_as_data(one) for one in found], indent=2, ensure_ascii=False) + "\n"
    if form is Format.CONCISE:
        return "".join(_concise(one) + "\n" for one in found)
    return "\n".join(_full(one, lines) + "\n" for one in found)


def _order(found: Diagnostic) -> tuple[str, int, int, str, str]:
    place = found.place or Place("", 0, 0, 0, 0)
    return (place.path, place.line, place.column, found.rule, found.message)


def _read_lines(path: Path) -> Sequence[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()


def _concise(found: Diagnostic) -> str:
    where = f"{found.place.path}:{found.place.line}:{found.place.column}: " if found.place else ""
    return f"{where}{found.severity.value}[{found.rule}]: {found.message}"


def _full(found: Diagnostic, lines: Lines) -> str:
    rows = [f"{found.severity.value}[{found.rule}]: {found.message}"]
    if found.place is not None:
        rows.append(f"  --> {found.place.path}:{found.place.line}:{found.place.column}")
        rows.extend(_excerpt(found.place, found.note, lines(found.place.path)))
    elif found.note:
        rows.append(f"   = note: {found.note}")
    if found.help:
        rows.append(f"   = help: {found.help}")
    return "\n".join(rows)


def _excerpt(place: Place, note: str, lines: Sequence[str]) -> list[str]:
    if not 1 <= place.line <= len(lines):
        return [f"   = note: {note}"] if note else []
    source = lines[place.line - 1]
    end = place.end_column if place.end_line == place.line else len(source) + 1
    margin = str(place.line)
    lead = "".join("\t" if char == "\t" else " " for char in source[: place.column - 1])
    carets = "^" * max(1, end - place.column)
    return [f"{margin} | {source}", f"{' ' * len(margin)} | {lead}{carets} {note}".rstrip()]


def _as_data(found: Diagnostic) -> dict[str, str | int | None]:
    place = found.place
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "path": place.path if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "end_line": place.end_line if place else None,
        "end_column": place.end_column if place else None,
        "message": found.message,
        "note": found.note,
        "help": found.help,
    }
