"""The rules, as frozen values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from stem.errors import ConfigError
from stem.tasks.keys import refuse_templates
from stem.tasks.options import DefinitionOptions, EnqueueOptions

__all__ = ["BUILT_IN_QUEUE", "QueueRules", "Route", "Routing"]

BUILT_IN_QUEUE: Final = "default"
"""The queue of a task for which nobody chose one."""
_HIGHEST: Final = 9
_SELECTORS: Final = ("task", "tags", "headers", "from_queue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where tasks go for which all of this holds; what is left out holds for every task.

    `task`: globs, one of which fits the whole name (`*` also over dots). `tags`: all of them are the task's. `headers`:
    all of them have these values. `from_queue`: the queue that was asked for. The task goes to `queue`, with `priority`
    where that is given; with `broadcast` to every live worker of its queue, or, where that is false, to one.
    """

    queue: str | None = None
    priority: int | None = None
    broadcast: bool | None = None
    task: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    from_queue: str | None = None

    def __post_init__(self) -> None:
        if self.queue is None and self.priority is None and self.broadcast is None:
            raise _wrong("a route to say a `queue`, a `priority` or `broadcast`", "none", "Say where the tasks go.")
        if not any(getattr(self, name) for name in _SELECTORS):
            raise _wrong(
                "a route that chooses tasks by `task`, `tags`, `headers` or `from_queue`",
                "one that takes all",
                'Say `default_queue`, or task=("*",) if every task is meant.',
            )
        if self.priority is not None and not 0 <= self.priority <= _HIGHEST:
            raise _wrong("a route's `priority` from 0 to 9", repr(self.priority), "Correct it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRules:
    """What holds for one queue: other names for it, the priorities it knows, and options of tasks that go there.

    A priority outside of `priorities` becomes the nearest one inside. `defaults` are below those of a definition and
    above those of the `Stem`.
    """

    aliases: tuple[str, ...] = ()
    priorities: tuple[int, int] = (0, _HIGHEST)
    defaults: DefinitionOptions = field(default_factory=DefinitionOptions)

    def __post_init__(self) -> None:
        low, high = self.priorities
        if not 0 <= low <= high <= _HIGHEST:
            raise _wrong(
                "`priorities` of a queue from a lower to a higher one of 0 to 9", f"{low} to {high}", "Correct it."
            )
        if "queue" in self.defaults:
            raise _wrong("`defaults` of a queue without `queue`", "`queue`", "Say where tasks go in a route.")
        refuse_templates(cast("EnqueueOptions", self.defaults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """All rules of an application. The first route that fits decides; without one the task's own queue does.

    `default_queue` stands for the queue `default`. Where `queues` are named, a route and `default_queue` may only lead
    to one of them, by its name or an alias. A queue that a task asks for itself need not be among them.
    """

    routes: tuple[Route, ...] = ()
    queues: Mapping[str, QueueRules] = field(default_factory=dict[str, QueueRules])
    default_queue: str = BUILT_IN_QUEUE

    def __post_init__(self) -> None:
        names = self.names
        for target in (self.default_queue, *(route.queue for route in self.routes)):
            if target is not None and self.queues and target not in names:
                raise unknown_queue(target, self.queues)

    @property
    def names(self) -> Mapping[str, str]:
        """From each name and alias of a queue to its name. Raises `ConfigError` for a name that two queues have."""
        found: dict[str, str] = {}
        for name, queue in _all_names(self.queues):
            if found.setdefault(name, queue) != queue:
                raise _wrong("each name and alias to be of one queue", f"'{name}' of two", "Rename one.")
        found.setdefault(BUILT_IN_QUEUE, found.get(self.default_queue, self.default_queue))
        return found


def unknown_queue(target: str, queues: Mapping[str, QueueRules]) -> ConfigError:
    """The error of a rule that leads to a queue which is not named."""
    known = ", ".join(sorted(name for name, _ in _all_names(queues)))
    return _wrong(f"a queue among {known}", f"'{target}'", "Correct the name, or name the queue under `queues`.")


def _all_names(queues: Mapping[str, QueueRules]) -> Iterator[tuple[str, str]]:
    for queue, rules in queues.items():
        yield queue, queue
        yield from ((alias, queue) for alias in rules.aliases)


def _wrong(expected: str, found: str, do: str) -> ConfigError:
    return ConfigError(expected=expected, found=found, do=do)
