"""What holds for an enqueue inside a transaction of the caller, over every kind of connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from stem.app import Stem, named_call
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.errors import DuplicateTask, EnqueueError
from stem.stores.open import open_store
from stem.tasks.call import TaskCall
from stem.tasks.definition import task_def
from stem.tasks.envelope import decode_envelope, encode_envelope
from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord
from stem.testing.contracts.ear import Ear
from tests.callers import Caller, Database, Kind

__all__ = ["JoinedTransaction", "ship", "unique"]


@task_def("orders.ship", queue="shipping", tags=("orders",))
def ship(order: int) -> None:
    raise NotImplementedError


def unique(order: int, **options: Any) -> TaskCall[None]:
    return ship.options(unique_key=f"order-{order}", **options).call(order)


class JoinedTransaction:
    """Subclassed by each engine, with the fixtures `kind`, `database` and `orders`."""

    @pytest.fixture
    async def stem(self, database: Database) -> AsyncIterator[Stem]:
        """Somebody else, who looks from outside."""
        async with Stem(database.url) as stem:
            yield stem

    @pytest.fixture
    async def store(self, database: Database) -> AsyncIterator[Store]:
        store = await open_store(database.url, StoreOptions())
        yield store
        await store.aclose()

    @pytest.fixture
    async def caller(self, kind: Kind, database: Database, stem: Stem) -> AsyncIterator[Caller]:
        async with kind.start(database) as caller:
            yield caller

    async def test_what_is_committed_is_there_with_what_the_caller_wrote(
        self, caller: Caller, store: Store, orders: Callable[[], Awaitable[list[int]]]
    ) -> None:
        await caller.order(7)
        accepted = await caller.enqueue(ship.call(7))
        assert not accepted.duplicate
        assert await store.get([accepted.id]) == {}
        await caller.commit()
        assert (await store.get([accepted.id]))[accepted.id].state is TaskState.QUEUED
        assert await orders() == [7]

    async def test_what_is_rolled_back_was_never_there(
        self, caller: Caller, stem: Stem, store: Store, orders: Callable[[], Awaitable[list[int]]]
    ) -> None:
        await caller.order(7)
        accepted = await caller.enqueue(unique(7))
        await caller.rollback()
        assert await store.get([accepted.id]) == {}
        assert await orders() == []
        assert not (await stem.enqueue(unique(7))).duplicate

    async def test_it_can_be_the_first_statement_of_the_transaction(self, caller: Caller, store: Store) -> None:
        kept = await caller.enqueue(ship.call(7))
        await caller.commit()
        assert set(await store.get([kept.id])) == {kept.id}

    async def test_its_record_is_that_of_an_ordinary_enqueue(self, caller: Caller, stem: Stem, store: Store) -> None:
        call = ship.options(priority=4, headers={"trace": "t"}, meta={"by": "me"}).call(7)
        joined = await caller.enqueue(call)
        await caller.commit()
        plain = await stem.enqueue(call)
        records = await store.get([joined.id, plain.id])
        assert _alike(records[joined.id]) == _alike(records[plain.id])

    async def test_who_waits_hears_of_the_commit_and_of_nothing_before_it(self, caller: Caller, store: Store) -> None:
        with Ear(store) as ear:
            await caller.enqueue(ship.call(7))
            assert not any("shipping" in notice.queues for notice in ear.notices)
            ear.notices.clear()
            await caller.commit()
            await ear.hears_of_queue("shipping")

    async def test_an_id_that_is_known_changes_nothing(self, caller: Caller, stem: Stem, store: Store) -> None:
        call = ship.options(task_id="the-only-one").call(7)
        first = await stem.enqueue(call)
        assert (await caller.enqueue(call)).id == first.id
        assert (await caller.enqueue(call)).id == first.id
        await caller.commit()
        assert set(await store.get([first.id])) == {first.id}
        (queue,) = await store.queues()
        assert dict(queue.counts) == {TaskState.QUEUED: 1}

    async def test_a_key_that_is_taken_gives_the_handle_of_its_holder(self, caller: Caller, stem: Stem) -> None:
        holder = await stem.enqueue(unique(7))
        accepted = await caller.enqueue(unique(7))
        assert (accepted.id, accepted.duplicate) == (holder.id, True)
        await caller.commit()

    async def test_a_key_that_this_transaction_took_is_taken_for_it_too(self, caller: Caller) -> None:
        first = await caller.enqueue(unique(7))
        again = await caller.enqueue(unique(7))
        assert (again.id, again.duplicate) == (first.id, True)

    async def test_a_duplicate_that_is_an_error_leaves_the_transaction_as_it_was(
        self, caller: Caller, stem: Stem, store: Store, orders: Callable[[], Awaitable[list[int]]]
    ) -> None:
        holder = await stem.enqueue(unique(7))
        await caller.order(7)
        with pytest.raises(DuplicateTask) as raised:
            await caller.enqueue(unique(7, on_duplicate="raise"))
        assert raised.value.holder == holder.id
        kept = await caller.enqueue(ship.call(8))
        await caller.commit()
        assert await orders() == [7]
        assert set(await store.get([kept.id])) == {kept.id}

    async def test_many_are_all_there_and_in_order(self, caller: Caller, store: Store) -> None:
        calls = [ship.options(task_id=f"task-{number}").call(number) for number in range(50)]
        batch = await caller.enqueue_many([*calls, unique(1), unique(1)])
        await caller.commit()
        assert [accepted.id for accepted in batch[:50]] == [f"task-{number}" for number in range(50)]
        assert [accepted.duplicate for accepted in batch[50:]] == [False, True]
        records = await store.get([accepted.id for accepted in batch])
        assert len(records) == 51
        assert len({record.root for record in records.values()}) == 1

    async def test_an_error_of_one_leaves_none_of_many(self, caller: Caller, stem: Stem, store: Store) -> None:
        await stem.enqueue(unique(7))
        fine = ship.options(task_id="fine").call(1)
        with pytest.raises(DuplicateTask):
            await caller.enqueue_many([fine, unique(8), unique(7, on_duplicate="raise")])
        await caller.commit()
        assert await store.get(["fine"]) == {}
        assert not (await stem.enqueue(unique(8))).duplicate

    async def test_no_calls_are_no_tasks(self, caller: Caller) -> None:
        assert await caller.enqueue_many([]) == []
        await caller.commit()

    async def test_what_the_store_cannot_hold_is_refused_and_the_transaction_goes_on(
        self, caller: Caller, store: Store
    ) -> None:
        with pytest.raises(EnqueueError):
            await caller.enqueue(named_call("no\0name", {}, None, {}))
        kept = await caller.enqueue(ship.call(7))
        await caller.commit()
        assert set(await store.get([kept.id])) == {kept.id}

    async def test_two_transactions_after_each_other_use_one_connection(self, caller: Caller, store: Store) -> None:
        await caller.enqueue(ship.options(task_id="gone").call(7))
        await caller.rollback()
        await caller.enqueue(ship.options(task_id="kept").call(7))
        await caller.commit()
        assert set(await store.get(["gone", "kept"])) == {"kept"}


def _alike(record: TaskRecord) -> TaskRecord:
    """The record without what belongs to one task alone."""
    envelope = encode_envelope(decode_envelope(record.envelope)._replace(id=""))
    return replace(record, id="", root="", published_at=0, due_at=0, envelope=envelope)
