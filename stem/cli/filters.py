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

__all__ = ["choice_options", "filter_options", "paging_options", "state_option", "task_filter"]

F = TypeVar("F", bound=Callable[..., Any])


def filter_options(command: F) -> F:
    """`--queue`, and what `choice_options` adds."""
    return click.option("--queue", "-q", help="Only those in this queue.")(choice_options(command))


def choice_options(command: F) -> F:
    """`--name`, `--root`, `--group`, `--worker`, `--tag`, `--since`, `--ended-since`."""
    for option in (
        click.option(
            "--ended-since", type=DURATION, metavar="DURATION", help="Only those that ended within this time."
        ),
        click.option("--since", type=DURATION, metavar="DURATION", help="Only those published within this time."),
        click.option("--tag", help="Only those with this tag."),
        click.option("--worker", help="Only those that this worker has or had."),
        click.option("--group", metavar="ID", help="Only members of this group."),
        click.option("--root", metavar="ID", help="Only the lineage of this task or batch."),
        click.option("--name", help="Only tasks of this name."),
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
    group: str | None = None,
    since: timedelta | None = None,
    ended_since: timedelta | None = None,
    dead: bool = False,
) -> TaskFilter:
    """The filter of a command's options; `since` and `ended_since` count back from now."""
    return TaskFilter(
        states=frozenset(map(TaskState, states)) or None,
        queue=queue,
        name=name,
        root=root,
        worker=worker,
        tag=tag,
        group=group,
        since=_ago(since),
        ended_since=_ago(ended_since),
        dead=dead,
    )


def _ago(duration: timedelta | None) -> Micros | None:
    return None if duration is None else time.time_ns() // 1_000 - to_micros(duration)
