"""What each option of a task may be: a predicate and its words, checked once when the layers are merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, cast

from stem.tasks.retry import Retry

__all__ = ["ANNOUNCED", "HANDLER_RULES", "NAME_RULE", "PRIVATE", "RULES"]

Rule = tuple[Callable[[object], bool], str]

ANNOUNCED: Final = "broadcast:"
"""Stands before the name of a task in the message that is to be copied for every worker."""
PRIVATE: Final = "worker:"
"""Stands before the name of a worker in that of the queue which only this worker serves."""
_LONGEST_NAME: Final = 200


def _name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def _name_without(prefix: str) -> Callable[[object], bool]:
    return lambda value: _name(value) and not cast("str", value).startswith(prefix)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _duration(value: object) -> bool:
    return isinstance(value, timedelta) and value >= timedelta(0)


def _time_limit(value: object) -> bool:
    return isinstance(value, timedelta) and value > timedelta(0)


def _aware(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


def _strings(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in cast("tuple[object, ...]", value))


def _headers(value: object) -> bool:
    return _keyed(value) and all(isinstance(item, str) for item in cast("Mapping[str, object]", value).values())


def _keyed(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in cast("Mapping[object, object]", value))


def _whole(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _or_none(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or holds(value)


def _text(value: object) -> bool:
    return isinstance(value, str)


def _each(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, tuple) and all(map(holds, cast("tuple[object, ...]", value)))


def _one_of(*allowed: str) -> Rule:
    return lambda value: value in allowed, f"one of {', '.join(allowed)}"


NAME_RULE: Final[Rule] = (
    _or_none(_name_without(ANNOUNCED)),
    f"1 to 200 printable characters that do not begin with `{ANNOUNCED}`",
)

HANDLER_RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "retry": (lambda value: isinstance(value, Retry), "a Retry(...)"),
        "rate_limit": (_or_none(_text), "a text such as '100/m', or None"),
        "concurrency": (_or_none(_whole(1, 1_000_000_000)), "1 or more, or None"),
        "soft_time_limit": (_or_none(_time_limit), "a timedelta longer than zero, or None"),
        "hard_time_limit": (_or_none(_time_limit), "a timedelta longer than zero, or None"),
        "lease": (
            lambda value: isinstance(value, timedelta) and value >= timedelta(seconds=1),
            "a timedelta of one second or more",
        ),
        "run_in": _one_of("auto", "loop", "thread", "process"),
        "ack": _one_of("late", "early"),
        "accepts": (_each(_whole(0, 1_000_000_000)), "a tuple of version numbers"),
        "aliases": (_each(_name_without(ANNOUNCED)), f"a tuple of printable names, none with `{ANNOUNCED}` before it"),
        "idempotent": (_flag, "True or False"),
        "attr": (_or_none(lambda value: isinstance(value, str) and value.isidentifier()), "an identifier, or None"),
    }
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "queue": (
            _name_without(PRIVATE),
            f"a printable name of 1 to 200 characters that does not begin with `{PRIVATE}`",
        ),
        "priority": (_whole(0, 9), "a whole number from 0 to 9, higher first"),
        "max_retries": (_whole(0, 10_000), "a whole number from 0 to 10000"),
        "expires": (_or_none(_duration), "a timedelta of zero or more, or None"),
        "unique": (lambda value: _flag(value) or _text(value), "True, False or a key template"),
        "unique_for": (_or_none(_duration), "a timedelta of zero or more, or None"),
        "rate_limit_key": (_or_none(_text), "a key template, or None"),
        "concurrency_key": (_or_none(_text), "a key template, or None"),
        "result_ttl": (_duration, "a timedelta of zero or more"),
        "ignore_result": (_flag, "True or False"),
        "broadcast": (_flag, "True or False"),
        "tags": (_strings, "a tuple of strings"),
        "description": (_or_none(_text), "a text, or None"),
        "delay": (_duration, "a timedelta of zero or more"),
        "eta": (_or_none(_aware), "an aware datetime"),
        "on_duplicate": (lambda value: value in ("existing", "raise"), "'existing' or 'raise'"),
        "headers": (_headers, "a mapping of strings to strings"),
        "meta": (_keyed, "a mapping with string keys"),
        "unique_key": (_or_none(_name), "1 to 200 printable characters"),
        "task_id": (_or_none(_name), "1 to 200 printable characters"),
        "wait_timeout": (_or_none(_duration), "a timedelta of zero or more, or None"),
        "retry": (_or_none(lambda value: isinstance(value, Retry)), "a Retry(...)"),
    }
)
