"""Who is told after a commit."""

from __future__ import annotations

import threading

from stem.contracts.store import Listener, Notice

__all__ = ["Ears"]


class Ears:
    """The listeners of one store. Any thread may add, close and tell."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: tuple[_Ear, ...] = ()

    def add(self, listener: Listener) -> _Ear:
        """An open ear."""
        ear = _Ear(self, listener)
        with self._lock:
            self._all = (*self._all, ear)
        return ear

    def remove(self, ear: _Ear) -> None:
        """Tell this one nothing more."""
        with self._lock:
            self._all = tuple(other for other in self._all if other is not ear)

    def tell(self, notice: Notice | None) -> None:
        """Call every listener."""
        if notice is not None:
            for ear in self._all:
                ear.listener(notice)


class _Ear:
    """See `Subscription`."""

    def __init__(self, ears: Ears, listener: Listener) -> None:
        self._ears = ears
        self.listener = listener

    def close(self) -> None:
        """See `Subscription.close`."""
        self._ears.remove(self)
