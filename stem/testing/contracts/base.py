"""What every contract class has: the bench over the engine's store, and the second handle where there is one."""

from __future__ import annotations

from typing import cast

import pytest

from stem.contracts.adapter import StoreOptions
from stem.contracts.retention import Retention
from stem.contracts.store import Store
from stem.testing.clock import ManualClock
from stem.testing.contracts.build import Bench

__all__ = ["Contract"]


@pytest.mark.asyncio
class Contract:
    """Base of all. A subclass provides `clock` and `store`; where it is shared, `second_store` and `foreign_store`."""

    @pytest.fixture
    def retention(self) -> Retention:
        """How long records are kept; a test that wants another has it as a parameter of this name."""
        return Retention()

    @pytest.fixture
    def options(self, clock: ManualClock, retention: Retention) -> StoreOptions:
        """What the engine's `store` is opened with."""
        return StoreOptions(clock=clock, retention=retention)

    @pytest.fixture
    def bench(self, store: Store, clock: ManualClock) -> Bench:
        """Short words for what the tests do."""
        return Bench(store, clock)

    @pytest.fixture
    def other(self, store: Store, request: pytest.FixtureRequest) -> Store:
        """Another handle on the same data; skips the test, visibly, for an engine that is not shared."""
        if not store.capabilities.shared:
            pytest.skip("this engine is not shared between handles (Capabilities.shared)")
        return cast("Store", request.getfixturevalue("second_store"))

    @pytest.fixture
    def foreign(self, store: Store, request: pytest.FixtureRequest) -> Store:
        """A store of another namespace; skips the test, visibly, for an engine that is not shared."""
        if not store.capabilities.shared:
            pytest.skip("this engine has no namespaces beside each other (Capabilities.shared)")
        return cast("Store", request.getfixturevalue("foreign_store"))
