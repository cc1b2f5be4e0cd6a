"""The options of `stem worker` that say what kind of worker it is, gathered into one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from stem.cli.values import DURATION, QUEUE

if TYPE_CHECKING:
    from stem.app import Stem
    from stem.registry import Registry
    from stem.worker.worker import Worker

__all__ = ["Hiring", "hiring_options"]

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hiring:
    """The worker that was asked for."""

    queues: tuple[tuple[str, int], ...]
    concurrency: int
    min_concurrency: int | None
    max_wait: timedelta
    drain: timedelta
    middleware_limit: timedelta
    name: str | None
    children: int | None
    max_tasks_per_child: int | None
    max_memory_per_child: int | None
    """In MiB."""

    def hire(self, stem: Stem, registry: Registry) -> Worker:
        """The worker; without queues it serves those that the registry's tasks name, and `default`."""
        mib = self.max_memory_per_child
        return stem.worker(
            registry,
            queues=dict(self.queues) or _queues_of(registry),
            concurrency=self.concurrency,
            min_concurrency=self.min_concurrency,
            max_wait=self.max_wait,
            drain=self.drain,
            middleware_limit=self.middleware_limit,
            name=self.name,
            children=self.children,
            max_tasks_per_child=self.max_tasks_per_child,
            max_memory_per_child=None if mib is None else mib * _MIB,
        )


_OPTIONS: Final = (
    click.option("--queue", "-q", "queues", type=QUEUE, multiple=True, metavar="NAME[:WEIGHT]", help="Repeatable."),
    click.option("--concurrency", "-c", type=click.IntRange(1), default=100, show_default=True, help="Tasks at once."),
    click.option("--min-concurrency", type=click.IntRange(1), help="Begin with so many, and grow to -c as tasks wait."),
    click.option("--max-wait", type=DURATION, default="1s", show_default=True, help="With it: how long a task waits."),
    click.option("--drain", type=DURATION, default="25s", show_default=True, metavar="DURATION", help="For a stop."),
    click.option(
        "--middleware-limit", type=DURATION, default="30s", show_default=True, help="Before a task and after it."
    ),
    click.option("--name", help="Unique among the workers of the store. Default: from host and process."),
    click.option("--children", type=click.IntRange(1), help="Child processes for tasks that want one, at most."),
    click.option("--max-tasks-per-child", type=click.IntRange(1), metavar="N", help="Then it is replaced."),
    click.option("--max-memory-per-child", type=click.IntRange(1), metavar="MIB", help="Likewise."),
)


def hiring_options(command: Callable[..., int]) -> Callable[..., int]:
    """These options; the command gets them as `hiring`."""

    @wraps(command)
    def gathered(*words: Any, **given: Any) -> int:
        hiring = Hiring(**{field.name: given.pop(field.name) for field in fields(Hiring)})
        return command(*words, hiring=hiring, **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def _queues_of(registry: Registry) -> dict[str, int]:
    named = {binding.definition.publish_options.queue for binding in registry.bindings}
    return dict.fromkeys(sorted({"default", *named}), 1)
