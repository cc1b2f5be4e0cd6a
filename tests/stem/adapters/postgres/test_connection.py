"""One connection: what is repeated, what is translated, what is not done twice."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from stem.adapters.postgres.connection import Server
from stem.adapters.postgres.line import Line
from stem.adapters.postgres.url import parse_url
from stem.errors import (
    ConfigError,
    SchemaMismatch,
    StemError,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from tests.server_postgres import postgres_url

REPEATED = ["40001", "40P01"]
TRANSLATED: list[tuple[str, type[StemError]]] = [
    ("08006", StoreUnavailable),
    ("25006", StoreUnavailable),  # it took writes when the connection was made
    ("28000", ConfigError),
    ("28P01", ConfigError),
    ("3D000", ConfigError),
    ("42501", ConfigError),
    ("42601", StoreError),
    ("42P01", SchemaMismatch),
    ("53100", StoreFull),
    ("53300", StoreUnavailable),
    ("55P03", StoreUnavailable),
    ("57P03", StoreUnavailable),
    ("58030", StoreUnavailable),
    ("XX001", StoreCorrupt),
]


def failed(state: str) -> asyncpg.PostgresError:
    error = asyncpg.PostgresError("said the server")
    error.sqlstate = state
    return error


class Failing:
    """Work that fails so many times before it is done."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error = error
        self.left = times
        self.calls = 0

    async def __call__(self, connection: asyncpg.Connection) -> int:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error
        answer: int = await connection.fetchval("SELECT 7")
        return answer


@pytest.fixture
def line() -> Line:
    return Line(parse_url(postgres_url(), "stem"), Server(behind_bouncer=False))


@pytest.mark.parametrize("state", REPEATED)
async def test_a_deadlock_or_a_serialization_failure_is_done_again(line: Line, state: str) -> None:
    work = Failing(failed(state), 3)
    assert await line.run(work) == 7
    assert work.calls == 4
    await line.close()


async def test_what_fails_in_this_way_for_ever_is_unavailable(line: Line) -> None:
    with pytest.raises(StoreUnavailable):
        await line.run(Failing(failed("40P01"), 100))
    await line.close()


@pytest.mark.parametrize(("state", "kind"), TRANSLATED)
async def test_an_error_of_the_server_is_one_of_stem_and_is_not_repeated_on_a_new_connection(
    line: Line, state: str, kind: type[StemError]
) -> None:
    work = Failing(failed(state), 1)
    with pytest.raises(StemError, match="said the server") as caught:
        await line.run(work)
    assert type(caught.value) is kind
    assert work.calls == 1
    await line.close()


async def test_what_meets_a_connection_that_was_lost_meanwhile_is_done_on_a_new_one(line: Line) -> None:
    assert await line.run(Failing(OSError(), 0)) == 7
    work = Failing(ConnectionResetError(), 1)
    assert await line.run(work) == 7
    assert work.calls == 2
    await line.close()


async def test_an_answer_that_does_not_come_is_not_waited_for_twice(line: Line) -> None:
    assert await line.run(Failing(OSError(), 0)) == 7
    work = Failing(TimeoutError(), 1)
    with pytest.raises(StoreUnavailable):
        await line.run(work)
    assert work.calls == 1
    await line.close()


async def test_works_are_done_one_after_the_other(line: Line) -> None:
    running = 0

    async def work(connection: asyncpg.Connection) -> int:
        nonlocal running
        running += 1
        most = running
        await connection.fetchval("SELECT pg_sleep(0)")
        running -= 1
        return most

    assert await asyncio.gather(*(line.run(work) for _ in range(5))) == [1] * 5
    await line.close()
