"""Keeps leases alive, from a thread that a blocked event loop cannot stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from stem.clock import Clock, Micros
from stem.contracts.store import Keeper, LeaseVerdict, Renewal
from stem.errors import StoreError
from stem.worker.held import Held

__all__ = ["LeaseKeeper", "due", "third"]

LONGEST_PAUSE: Final[Micros] = 300_000
"""How long the thread may not look: shorter than a third of the shortest lease, and than the second to reconnect in."""

_log: Final = logging.getLogger("stem.worker")

Tell = Callable[[Sequence[tuple[Held, LeaseVerdict]]], None]


def third(lease: Micros) -> Micros:
    """How long after a renewal the next one comes."""
    return lease // 3


def due(held: Iterable[Held], now: Micros) -> list[Held]:
    """Whose lease is to be renewed now."""
    return [each for each in held if each.renew_at <= now]


def next_look(held: Iterable[Held], now: Micros) -> Micros:
    """How long until the next lease is to be renewed, at most `LONGEST_PAUSE`."""
    return max(0, min((each.renew_at - now for each in held), default=LONGEST_PAUSE))


class LeaseKeeper:
    """Renews all leases that are due in one call, over a connection that only its thread uses.

    While the store cannot be reached it tries again every 0.3 s; leases stay valid until somebody takes them.
    """

    def __init__(
        self, open_keeper: Callable[[], Keeper], held: Callable[[], Sequence[Held]], *, clock: Clock, tell: Tell
    ) -> None:
        self._open_keeper = open_keeper
        self._held = held
        self._clock = clock
        self._tell = tell
        self._keeper: Keeper | None = None
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="stem-keeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; nothing is renewed any more. Does not wait."""
        self._stopping = True
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait until the thread has given its connection back."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def soon(self, held: Held) -> None:
        """Renew this lease at once, whatever its schedule says. From any thread."""
        held.renew_at = 0
        self._wake.set()

    def tick(self) -> Micros:
        """Renew what is due and tell of every lease that is not simply kept; how long until the next look."""
        now = self._clock.elapsed()
        found = due(self._held(), now)
        if not found:
            return min(next_look(self._held(), now), LONGEST_PAUSE)
        for each in found:  # before the call, so that one who asks for another renewal meanwhile gets it
            each.renew_at = now + third(each.delivery.lease)
        try:
            verdicts = self._opened().renew([Renewal(each.fence, each.lease) for each in found])
        except StoreError:
            self._try_again(found, now)
            return LONGEST_PAUSE
        news = [pair for pair in zip(found, verdicts, strict=True) if pair[1] is not LeaseVerdict.KEPT]
        if news:
            self._tell(news)
        return min(next_look(self._held(), now), LONGEST_PAUSE)

    def close(self) -> None:
        """Give the connection back."""
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    @staticmethod
    def _try_again(found: Sequence[Held], now: Micros) -> None:
        for each in found:
            each.renew_at = now

    def _opened(self) -> Keeper:
        if self._keeper is None:
            self._keeper = self._open_keeper()
        return self._keeper

    def _tick_or_log(self) -> Micros:
        try:
            return self.tick()
        except Exception:  # noqa: BLE001  # without this thread every lease of the worker would run out
            _log.exception("the keeper could not renew; it goes on")
            return LONGEST_PAUSE

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wake.wait(self._tick_or_log() / 1_000_000)
                self._wake.clear()
        finally:
            self.close()
