"""The row that scripts and Python share."""

from __future__ import annotations

import pytest

from stem.adapters.redis.rows import compiled, read_row
from stem.adapters.redis.store import RedisStore
from stem.testing.contracts import Bench


def test_a_script_names_fields_and_runs_with_their_places() -> None:
    assert compiled("row.seq = row.published + other.row") == "row[1] = row[2] + other.row"


def test_a_field_that_no_row_has_is_found_when_the_script_is_read() -> None:
    with pytest.raises(KeyError, match="fense"):
        compiled("row.fense = 1")


async def test_python_reads_what_a_script_wrote(bench: Bench, store: RedisStore) -> None:
    task_id = await bench.put(queue="mäil", name="shop.charge", priority=7, max_retries=9)
    raw = await store.server.command("HGET", store.server.keys[0], task_id)
    row = read_row(raw)
    expected = {"id": task_id, "queue": "mäil", "name": "shop.charge", "priority": 7, "max_retries": 9, "fence": 0}
    assert {name: getattr(row, name) for name in expected} == expected
    assert row.published == row.due == bench.clock.now()
