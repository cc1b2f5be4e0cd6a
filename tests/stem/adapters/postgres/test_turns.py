"""A worker of several queues, while another worker is taking from one of them."""

from __future__ import annotations

import asyncpg
import pytest

from stem.testing.contracts import Bench
from tests.server_postgres import server_url
from tests.stem.adapters.postgres.joining import schema_of


@pytest.mark.parametrize("weights", [{"a": 3, "b": 1}, {"a": 1, "b": 3}])
async def test_what_another_worker_is_taking_from_one_queue_does_not_hide_what_is_due_in_another(
    bench: Bench, url: str, weights: dict[str, int]
) -> None:
    ids = {queue: await bench.put(queue=queue) for queue in weights}
    first = max(weights, key=lambda queue: weights[queue])
    other = min(weights, key=lambda queue: weights[queue])
    connection = await asyncpg.connect(server_url())
    async with connection.transaction():
        taking = f"SELECT FROM {schema_of(url)}.line WHERE queue = $1 FOR UPDATE"
        assert len(await connection.fetch(taking, first)) == 1
        assert await bench.leased_ids(1, queues=weights) == [ids[other]]
    await connection.close()
