"""A client belongs to the process and the event loop that opened it, and says so anywhere else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from stem.app import Stem
from stem.client.home import Home
from stem.errors import ConfigError
from tests.stem.client.support import charge


async def test_here_it_may_be_used() -> None:
    home = Home.here()
    home.check()
    assert not home.is_gone


async def test_a_home_may_be_asked_where_no_loop_runs() -> None:
    await asyncio.to_thread(Home.here().check)


async def test_in_a_fork_it_is_gone() -> None:
    home = replace(Home.here(), pid=1)
    assert home.is_gone
    with pytest.raises(ConfigError, match="after the fork"):
        home.check()


def test_on_another_loop_a_client_says_so_and_is_still_good_on_its_own(tmp_path: Path) -> None:
    stem = Stem(f"sqlite:///{tmp_path / 'stem.db'}")
    with asyncio.Runner() as own:
        own.run(stem.__aenter__())
        with pytest.raises(ConfigError, match="another event loop"):
            asyncio.run(stem.enqueue(charge.call(1)))
        with pytest.raises(ConfigError, match="another event loop"):
            asyncio.run(stem.aclose())
        assert own.run(stem.enqueue(charge.call(1))).id
        own.run(stem.aclose())


def test_after_its_loop_was_closed_a_client_says_so_and_can_be_opened_again() -> None:
    stem = Stem("memory://")

    async def enqueue() -> str:
        async with stem:
            return (await stem.enqueue(charge.call(1))).id

    asyncio.run(stem.__aenter__())
    with pytest.raises(ConfigError, match="event loop closed"):
        asyncio.run(stem.enqueue(charge.call(1)))
    assert asyncio.run(enqueue())


def test_closing_after_its_loop_was_closed_only_lets_go() -> None:
    stem = Stem("memory://")
    asyncio.run(stem.__aenter__())
    asyncio.run(stem.aclose())
    with pytest.raises(ConfigError, match="not open"):
        asyncio.run(stem.enqueue(charge.call(1)))


async def test_opened_twice_at_the_same_time_it_is_one_client(tmp_path: Path) -> None:
    stem = Stem(f"sqlite:///{tmp_path / 'stem.db'}")
    await asyncio.gather(stem.__aenter__(), stem.__aenter__())
    handle = await stem.enqueue(charge.call(1))
    assert (await handle.status()).id == handle.id
    await stem.aclose()
