"""What the benchmarks share: repetition, medians, a table with ratios, one line of JSON."""

from __future__ import annotations

import json
import platform
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from statistics import median

__all__ = ["HERE", "Row", "medians", "print_report"]

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing. `target` is what the project asks of itself, in words; `base` is what it is compared with."""

    name: str
    value: float
    unit: str
    base: float | None = None
    target: str = ""

    @property
    def ratio(self) -> str:
        """How many times the base it is."""
        return f"{self.value / self.base:.2f}x" if self.base else ""


def medians(repetitions: int, *measures: Callable[[], Mapping[str, float]]) -> dict[str, float]:
    """The median of each number over all repetitions; the measures take turns, so that a busy machine hits them all."""
    seen: dict[str, list[float]] = {}
    for _ in range(repetitions):
        for measure in measures:
            for name, value in measure().items():
                seen.setdefault(name, []).append(value)
    return {name: median(values) for name, values in seen.items()}


def print_report(name: str, compared_with: str, rows: Sequence[Row]) -> None:
    """A table for people, then one line of JSON that says on what it was measured."""
    widest = max(len(row.name) for row in rows)
    print(f"{name:<{widest}}  {'':>15}  {compared_with and 'of ' + compared_with:>12}  target")
    for row in rows:
        print(f"{row.name:<{widest}}  {row.value:>10,.1f} {row.unit:<4}  {row.ratio:>12}  {row.target}".rstrip())
    numbers = {row.name: {"value": round(row.value, 3), "unit": row.unit, "ratio": row.ratio} for row in rows}
    print(json.dumps({"benchmark": name, "numbers": numbers, "machine": _machine()}))


def _machine() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cores": cpu_count(),
        "system": platform.system(),
    }
