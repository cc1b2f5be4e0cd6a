"""What whoever runs the server is told: what can lose accepted work, and what makes work slow."""

from __future__ import annotations

from collections.abc import Iterator

import asyncpg
import pytest

from stem import Stem
from stem.adapters.postgres import safety
from tests.scenarios.support.postgres import fresh_url
from tests.server_postgres import PostgresServer, server_url, start_server

LAX = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


@pytest.fixture(scope="module")
def lax_server() -> Iterator[PostgresServer]:
    server = start_server(*LAX)
    yield server
    server.remove()


async def warnings_at(url: str) -> tuple[str, ...]:
    async with Stem(url) as stem:
        return await stem.inspect.warnings()


async def test_each_setting_that_loses_work_or_makes_it_slow_is_named_with_what_to_do(
    lax_server: PostgresServer,
) -> None:
    sentences = await warnings_at(fresh_url(lax_server))
    for setting in LAX:
        assert [s for s in sentences if s.startswith(f"{setting}: ") and "`on`" in s] != [], setting


async def test_a_server_as_it_should_be_is_not_complained_of(url: str) -> None:
    assert [sentence for sentence in await warnings_at(url) if not sentence.startswith("fsync=off")] == []


async def test_a_transaction_that_stays_open_is_named_because_claims_become_slower(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safety, "_LONG_SECONDS", -1)
    idler = await asyncpg.connect(server_url(), server_settings={"application_name": "reports"})
    async with idler.transaction():
        pid = await idler.fetchval("SELECT pg_backend_pid()")
        (sentence,) = [found for found in await warnings_at(url) if "transaction" in found]
        assert f"(pid {pid}, reports)" in sentence
    await idler.close()
