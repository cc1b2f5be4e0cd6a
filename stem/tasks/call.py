"""A call to make later: bound, validated and encoded; plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from stem.tasks.options import EnqueueOptions, PublishOptions

__all__ = ["TaskCall"]

R_co = TypeVar("R_co", covariant=True)


class TaskCall(NamedTuple, Generic[R_co]):
    """What `definition.call(...)` gives: everything needed to enqueue, and how to read the result.

    A named tuple, because one is made for each task. `_replace` makes another one of it.
    """

    name: str
    version: int
    contract: str
    payload: bytes
    options: PublishOptions
    """The options of the call and its definition over the built-in defaults."""
    given: EnqueueOptions
    """The same before the defaults, for a client that has defaults of its own."""
    decode_result: Callable[[bytes], R_co]
    rate_key: str | None = None
    """Whose allowance it uses of its task's rate; `None` for the one of the task alone."""
    concurrency_key: str | None = None

    def with_headers(self, headers: Mapping[str, str]) -> TaskCall[R_co]:
        """The same call with these headers over those that it has. Raises `ConfigError` for what is no text."""
        merged = {**self.options.headers, **headers}
        given: EnqueueOptions = {**self.given, "headers": merged}
        return self._replace(options=replace(self.options, headers=merged), given=given)

    def __repr__(self) -> str:
        """Without the payload, which may hold secrets."""
        return (
            f"TaskCall(name={self.name!r}, version={self.version}, contract={self.contract!r}, options={self.options})"
        )
