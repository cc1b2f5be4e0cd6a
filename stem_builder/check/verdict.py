"""The one way to make a diagnostic: the severity comes from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches

from stem_builder.check.catalogue import CATALOGUE
from stem_builder.diagnostics import Diagnostic, Severity
from stem_builder.model import Place

__all__ = ["Suppressions", "apply_suppressions", "diagnose", "did_you_mean", "warn"]

Suppressions = Mapping[tuple[str, int], Mapping[str, Place]]
"""(path, line) -> the codes that a comment on this line names, each with its place."""


def diagnose(code: str, place: Place | None, message: str, *, note: str = "", help: str = "") -> Diagnostic:  # noqa: A002 - the word that is printed
    """One problem under a rule of the catalogue; raises `KeyError` for a code that has no entry."""
    return Diagnostic(code, CATALOGUE[code].severity, place, message, note, help)


def warn(found: Diagnostic) -> Diagnostic:
    """The same problem as a warning, for the milder case of a rule."""
    return replace(found, severity=Severity.WARNING)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that proposes the closest known name, or the empty string."""
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""


def apply_suppressions(found: Iterable[Diagnostic], suppressions: Suppressions) -> tuple[Diagnostic, ...]:
    """What remains after `# stem: noqa[...]`, with one STL900 for each suppression that hid nothing."""
    used: set[tuple[str, int, str]] = set()
    kept = [one for one in found if not _hidden(one, suppressions, used)]
    for (path, line), codes in sorted(suppressions.items()):
        kept.extend(_unused(code, place) for code, place in codes.items() if (path, line, code) not in used)
    return tuple(kept)


def _hidden(found: Diagnostic, suppressions: Suppressions, used: set[tuple[str, int, str]]) -> bool:
    if found.place is None or not _yields(found.rule):
        return False
    for line in {found.place.line, found.place.end_line}:
        if found.rule in suppressions.get((found.place.path, line), {}):
            used.add((found.place.path, line, found.rule))
            return True
    return False


def _yields(code: str) -> bool:
    return code in CATALOGUE and CATALOGUE[code].suppressible


def _unused(code: str, place: Place) -> Diagnostic:
    if code not in CATALOGUE:
        note = did_you_mean(code, CATALOGUE) or "there is no such rule"
    else:
        note = "nothing here breaks this rule" if _yields(code) else "this rule cannot be suppressed"
    return diagnose("STL900", place, f"unused suppression of {code}", note=note, help="remove it")
