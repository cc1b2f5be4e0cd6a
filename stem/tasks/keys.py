"""The keys of a call: what it is unique by, and whose allowances it uses; filled in from its arguments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from stem.errors import ConfigError
from stem.tasks.call import TaskCall
from stem.tasks.option_rules import NAME_RULE
from stem.tasks.options import EnqueueOptions, PublishOptions, merge_options

__all__ = ["asks_for_keys", "refuse_templates", "with_keys"]

R = TypeVar("R")


def asks_for_keys(options: PublishOptions) -> bool:
    """Whether these options make keys of the arguments. A `unique_key` that is given needs none."""
    return _makes_unique(options) or options.rate_limit_key is not None or options.concurrency_key is not None


def refuse_templates(defaults: EnqueueOptions) -> None:
    """Raises `ConfigError` for defaults of many tasks that would make keys of arguments, which each has its own of.

    Raises it for what `merge_options` refuses, too.
    """
    if asks_for_keys(merge_options(defaults)):
        raise ConfigError(
            expected="defaults without `unique`, `rate_limit_key` and `concurrency_key`",
            found=", ".join(sorted(f"`{name}`" for name in defaults)),
            do="Say in the decorator, or in a call, what keys are made of.",
        )


def with_keys(call: TaskCall[R], values: Mapping[str, object]) -> TaskCall[R]:
    """The call with its keys, made of its arguments by name.

    `unique=True` takes the encoded arguments; a text is a `str.format` template over the argument names. Raises
    `ConfigError`, which names the option, for a template that names what the call does not have, and for a key that is
    no text of 1 to 200 printable characters.
    """
    options = call.options

    def fill(option: str, template: str | None) -> str | None:
        return None if template is None else _fill(call.name, option, template, values)

    call = call._replace(
        rate_key=fill("rate_limit_key", options.rate_limit_key),
        concurrency_key=fill("concurrency_key", options.concurrency_key),
    )
    if not _makes_unique(options):
        return call
    key = fill("unique", options.unique) if isinstance(options.unique, str) else _digest(call.payload)
    given: EnqueueOptions = {**call.given, "unique_key": key or ""}
    return call._replace(options=replace(options, unique_key=key), given=given)


def _makes_unique(options: PublishOptions) -> bool:
    return options.unique is not False and options.unique_key is None


def _digest(payload: bytes) -> str:
    return hashlib.blake2b(payload, digest_size=16).hexdigest()


def _fill(task: str, option: str, template: str, values: Mapping[str, object]) -> str:
    try:
        key = template.format(**values)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError(
            expected=f"`{option}` of task '{task}' to be a template over its arguments ({', '.join(values) or 'none'})",
            found=f"'{template}': {error}",
            do="Name arguments that every call gives, or their attributes.",
        ) from None
    fits, expected = NAME_RULE
    if not fits(key):
        raise ConfigError(
            expected=f"`{option}` of task '{task}' to give {expected}",
            found=f"{len(key)} characters of '{template}'",
            do="Make it of arguments that are short and printable.",
        )
    return key
