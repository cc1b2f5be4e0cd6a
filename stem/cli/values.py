"""What a person types, as values: durations, queues with weights, arguments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

import click

from stem.clock import parse_duration
from stem.tasks.options import JsonValue

__all__ = ["DURATION", "QUEUE", "arguments_of", "queue_of"]


def queue_of(text: str) -> tuple[str, int]:
    """`billing:3` is the queue billing with weight 3; without a weight it is 1. Raises `ValueError`."""
    name, colon, weight = text.rpartition(":")
    if not colon:
        return text, 1
    if not name or not weight.isdigit() or int(weight) < 1:
        raise ValueError(f"{text!r} is no queue; write NAME or NAME:WEIGHT, with a weight of 1 or more")
    return name, int(weight)


def arguments_of(document: str | None, pairs: Iterable[str]) -> dict[str, JsonValue]:
    """A task's arguments by name: from a JSON object, then from `name=value` pairs, which win.

    A value that is JSON is taken as such (`3`, `true`, `{"a": 1}`), any other as a string. Dots lead into an object:
    `mail.to=ada` is the field `to` of the argument `mail`. Raises `ValueError`.
    """
    arguments = _object_of(document) if document else {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ValueError(f"{pair!r} is no argument; write name=value")
        _set(arguments, name.split("."), _value_of(value))
    return arguments


def _set(arguments: dict[str, JsonValue], path: Sequence[str], value: JsonValue) -> None:
    *parents, last = path
    for name in parents:
        inner = arguments.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ValueError(f"{'.'.join(path)!r} leads into {name!r}, which is no object")
        arguments = inner
    arguments[last] = value


def _object_of(document: str) -> dict[str, JsonValue]:
    try:
        found: JsonValue = json.loads(document)
    except json.JSONDecodeError as error:
        raise ValueError(f"the arguments are no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError('the arguments are no JSON object; write one like {"order_id": 7}')
    return found


def _value_of(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except json.JSONDecodeError:
        return text
    return value


def DURATION(text: str) -> timedelta:  # noqa: N802 - stands where click has its types: type=DURATION
    """`parse_duration` as a click type."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def QUEUE(text: str) -> tuple[str, int]:  # noqa: N802 - stands where click has its types: type=QUEUE
    """`queue_of` as a click type."""
    try:
        return queue_of(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
