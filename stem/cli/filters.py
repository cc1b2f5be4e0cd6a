"""The options by which listings choose, and the filter that they make."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import click

from stem.cli.values import DURATION
from stem.clock import Micros, to_micros
from stem.contracts.queries import TaskFilter
from stem.tasks.state import TaskState

__all__ = ["filter_options", "paging_options", "state_option", "task_filter"]

F = TypeVar("F", bound=Callable[..., Any])


def filter_options(command: F) -> F:
    """`--queue`, `--name`, `--root`, `--worker`, `--tag`, `--since`."""
    for option in (
        click.option("--since", type=DURATION, metavar="DURATION", help="Only those published within this time."),
        click.option("--tag", help="Only those with this tag."),
        click.option("--worker", help="Only those that this worker has or had."),
        click.option("--root", metavar="ID", help="Only the lineage of this task or batch."),
        click.option("--name", help="Only tasks of this name."),
        click.option("--queue", "-q", help="Only those in this queue."),
    ):
        command = option(command)
    return command


def state_option(command: F) -> F:
    """`--state`, which may be repeated."""
    states = click.Choice([state.value for state in TaskState])
    return click.option("--state", "states", type=states, multiple=True, help="Only these states; repeatable.")(command)


def paging_options(command: F) -> F:
    """`--limit` and `--after`."""
    after = click.option("--after", metavar="CURSOR", help="Go on after this cursor, from the listing before.")
    limit = click.option(
        "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many."
    )
    return limit(after(command))


def task_filter(
    *,
    states: Sequence[str] = (),
    queue: str | None = None,
    name: str | None = None,
    root: str | None = None,
    worker: str | None = None,
    tag: str | None = None,
    since: timedelta | None = None,
    dead: bool = False,
) -> TaskFilter:
    """The filter of a command's options; `since` counts back from now."""
    return TaskFilter(
        states=frozenset(map(TaskState, states)) or None,
        queue=queue,
        name=name,
        root=root,
        worker=worker,
        tag=tag,
        since=None if since is None else _now() - to_micros(since),
        dead=dead,
    )


def _now() -> Micros:
    return time.time_ns() // 1_000
