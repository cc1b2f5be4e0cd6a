"""A call to make later: bound, validated and encoded; plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from stem.tasks.options import EnqueueOptions, PublishOptions

__all__ = ["TaskCall"]

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class TaskCall(Generic[R_co]):
    """What `definition.call(...)` gives: everything needed to enqueue, and how to read the result."""

    name: str
    version: int
    contract: str
    payload: bytes = field(repr=False)
    options: PublishOptions
    """The options of the call and its definition over the built-in defaults."""
    given: EnqueueOptions = field(repr=False, compare=False)
    """The same before the defaults, for a client that has defaults of its own."""
    decode_result: Callable[[bytes], R_co] = field(repr=False, compare=False)
    rate_key: str | None = None
    """Whose allowance it uses of its task's rate; `None` for the one of the task alone."""
    concurrency_key: str | None = None

    def with_headers(self, headers: Mapping[str, str]) -> TaskCall[R_co]:
        """The same call with these headers over those that it has. Raises `ConfigError` for what is no text."""
        merged = {**self.options.headers, **headers}
        given: EnqueueOptions = {**self.given, "headers": merged}
        return replace(self, options=replace(self.options, headers=merged), given=given)
