"""The options of a task: what each may be, its default, and the one merge of all layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from typing_extensions import TypedDict

from stem.clock import Micros, to_micros
from stem.errors import ConfigError
from stem.tasks.option_rules import HANDLER_RULES, RULES
from stem.tasks.retry import Backoff, Retry

__all__ = [
    "UNSET",
    "Ack",
    "DefinitionOptions",
    "EnqueueOptions",
    "HandlerOptions",
    "JsonValue",
    "PublishOptions",
    "RunIn",
    "Travelling",
    "Unset",
    "merge_options",
]

RunIn: TypeAlias = Literal["auto", "loop", "thread", "process"]
Ack: TypeAlias = Literal["late", "early"]
JsonValue: TypeAlias = "str | int | float | bool | None | list[JsonValue] | dict[str, JsonValue]"


class Unset(Enum):
    """The type of `UNSET`: an option that was not given, which is not the same as `None`."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


class DefinitionOptions(TypedDict, total=False):
    """Options fixed at the producer; they travel with the task."""

    queue: str
    priority: int
    max_retries: int
    expires: timedelta | None
    unique: bool | str
    unique_for: timedelta | None
    rate_limit_key: str | None
    concurrency_key: str | None
    result_ttl: timedelta
    ignore_result: bool
    broadcast: bool
    tags: tuple[str, ...]
    description: str | None


class EnqueueOptions(DefinitionOptions, total=False):
    """What `.options(...)` takes: every definition option, and what belongs to one call."""

    delay: timedelta
    eta: datetime
    unique_key: str
    on_duplicate: Literal["existing", "raise"]
    headers: Mapping[str, str]
    meta: Mapping[str, JsonValue]
    task_id: str
    wait_timeout: timedelta
    retry: Retry


class Travelling(NamedTuple):
    """What a message brings of its options, in the order of an envelope; durations in microseconds."""

    queue: str
    priority: int
    max_retries: int
    expires: Micros | None
    result_ttl: Micros
    ignore_result: bool
    retry: Backoff | None
    headers: Mapping[str, str]
    meta: Mapping[str, JsonValue]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class PublishOptions:
    """All layers merged: every option has its value, and each value was checked."""

    queue: str = "default"
    priority: int = 0
    max_retries: int = 3
    expires: timedelta | None = None
    unique: bool | str = False
    unique_for: timedelta | None = None
    rate_limit_key: str | None = None
    concurrency_key: str | None = None
    result_ttl: timedelta = timedelta(days=1)
    ignore_result: bool = False
    broadcast: bool = False
    tags: tuple[str, ...] = ()
    description: str | None = None
    delay: timedelta = timedelta(0)
    eta: datetime | None = None
    unique_key: str | None = None
    on_duplicate: Literal["existing", "raise"] = "existing"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    meta: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    task_id: str | None = None
    wait_timeout: timedelta | None = None
    retry: Retry | None = None

    def __post_init__(self) -> None:
        for name, (holds, expected) in RULES.items():
            value = getattr(self, name)
            if not holds(value):
                raise _wrong(name, expected, value)
        if self.eta is not None and self.delay:
            raise _wrong("eta", "alone, without `delay`", self.eta)

    @cached_property
    def due(self) -> tuple[Micros, Micros | None]:
        """`delay` and `eta` in microseconds; reckoned once, since most calls have the options of their definition."""
        return to_micros(self.delay), None if self.eta is None else to_micros(self.eta)

    @cached_property
    def travelling(self) -> Travelling:
        """What goes into the envelope; reckoned once, too."""
        return Travelling(
            queue=self.queue,
            priority=self.priority,
            max_retries=self.max_retries,
            expires=None if self.expires is None else to_micros(self.expires),
            result_ttl=to_micros(self.result_ttl),
            ignore_result=self.ignore_result,
            retry=None if self.retry is None else self.retry.backoff,
            headers=self.headers,
            meta=self.meta,
            tags=self.tags,
        )


@dataclass(frozen=True, slots=True)
class HandlerOptions:
    """Options read from the handler's decorator by the worker; they never travel."""

    retry: Retry = Retry()
    rate_limit: str | None = None
    concurrency: int | None = None
    soft_time_limit: timedelta | None = None
    hard_time_limit: timedelta | None = None
    lease: timedelta = timedelta(seconds=10)
    run_in: RunIn = "auto"
    ack: Ack = "late"
    accepts: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()
    idempotent: bool = False
    attr: str | None = None

    def __post_init__(self) -> None:
        for name, (holds, expected) in HANDLER_RULES.items():
            value = getattr(self, name)
            if not holds(value):
                raise _wrong(name, expected, value)
        soft, hard = self.soft_time_limit, self.hard_time_limit
        if soft is not None and hard is not None and soft >= hard:
            raise _wrong("soft_time_limit", f"shorter than `hard_time_limit`, which is {hard}", soft)


def merge_options(*layers: EnqueueOptions) -> PublishOptions:
    """One value from all layers, the lowest first; a layer overrides only what it gives.

    Raises `ConfigError` for a name that is no option and for a value that does not fit.
    """
    given: dict[str, Any] = {}
    for layer in layers:
        given.update(layer)
    unknown = sorted(given.keys() - _NAMES)
    if unknown:
        raise ConfigError(
            expected=f"options among {', '.join(sorted(_NAMES))}",
            found=f"`{unknown[0]}`",
            do="Correct the name in .options(...) or in the decorator.",
        )
    return replace(_BUILT_IN, **given)


def _wrong(name: str, expected: str, value: object) -> ConfigError:
    return ConfigError(
        expected=f"option `{name}` to be {expected}",
        found=repr(value),
        do=f"Correct `{name}` in .options(...) or in the decorator.",
    )


_BUILT_IN: Final = PublishOptions()
_NAMES: Final = frozenset(option.name for option in fields(PublishOptions))
