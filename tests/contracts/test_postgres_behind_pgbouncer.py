"""The public contract suite on PostgreSQL behind a PgBouncer that pools transactions; the poll stands in for LISTEN."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contracts.test_postgres import TestPostgres as _TestPostgres
from tests.server_pgbouncer import bouncer_before
from tests.server_postgres import drop_schema, postgres_server, postgres_url

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with bouncer_before(postgres_server().port) as port:
        yield port


class TestPostgresBehindPgBouncer(_TestPostgres):
    test_a_task_in_this_state_answers_this_event_as_the_table_says = None  # type: ignore[assignment]  # a quarter of
    # all tests, which differ in nothing that a pooler sees

    @pytest.fixture
    async def url(self, port: int) -> AsyncIterator[str]:
        server, schema = postgres_server(), postgres_url().rpartition("schema=")[2]
        yield f"{server.url.replace(str(server.port), str(port))}?schema={schema}"
        await drop_schema(f"{server.url}?schema={schema}")
