"""What a store owes that keeps results for another one, which keeps the messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from stem.clock import Micros
from stem.tasks.state import TaskState
from stem.tasks.status import Failure

__all__ = ["OLD_AGAIN", "Outcome", "Outcomes", "fitting"]

OLD_AGAIN: Final[Micros] = 600_000_000
"""When an outcome that was old, and needed, is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one generation of a task ended."""

    task_id: str
    generation: int
    state: TaskState
    """A terminal one."""
    result: bytes | None = None
    error: Failure | None = None
    bury_reason: str | None = None
    result_ttl: Micros = 86_400_000_000
    by: str = ""
    """Who recorded it: the lease that it was recorded under."""
    follow_ups: str = ""
    """What is published with this end: its owner's own text, kept as it came."""
    result_until: Micros | None = None
    """Until when the result can be read; the store says it, from its own clock, when it records."""


class Outcomes(Protocol):
    """Outcomes by task and generation. The first one that is recorded stands for ever."""

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Record each for whose task and generation none is recorded; for each, in order, the one that stands.

        Recorded again, it is answered as it was. A result larger than the engine takes is not recorded: an outcome
        with the state failed and an error of kind `ResultRefused` stands in its place.
        """
        ...

    async def outcomes(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        """The outcome of the latest generation of those ids that have one; kept for twice its `result_ttl` at least."""
        ...

    async def old_outcomes(self, limit: int) -> Sequence[str]:
        """Up to `limit` tasks of which `Store.retain` has found an outcome that was kept for twice its `result_ttl`.

        Who keeps the messages knows whether one is still needed: it stays until `forget_outcomes` names it.
        """
        ...

    async def forget_outcomes(self, ids: Sequence[str], *, needed: Collection[str] = ()) -> None:
        """Delete the outcomes of these tasks that are old; those that are `needed` are old again after `OLD_AGAIN`.

        What is not old stays as it is, so that a call that is repeated, or comes late, does no harm.
        """
        ...


def fitting(outcome: Outcome, largest: int) -> Outcome:
    """The outcome, or the one that stands in its place when its result is larger than `largest` bytes."""
    size = len(outcome.result or b"")
    if size <= largest:
        return outcome
    error = Failure("ResultRefused", f"a result of {size} bytes; at most {largest} are taken")
    return replace(outcome, state=TaskState.FAILED, result=None, error=error)
