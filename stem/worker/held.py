"""One delivery in this worker's hands, from its start until its outcome is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum, auto

from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.contracts.store import Delivery
from stem.worker.decide import Stop
from stem.worker.patience import Patience

__all__ = ["HANDLING", "OPENING", "SETTLING", "Held", "Phase"]


class Phase(Enum):
    """How far an attempt is."""

    OPENING = auto()
    HANDLING = auto()
    """The handler runs: here, and only here, its task may be cancelled."""
    SETTLING = auto()


OPENING, HANDLING, SETTLING = Phase
"""A name of the module is found three times as fast as a member of an enumeration."""


@dataclass(eq=False)
class Held:
    """A delivery, its lease as the keeper sees it, and how it stands. Changed on the event loop, read by any thread.

    One is made for each task, and most need nothing but the first four: the rest is the class's until it changes.
    """

    delivery: Delivery
    asked_at: Micros
    """When its lease was asked for, by the worker's own clock: it is at least valid until its length after this."""
    lease: Micros
    renew_at: Micros
    """By the worker's own clock; the keeper's thread moves it on."""
    started_at: Micros = field(default=0, init=False)
    """When it got its slot, by the worker's own clock."""
    phase: Phase = field(default=OPENING, init=False)
    stop: Stop | None = field(default=None, init=False)
    cancel_requested: bool = field(default=False, init=False)
    once: bool = field(default=False, init=False)
    """Its handler has begun and may run at most once."""
    task: asyncio.Task[None] | None = field(default=None, init=False)
    work: Future[object] | asyncio.Task[object] | None = field(default=None, init=False)
    """What runs the handler, where it may outlive the attempt; it keeps its slot until it ends."""
    deadline: Micros | None = field(default=None, init=False)
    """When the attempt must be over, by the wall clock; `None` without a time limit."""
    on_cancel: Callable[[], None] | None = field(default=None, init=False)
    """Called when a cancel is requested, for a handler in another process."""
    patience: Patience | None = field(default=None, init=False)
    """How long the middleware around its handler is waited for; `None` without middleware."""
    overdue: bool = field(default=False, init=False)
    """A time limit was reached."""
    began: Micros | None = field(default=None, init=False)
    """When its handler was called, by the worker's own clock; `None` when nobody listens to signals."""
    ran: Micros | None = field(default=None, init=False)
    """How long its handler ran; likewise."""

    @classmethod
    def of(cls, delivery: Delivery, asked_at: Micros) -> Held:
        """A delivery as its lease call gave it."""
        lease = delivery.lease
        return cls(delivery, asked_at, lease, asked_at + lease // 3)

    @property
    def fence(self) -> Fence:
        return self.delivery.fence

    @property
    def spent(self) -> Micros:
        """How much of its time had gone when its handler began."""
        return 0 if self.patience is None else self.patience.spent

    def request_cancel(self) -> None:
        """A cancel was requested; the handler may ask for it."""
        if not self.cancel_requested and self.on_cancel is not None:
            self.on_cancel()
        self.cancel_requested = True

    def end(self, why: Stop) -> None:
        """Stop the attempt, for the first reason that was given; one that is being settled goes on to its verdict."""
        if self.stop is not None or self.phase is SETTLING:
            return
        self.stop = why
        if self.phase is HANDLING and self.task is not None:
            self.task.cancel()
