"""Signals of their own, open on the test's loop, with a clock that the tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stem.signals import Signals
from stem.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def signals(clock: ManualClock) -> AsyncIterator[Signals]:
    signals = Signals(clock)
    signals.open()
    yield signals
    signals.close()
