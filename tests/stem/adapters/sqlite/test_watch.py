"""Commits of callers' transactions are looked for, so that who waits hears of them before the slow poll."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from stem.adapters.sqlite import open_store
from stem.adapters.sqlite.watch import Watch
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change
from stem.contracts.store import Notice
from stem.contracts.within import Joins
from stem.errors import StoreUnavailable
from stem.testing.contracts import publish
from stem.testing.contracts.ear import Ear
from tests.scenarios.support.waiting import eventually

SHIPPING = Notice(frozenset({"shipping"}))


def names(ear: Ear, queue: str) -> bool:
    return any(queue in notice.queues for notice in ear.notices)


class Rig:
    """A watch over tasks that the test makes visible; `told` is what it told."""

    def __init__(self) -> None:
        self.visible: set[str] = set()
        self.looks = 0
        self.errors = 0
        self.told: list[Notice] = []
        self.watch = Watch(self.look, self.told.append)

    async def look(self, ids: Sequence[str]) -> set[str]:
        self.looks += 1
        if self.errors:
            self.errors -= 1
            raise StoreUnavailable(expected="an answer", found="none", do="Wait.")
        return self.visible & set(ids)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.watch.close()


async def test_nothing_is_told_before_the_task_is_there_and_then_once(rig: Rig) -> None:
    rig.watch.expect("a", SHIPPING)
    await eventually(lambda: rig.looks >= 2)
    assert rig.told == []
    rig.visible = {"a"}
    await eventually(lambda: rig.told)
    looks = rig.looks
    rig.watch.expect("b", Notice(frozenset({"other"})))
    await eventually(lambda: rig.looks > looks)
    assert rig.told == [SHIPPING]


async def test_a_task_that_never_comes_is_given_up(rig: Rig) -> None:
    rig.watch.expect("a", SHIPPING)
    await eventually(lambda: rig.watch.is_idle)
    assert rig.told == []


async def test_a_look_that_fails_is_not_the_last(rig: Rig) -> None:
    rig.errors, rig.visible = 2, {"a"}
    rig.watch.expect("a", SHIPPING)
    await eventually(lambda: rig.told)


async def test_after_closing_nobody_looks(rig: Rig) -> None:
    rig.watch.expect("a", SHIPPING)
    await rig.watch.close()
    rig.watch.expect("b", SHIPPING)
    assert rig.watch.is_idle


async def test_who_listens_hears_the_queue_by_name_and_not_only_that_something_happened(tmp_path: Path) -> None:
    place = tmp_path / "stem.db"
    store = await open_store(f"sqlite:///{place}", StoreOptions())
    other = await open_store(f"sqlite:///{place}", StoreOptions())
    assert isinstance(store, Joins)
    joiner = await store.joiner()
    with Ear(store) as own, Ear(other) as others, closing(sqlite3.connect(place)) as connection:
        joiner.write(connection, [Change((publish(queue="shipping"),))], list)
        connection.commit()
        await eventually(lambda: names(own, "shipping") and names(others, "shipping"))
    await store.aclose()
    await other.aclose()
