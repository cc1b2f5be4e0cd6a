"""What travels in a lane: a change, its size, and who is told of its verdict; the errors that a lane has itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from stem.clock import Micros
from stem.contracts.changes import Change, Publish, Settle, Verdict
from stem.errors import StemError, StoreError, StoreUnavailable

__all__ = ["OVERHEAD", "Item", "Told", "closed", "size_of", "tell", "unknown", "unknown_fate"]

OVERHEAD: Final = 512
"""What a change counts for beside its bytes."""

Told: TypeAlias = Callable[[Verdict | StemError], None]


@dataclass(slots=True, eq=False)
class Item:
    """A change on its way, and who is told of its verdict: one who awaits it, or one who is called."""

    change: Change
    size: int
    answer: asyncio.Future[Verdict] | None = None
    told: Told | None = None
    until: Micros | None = None
    """When it is given up, once it was held up."""

    def tell(self, verdict: Verdict | StemError) -> None:
        """Bring the verdict, or the error that stands in its place."""
        answer = self.answer
        if answer is None:
            if self.told is not None:
                self.told(verdict)
        elif not answer.done():
            if isinstance(verdict, StemError):
                answer.set_exception(verdict)
            else:
                answer.set_result(verdict)


def tell(batch: Sequence[Item], verdicts: Sequence[Verdict | StemError]) -> None:
    """Bring everybody his verdict."""
    for item, verdict in zip(batch, verdicts, strict=True):
        item.tell(verdict)


def size_of(change: Change) -> int:
    """About how many bytes it takes in a batch."""
    size = OVERHEAD
    for write in change.writes:
        if isinstance(write, Publish):
            size += len(write.body)
        elif isinstance(write, Settle):
            size += 0 if write.result is None else len(write.result)
    return size


def closed() -> StoreUnavailable:
    """The error of one who commits through what was closed."""
    return _unavailable("a client that was closed", "Enqueue before it is closed.")


def unknown(error: StoreError, after: Micros) -> StoreUnavailable:
    """The error of those whose change was sent until their time was over."""
    return StoreUnavailable(
        expected=f"the store to answer within {after // 1_000_000} s",
        found=f"outcome unknown; at last {error.found}",
        do=f"Look at the task's status before you do it again. {error.do}",
    )


def unknown_fate() -> StoreUnavailable:
    """The error of those who are told nothing else."""
    return _unavailable("an unknown outcome", "Look at the task's status.")


def _unavailable(found: str, do: str) -> StoreUnavailable:
    return StoreUnavailable(expected="the store to take the change", found=found, do=do)
