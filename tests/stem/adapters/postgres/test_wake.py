"""Notices between stores: what they say, what they leave out, and what happens when they cannot be sent."""

from __future__ import annotations

import json

import asyncpg
import pytest

from stem.adapters.postgres import open_store
from stem.adapters.postgres.errors import is_too_much_news
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.wake import decode_notice
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change
from stem.contracts.store import Notice
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.ear import Ear

EVERYTHING = Notice(everything=True)


@pytest.mark.parametrize(
    ("payload", "notice"),
    [
        (["other", ["q"], ["a", "b"]], Notice(frozenset({"q"}), ("a", "b"))),
        (["other", None, ["a"]], Notice(frozenset(), ("a",))),
        (["own", ["q"], None], Notice()),
        (["other", None, None, ["news"]], Notice(channels=frozenset({"news"}))),
        (["other", None, None, None, None], EVERYTHING),
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
