"""A store whose calls meet faults. What it does beside that is what the store behind it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

from stem.contracts.adapter import Warns
from stem.contracts.changes import Change
from stem.contracts.store import Keeper, LeaseVerdict, Listener, Notice, Renewal, Store, Subscription
from stem.contracts.within import Joiner, Joins
from stem.errors import StoreUnavailable
from stem.stores.delegate import StoreDelegate
from stem.testing.faults.plan import METHODS

__all__ = ["FaultyStore", "Injector", "faulty"]

T = TypeVar("T")


class Injector(Protocol):
    """What lets the calls of a store meet their faults."""

    async def meet(self, method: str, act: Callable[[], Awaitable[T]], changes: Sequence[Change] = ()) -> T:
        """Do what the method does, with the fault that its turn has; `changes` are those of a commit."""
        ...

    def meet_blocking(self, method: str, act: Callable[[], T]) -> T:
        """The same for a call that blocks; a delay is not for it."""
        ...


class FaultyStore(StoreDelegate):
    """Every call of `Store` and of its keeper meets its fault; joiners and warnings are passed on as they are."""

    def __init__(self, store: Store, injector: Injector) -> None:
        super().__init__(cast("Store", _Gate(store, injector)))
        self._behind = store
        self._injector = injector

    def keeper(self) -> Keeper:
        """A renewer whose renewals meet faults; see `Store.keeper`."""
        return _FaultyKeeper(self._behind.keeper(), self._injector)

    def listen(self, listener: Listener) -> Subscription:
        """Hear of what no fault keeps away; see `Store.listen`."""

        def hear(notice: Notice) -> None:
            try:
                self._injector.meet_blocking("notice", lambda: notice)
            except StoreUnavailable:
                return
            listener(notice)

        return self._behind.listen(hear)

    async def warnings(self) -> tuple[str, ...]:
        """See `Warns.warnings`; none of a store that gives none."""
        return await self._behind.warnings() if isinstance(self._behind, Warns) else ()


class _JoiningFaultyStore(FaultyStore):
    async def joiner(self) -> Joiner:
        """See `Joins.joiner`."""
        return await cast("Joins", self._behind).joiner()


def faulty(store: Store, injector: Injector) -> FaultyStore:
    """This store, its calls meeting faults."""
    return _JoiningFaultyStore(store, injector) if isinstance(store, Joins) else FaultyStore(store, injector)


class _Gate:
    """In the place of a store: each method that asks the engine for something goes through the injector."""

    def __init__(self, store: Store, injector: Injector) -> None:
        self._store = store
        self._injector = injector

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in METHODS:
            return method

        async def call(*arguments: Any, **named: Any) -> Any:
            changes: Sequence[Change] = arguments[0] if name == "commit" else ()
            return await self._injector.meet(name, lambda: method(*arguments, **named), changes)

        return call


class _FaultyKeeper:
    def __init__(self, keeper: Keeper, injector: Injector) -> None:
        self._keeper = keeper
        self._injector = injector

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        """See `Keeper.renew`."""
        return self._injector.meet_blocking("renew", lambda: self._keeper.renew(renewals))

    def close(self) -> None:
        """See `Keeper.close`."""
        self._keeper.close()
