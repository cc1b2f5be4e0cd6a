"""How answers are printed: a table for people, tabs for pipes, JSON for programs; talk goes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

__all__ = ["Output"]


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how a command prints. `as_json` says that stdout holds one JSON document and nothing else."""

    as_json: bool = False

    def rows(self, name: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]], **extra: object) -> None:
        """A list of records; in JSON an object with the list under `name` and the extra fields beside it."""
        if self.as_json:
            self.document({name: list(rows), **extra})
        elif not rows:
            self.talk(f"no {name}")
        elif sys.stdout.isatty():
            _table(columns, rows)
        else:
            click.echo("\t".join(columns))
            for row in rows:
                click.echo("\t".join(_plain(row.get(column)) for column in columns))

    def record(self, record: Mapping[str, object]) -> None:
        """One record; for people a line for each field that has a value."""
        if self.as_json:
            self.document(record)
            return
        shown = {name: value for name, value in record.items() if value not in (None, "", [], {})}
        width = max(map(len, shown), default=0)
        for name, value in shown.items():
            click.echo(f"{name:<{width}}  {_indented(value, width + 2)}")

    def document(self, document: object) -> None:
        """One JSON document on stdout."""
        click.echo(json.dumps(document, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None, default=str))

    def value(self, value: object) -> None:
        """A bare value, such as a result: always JSON, because a result is data."""
        self.document(value)

    def talk(self, message: str) -> None:
        """Something for the person who watches; never data."""
        click.echo(message, err=True)


def _plain(value: object) -> str:
    """A value in one field of a line; control characters of hostile text never reach the terminal as such."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return "".join(char if char.isprintable() else " " for char in text)


def _indented(value: object, width: int) -> str:
    if not isinstance(value, str):
        return _plain(value)
    lines = [_plain(line) for line in value.splitlines()] or [""]
    return ("\n" + " " * width).join(lines)


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """A table as wide as the terminal; a column in which nothing stands is left out."""
    from rich.console import Console
    from rich.table import Table

    shown = [column for column in columns if any(row.get(column) not in (None, "", 0) for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in shown:
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for row in rows:
        table.add_row(*(_escaped(row.get(column)) for column in shown))
    Console().print(table)


def _escaped(value: object) -> str:
    from rich.markup import escape

    return escape(_plain(value))
