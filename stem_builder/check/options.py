"""Rules about the options of the decorator: their names, their values, their key templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from string import Formatter
from typing import Final

from stem.errors import ConfigError
from stem.tasks.option_rules import PRIVATE
from stem.tasks.rates import parse_rate
from stem_builder.check.verdict import diagnose, did_you_mean
from stem_builder.diagnostics import Diagnostic
from stem_builder.model.facts import Facts, Literal, OptionFact, TaskFact

__all__ = ["DEFINITION_OPTIONS", "OPTIONS", "soft_after_hard", "wrong_option", "wrong_template"]

Check = Callable[[Literal], bool]

_KEY_TEMPLATES: Final = ("unique", "rate_limit_key", "concurrency_key")


def wrong_option(facts: Facts) -> Iterator[Diagnostic]:
    """STL114: an unknown option, one that cannot be read, or a value out of its range."""
    for task in facts.tasks:
        for option in task.options:
            yield from _judge(option)


def wrong_template(facts: Facts) -> Iterator[Diagnostic]:
    """STL115: key templates are filled from the arguments, by name."""
    for task in facts.tasks:
        for option in task.options:
            if option.name in _KEY_TEMPLATES and isinstance(option.value, str):
                yield from _judge_template(task, option, option.value)


def soft_after_hard(facts: Facts) -> Iterator[Diagnostic]:
    """STL119: the soft limit gives a handler time to clean up before the hard one ends it."""
    for task in facts.tasks:
        soft, hard = task.option("soft_time_limit"), task.option("hard_time_limit")
        if soft is None or hard is None:
            continue
        if isinstance(soft.value, timedelta) and isinstance(hard.value, timedelta) and soft.value >= hard.value:
            yield diagnose(
                "STL119",
                soft.value_place,
                "`soft_time_limit` must be shorter than `hard_time_limit`",
                note=f"{soft.value} of task `{task.name}`, whose hard limit is {hard.value}",
                help="make it shorter, or leave one of the two out",
            )


def _judge(option: OptionFact) -> Iterator[Diagnostic]:
    if option.name in ("name", "attr"):
        return
    if not option.name:
        yield _wrong(option, f"`{option.text}` cannot be read as options", "write each option by its name")
    elif option.name not in OPTIONS:
        known = {"name", "attr", *OPTIONS}
        proposal = did_you_mean(option.name, known) or f"the options are {', '.join(sorted(known))}"
        yield diagnose("STL114", option.place, f"unknown option `{option.name}`", note="no such option", help=proposal)
    elif option.known and not OPTIONS[option.name][0](option.value):
        expected = OPTIONS[option.name][1]
        yield _wrong(option, f"`{option.name}` must be {expected}", f"write {expected}")
    elif not option.known and option.name in DEFINITION_OPTIONS:
        help_ = "write a literal, a constant of a module, or `timedelta(...)`"
        yield _wrong(option, f"`{option.name}` must be known in source, found `{option.text}`", help_)


def _wrong(option: OptionFact, message: str, help_: str) -> Diagnostic:
    note = f"found `{option.text}`" if option.known else "not known before the code runs"
    return diagnose("STL114", option.value_place, message, note=note, help=help_)


def _judge_template(task: TaskFact, option: OptionFact, template: str) -> Iterator[Diagnostic]:
    names = [parameter.name for parameter in task.parameters if not parameter.is_context]
    try:
        fields = [field for _, field, _, _ in Formatter().parse(template) if field is not None]
    except ValueError as error:
        yield _template(option, f"key template `{template}` is malformed", str(error), "double a brace that is text")
        return
    for field in fields:
        root = re.split(r"[.\[]", field, maxsplit=1)[0]
        if root not in names:
            shown = f"`{root}`" if root else "an argument without a name"
            help_ = did_you_mean(root, names) or f"the arguments are {', '.join(names) or 'none'}"
            yield _template(option, f"key template names {shown}", f"`{task.name}` has no such argument", help_)


def _template(option: OptionFact, message: str, note: str, help_: str) -> Diagnostic:
    return diagnose("STL115", option.value_place, message, note=note, help=help_)


def _whole(low: int, high: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _text(value: Literal) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _queue(value: Literal) -> bool:
    return _text(value) and not str(value).startswith(PRIVATE)


def _texts(value: Literal) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


def _versions(value: Literal) -> bool:
    return isinstance(value, tuple) and all(_whole(1, 2**31)(item) for item in value)


def _duration(value: Literal) -> bool:
    return isinstance(value, timedelta) and value >= timedelta(0)


def _time_limit(value: Literal) -> bool:
    return isinstance(value, timedelta) and value > timedelta(0)


def _rate(value: Literal) -> bool:
    try:
        return isinstance(value, str) and bool(parse_rate(value))
    except ConfigError:
        return False


def _flag(value: Literal) -> bool:
    return isinstance(value, bool)


def _optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _one_of(*allowed: str) -> Check:
    return lambda value: value in allowed


_DURATION: Final = "a `timedelta(...)` of zero or more"

DEFINITION_OPTIONS: Final[Mapping[str, tuple[Check, str]]] = {
    "queue": (_queue, f"a printable name of 1 to 200 characters that does not begin with `{PRIVATE}`"),
    "priority": (_whole(0, 9), "a whole number from 0 to 9, higher first"),
    "max_retries": (_whole(0, 10_000), "a whole number from 0 to 10000"),
    "expires": (_optional(_duration), f"{_DURATION}, or `None`"),
    "unique": (lambda value: isinstance(value, (bool, str)), "`True`, `False` or a key template"),
    "unique_for": (_optional(_duration), f"{_DURATION}, or `None`"),
    "rate_limit_key": (_optional(_text), "a key template, or `None`"),
    "concurrency_key": (_optional(_text), "a key template, or `None`"),
    "result_ttl": (_duration, _DURATION),
    "ignore_result": (_flag, "`True` or `False`"),
    "broadcast": (_flag, "`True` or `False`"),
    "version": (_whole(1, 2**31), "a whole number from 1"),
    "tags": (_texts, "a tuple of strings"),
    "description": (_optional(lambda value: isinstance(value, str)), "a string, or `None`"),
}
"""What is written into the definition: name -> (check, what is expected)."""

_REGISTRY_OPTIONS: Final[Mapping[str, tuple[Check, str]]] = {
    "retry": (lambda value: False, "a `Retry(...)`"),
    "rate_limit": (
        _optional(_rate),
        'a rate such as "10/s", "100/m" or "1000/h", or `None`',
    ),
    "concurrency": (_optional(_whole(1, 2**31)), "a whole number from 1, or `None`"),
    "soft_time_limit": (_optional(_time_limit), "a duration longer than zero, or `None`"),
    "hard_time_limit": (_optional(_time_limit), "a duration longer than zero, or `None`"),
    "lease": (lambda value: isinstance(value, timedelta) and value >= timedelta(seconds=1), "one second or more"),
    "run_in": (_one_of("auto", "loop", "thread", "process"), '"auto", "loop", "thread" or "process"'),
    "ack": (_one_of("late", "early"), '"late" or "early"'),
    "accepts": (_versions, "a tuple of older versions"),
    "aliases": (_texts, "a tuple of old names"),
    "idempotent": (_flag, "`True` or `False`"),
}

OPTIONS: Final[Mapping[str, tuple[Check, str]]] = {**DEFINITION_OPTIONS, **_REGISTRY_OPTIONS}
"""Every option but `name` and `attr`; those of the registry may be computed, and are judged only when literal."""
