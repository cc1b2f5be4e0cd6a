"""Calls and errors as plain JSON, on their way from a child process to its worker and back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, cast

from stem.clock import from_micros, to_micros
from stem.codec import load_value
from stem.errors import DuplicateTask, StemError
from stem.tasks.call import TaskCall
from stem.tasks.options import EnqueueOptions, JsonValue, merge_options
from stem.tasks.retry import Retry

__all__ = ["call_of", "error_of", "plain_call", "plain_error"]

_ERRORS: Final[Mapping[str, object]] = vars(sys.modules["stem.errors"])
_DURATIONS: Final = ("expires", "unique_for", "result_ttl", "delay", "wait_timeout")


def plain_call(call: TaskCall[Any]) -> dict[str, JsonValue]:
    """A call without its payload."""
    return {
        "name": call.name,
        "version": call.version,
        "contract": call.contract,
        "keys": [call.rate_key, call.concurrency_key],
        "given": _plain_options(call.given),
    }


def call_of(plain: Mapping[str, Any], payload: bytes) -> TaskCall[Any]:
    """The call again; its results are read by whoever made it."""
    given = _options_of(plain["given"])
    rate_key, concurrency_key = plain["keys"]
    return TaskCall(
        name=plain["name"],
        version=plain["version"],
        contract=plain["contract"],
        payload=payload,
        options=merge_options(given),
        given=given,
        decode_result=load_value,
        rate_key=rate_key,
        concurrency_key=concurrency_key,
    )


def plain_error(error: BaseException) -> dict[str, str]:
    """An error that a request met."""
    if not isinstance(error, StemError):
        return {"kind": type(error).__name__, "found": str(error)}
    plain = {"kind": type(error).__name__, "expected": error.expected, "found": error.found, "do": error.do}
    return {**plain, "holder": error.holder} if isinstance(error, DuplicateTask) else plain


def error_of(plain: Mapping[str, str]) -> Exception:
    """The error again: of its class where it is Stem's own, else a `RuntimeError`."""
    kind = _ERRORS.get(plain["kind"])
    if not (isinstance(kind, type) and issubclass(kind, StemError)):
        return RuntimeError(f"{plain['kind']}: {plain['found']}")
    given = {key: value for key, value in plain.items() if key != "kind"}
    return cast("Callable[..., StemError]", kind)(**given)


def _plain_options(given: EnqueueOptions) -> dict[str, JsonValue]:
    plain = cast("dict[str, Any]", {**given})
    for name in plain.keys() & {*_DURATIONS, "eta"}:
        plain[name] = None if plain[name] is None else to_micros(plain[name])
    if plain.get("retry") is not None:
        backoff = plain["retry"].backoff
        plain["retry"] = [backoff.initial, backoff.factor, backoff.max_delay, backoff.jitter]
    return plain


def _options_of(plain: Mapping[str, Any]) -> EnqueueOptions:
    given = dict(plain)
    for name in given.keys() & {*_DURATIONS}:
        given[name] = None if given[name] is None else timedelta(microseconds=given[name])
    if given.get("eta") is not None:
        given["eta"] = from_micros(given["eta"])
    if "tags" in given:
        given["tags"] = tuple(given["tags"])
    if given.get("retry") is not None:
        initial, factor, longest, jitter = given["retry"]
        given["retry"] = Retry(timedelta(microseconds=initial), factor, timedelta(microseconds=longest), jitter)
    return cast("EnqueueOptions", given)
