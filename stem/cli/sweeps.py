"""Commands that do something to many tasks: choose, ask, do, report; the same for all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import click

from stem.cli.exits import Exit, exit_of, lines_of
from stem.cli.output import Output
from stem.client.operate import Sweep

__all__ = ["agreed", "many_options", "progress", "report"]

_SHOWN: Final = 20
_WORTH_A_BAR: Final = 1_000
F = TypeVar("F", bound=Callable[..., Any])


def many_options(command: F) -> F:
    """`--limit`, `--dry-run`, `--yes`."""
    for option in (
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Only say how many it would be."),
        click.option("--limit", type=click.IntRange(1), help="At most so many, the newest first."),
    ):
        command = option(command)
    return command


def agreed(question: str, count: int, output: Output, *, yes: bool) -> bool:
    """Whether it may be done: nothing to do, `--yes`, or a yes at the terminal; nobody at a terminal is a no."""
    if not count or yes or (sys.stdin.isatty() and click.confirm(f"{question}?", err=True)):
        return True
    output.talk(f"refused: {question}; say so with --yes")
    return False


@contextmanager
def progress(label: str, total: int) -> Generator[Callable[[int, int], None]]:
    """A bar on stderr for what takes long, fed by what it yields."""
    with click.progressbar(length=total, label=label, file=sys.stderr, hidden=total < _WORTH_A_BAR) as bar:
        yield lambda done, _: bar.update(done - bar.pos)


def report(output: Output, done: str, sweep: Sweep) -> Exit:
    """Print what happened; the exit code of the first error."""
    if output.as_json:
        refused = [{"id": id_, "code": error.code, "found": error.found} for id_, error in sweep.refused.items()]
        output.document({done: list(sweep.ids), "refused": refused})
    else:
        output.record({done: len(sweep.ids)})
        errors = list(sweep.refused.values())
        output.talk("\n".join(line for error in errors[:_SHOWN] for line in lines_of(error)))
        if len(errors) > _SHOWN:
            output.talk(f"and {len(errors) - _SHOWN} more")
    return next(map(exit_of, sweep.refused.values()), Exit.OK)
