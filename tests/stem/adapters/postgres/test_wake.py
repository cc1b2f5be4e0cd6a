"""Notices between stores: what they say, what they leave out, and what happens when they cannot be sent."""

from __future__ import annotations

import json
from typing import Unpack

import asyncpg
import pytest

from stem.adapters.postgres import open_store
from stem.adapters.postgres.errors import is_too_much_news
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.wake import decode_notice
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, Settle
from stem.contracts.store import Notice
from stem.tasks.state import TaskEvent
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.build import EnvelopeFields
from stem.testing.contracts.ear import Ear
from tests.server_postgres import server_url
from tests.stem.adapters.postgres.joining import schema_of

EVERYTHING = Notice(everything=True)


@pytest.mark.parametrize(
    ("payload", "notice"),
    [
        (["other", ["q"], ["a", "b"]], Notice(frozenset({"q"}), ("a", "b"))),
        (["other", None, ["a"]], Notice(frozenset(), ("a",))),
        (["own", ["q"], None], Notice()),
        (["other", None, None, ["news"]], Notice(channels=frozenset({"news"}))),
        (["other", None, ["a", "b"], None, [None, "3137"]], Notice(tasks=("a", "b"), results={"b": b"17"})),
        (["other", None, ["a"], None, []], Notice(tasks=("a",))),
        (["other", None, ["a"], None, ["31", "32"]], EVERYTHING),
        (["other", None, ["a"], None, ["no hex"]], EVERYTHING),
        (["other", None, None, None, None, None], EVERYTHING),
        (["other"], EVERYTHING),
        ("nonsense", EVERYTHING),
        (7, EVERYTHING),
    ],
)
def test_a_notice_says_what_happened_elsewhere(payload: object, notice: Notice) -> None:
    assert decode_notice(json.dumps(payload), "own") == notice


def test_a_notice_that_cannot_be_read_says_that_something_happened() -> None:
    assert decode_notice("{", "own") == EVERYTHING


async def test_news_that_is_too_long_says_only_that_something_happened(bench: Bench, url: str) -> None:
    other = await open_store(url, StoreOptions(clock=bench.clock))
    with Ear(other) as ear:
        await bench.put(queue="first")
        await ear.hears_of_queue("first")
        ear.notices.clear()
        writes = [publish(queue=f"queue-{number:04}") for number in range(1_000)]
        assert await bench.store.commit([Change((write,)) for write in writes]) == [APPLIED] * 1_000
        await ear.hears_of_queue("queue-0999")
        assert any(notice.everything for notice in ear.notices)
    await other.aclose()


async def test_a_commit_whose_notice_the_server_refuses_is_done_without_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Book.fetch

    async def refusing(
        self: Book, connection: asyncpg.Connection, name: str, /, **parameters: object
    ) -> list[asyncpg.Record]:
        if parameters.get("channel", self.channel) is not None:
            raise too_much_news()
        return await fetch(self, connection, name, **parameters)

    with monkeypatch.context() as patch:
        patch.setattr(Book, "fetch", refusing)
        write = publish()
        assert await bench.store.commit([Change((write,))]) == [APPLIED]
    assert set(await bench.everything()) == {write.envelope.id}


def too_much_news() -> asyncpg.PostgresError:
    error = asyncpg.PostgresError("too many notifications in the NOTIFY queue")
    error.sqlstate = "54000"
    return error


def test_a_full_queue_of_notices_is_told_from_other_errors() -> None:
    assert is_too_much_news(too_much_news())
    assert not is_too_much_news(OSError())


async def heard_of(bench: Bench, url: str, result: bytes, **given: Unpack[EnvelopeFields]) -> tuple[str, list[Notice]]:
    """A task that ended with this result, and what another store was told of it."""
    other = await open_store(url, StoreOptions(clock=bench.clock))
    with Ear(other) as ear:
        await bench.put(queue="first")
        await ear.hears_of_queue("first")
        ear.notices.clear()
        delivery = await bench.running(**given)
        await bench.apply(Settle(TaskEvent.SUCCEEDED, result), fence=delivery.fence)
        await ear.hears_of_task(delivery.fence.task_id)
    await other.aclose()
    return delivery.fence.task_id, ear.notices


async def test_a_small_result_comes_with_its_notice(bench: Bench, url: str) -> None:
    task, notices = await heard_of(bench, url, b"\x00\xff17")
    assert [notice.results for notice in notices if task in notice.tasks] == [{task: b"\x00\xff17"}]


async def test_a_large_result_is_left_to_who_asks_for_it(bench: Bench, url: str) -> None:
    task, notices = await heard_of(bench, url, b"1" * 1_025)
    assert [notice.results for notice in notices if task in notice.tasks] == [{}]


async def test_a_result_that_is_ignored_is_not_told(bench: Bench, url: str) -> None:
    task, notices = await heard_of(bench, url, b"17", ignore_result=True)
    assert [notice.results for notice in notices if task in notice.tasks] == [{}]


async def test_of_any_number_that_end_together_each_is_told_with_its_result(bench: Bench, url: str) -> None:
    other = await open_store(url, StoreOptions(clock=bench.clock))
    with Ear(other) as ear:
        await bench.store.commit([Change((publish(),)) for _ in range(400)])
        deliveries = (await bench.lease(400)).deliveries
        await ear.hears_of_queue(deliveries[0].queue)
        ear.notices.clear()
        ended = [Change((Settle(TaskEvent.SUCCEEDED, b"17"),), delivery.fence) for delivery in deliveries]
        assert await bench.store.commit(ended) == [APPLIED] * 400
        for delivery in deliveries:
            await ear.hears_of_task(delivery.fence.task_id)
    told = {task: result for notice in ear.notices for task, result in notice.results.items()}
    assert told == {delivery.fence.task_id: b"17" for delivery in deliveries}
    assert not any(notice.everything for notice in ear.notices)
    await other.aclose()


async def test_results_that_do_not_fit_together_are_left_out_and_their_tasks_are_told(bench: Bench, url: str) -> None:
    other = await open_store(url, StoreOptions(clock=bench.clock))
    with Ear(other) as ear:
        deliveries = [await bench.running() for _ in range(8)]
        ended = [Change((Settle(TaskEvent.SUCCEEDED, b"1" * 1_000),), delivery.fence) for delivery in deliveries]
        await ear.hears_of_queue(deliveries[-1].queue)
        ear.notices.clear()
        await bench.store.commit(ended)
        await ear.hears_of_task(deliveries[0].fence.task_id)
    (notice,) = (notice for notice in ear.notices if notice.tasks)
    assert (len(notice.tasks), notice.results) == (8, {})
    await other.aclose()


async def test_nobody_hears_notices_who_only_knows_the_name_of_the_schema(bench: Bench, url: str) -> None:
    heard: list[object] = []

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        heard.append(payload)

    connection = await asyncpg.connect(server_url())
    await connection.add_listener(f"stem:{schema_of(url)}", hear)
    await heard_of(bench, url, b"17")
    await connection.fetchval("SELECT 1")
    assert heard == []
    await connection.close()
