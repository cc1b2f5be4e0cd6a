"""The decorator for handlers: it returns the function itself, with a mark that stem-build and workers read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Final, TypeVar, cast, overload

from stem.errors import ConfigError
from stem.tasks.option_rules import NAME_RULE
from stem.tasks.options import UNSET, Ack, EnqueueOptions, HandlerOptions, RunIn, Unset, merge_options
from stem.tasks.retry import Retry

__all__ = ["TaskMark", "mark_of", "task"]

F = TypeVar("F", bound=Callable[..., object])

_ATTRIBUTE: Final = "__stem_task__"
_HANDLER_OPTIONS: Final = frozenset(option.name for option in fields(HandlerOptions))


@dataclass(frozen=True, slots=True)
class TaskMark:
    """What `@task(...)` was given."""

    name: str | None = None
    version: int = 1
    definition: EnqueueOptions = field(default_factory=EnqueueOptions)
    handler: HandlerOptions = field(default_factory=HandlerOptions)


@overload
def task(handler: F, /) -> F: ...
@overload
def task(
    *,
    name: str | Unset = UNSET,
    version: int | Unset = UNSET,
    queue: str | Unset = UNSET,
    priority: int | Unset = UNSET,
    max_retries: int | Unset = UNSET,
    expires: timedelta | None | Unset = UNSET,
    unique: bool | str | Unset = UNSET,
    unique_for: timedelta | None | Unset = UNSET,
    rate_limit_key: str | None | Unset = UNSET,
    concurrency_key: str | None | Unset = UNSET,
    result_ttl: timedelta | Unset = UNSET,
    ignore_result: bool | Unset = UNSET,
    broadcast: bool | Unset = UNSET,
    tags: tuple[str, ...] | Unset = UNSET,
    description: str | None | Unset = UNSET,
    retry: Retry | Unset = UNSET,
    rate_limit: str | None | Unset = UNSET,
    concurrency: int | None | Unset = UNSET,
    soft_time_limit: timedelta | None | Unset = UNSET,
    hard_time_limit: timedelta | None | Unset = UNSET,
    lease: timedelta | Unset = UNSET,
    run_in: RunIn | Unset = UNSET,
    ack: Ack | Unset = UNSET,
    accepts: tuple[int, ...] | Unset = UNSET,
    aliases: tuple[str, ...] | Unset = UNSET,
    idempotent: bool | Unset = UNSET,
    attr: str | None | Unset = UNSET,
) -> Callable[[F], F]: ...
def task(handler: F | None = None, /, **options: object) -> F | Callable[[F], F]:
    """Mark a function as a task. The function itself is returned, so a unit test just calls it.

    Definition options travel with the task; the others are read by the worker. Raises `ConfigError` for a value
    that does not fit. The name defaults to "<package>.<function>".
    """
    mark = _mark({name: value for name, value in options.items() if value is not UNSET})

    def decorate(function: F) -> F:
        setattr(function, _ATTRIBUTE, mark)
        return function

    return decorate if handler is None else decorate(handler)


def mark_of(handler: object) -> TaskMark | None:
    """The mark of a decorated function."""
    mark: object = getattr(handler, _ATTRIBUTE, None)
    return mark if isinstance(mark, TaskMark) else None


def _mark(given: dict[str, Any]) -> TaskMark:
    name = given.pop("name", None)
    version = given.pop("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ConfigError(expected="`version` to be 1 or more", found=repr(version), do="Correct it in the decorator.")
    holds, expected = NAME_RULE
    if not holds(name):
        raise ConfigError(expected=f"`name` to be {expected}", found=repr(name), do="Correct it in the decorator.")
    handler = HandlerOptions(**{key: given.pop(key) for key in list(given) if key in _HANDLER_OPTIONS})
    layer = cast("EnqueueOptions", given)
    merge_options(layer)
    return TaskMark(name, version, layer, handler)
