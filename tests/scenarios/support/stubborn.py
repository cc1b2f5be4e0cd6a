"""A client that never gives up: it asks again until it is answered, as everything in Stem that uses a store does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from stem.clock import Micros
from stem.contracts.changes import Change, Verdict
from stem.contracts.store import Keeper, LeaseVerdict, Renewal, Store
from stem.errors import StemError, StoreUnavailable
from stem.stores.committer import Committer
from stem.stores.delegate import StoreDelegate
from stem.testing.clock import ManualClock
from stem.testing.faults import METHODS

__all__ = ["Stubborn"]


class _Impatient(ManualClock):
    """Every sleep is over at once, and no time has passed."""

    async def sleep(self, duration: Micros) -> None:
        await asyncio.sleep(0)


class Stubborn(StoreDelegate):
    """Changes go through a committer; every other call is made again, with the same arguments, until it is answered."""

    def __init__(self, store: Store) -> None:
        super().__init__(cast("Store", _Again(store)))
        self._committer = Committer(store, clock=_Impatient())
        self._behind = store

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """See `Store.commit`."""
        return [_sound(verdict) for verdict in await self._committer.commit_all(changes)]

    def keeper(self) -> Keeper:
        """See `Store.keeper`."""
        return _StubbornKeeper(self._behind.keeper())

    async def aclose(self) -> None:
        """See `Store.aclose`."""
        await self._committer.aclose()
        await super().aclose()


def _sound(verdict: Verdict | StemError) -> Verdict:
    if isinstance(verdict, StemError):
        raise verdict
    return verdict


class _Again:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in METHODS:
            return method

        async def call(*arguments: Any, **named: Any) -> Any:
            while True:
                try:
                    return await method(*arguments, **named)
                except StoreUnavailable:
                    await asyncio.sleep(0)

        return call


class _StubbornKeeper:
    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.close = keeper.close

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        """See `Keeper.renew`."""
        while True:
            try:
                return self._keeper.renew(renewals)
            except StoreUnavailable:
                continue
