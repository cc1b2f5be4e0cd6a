"""Enqueueing inside a transaction: what needs no database to be said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import aiosqlite
import pytest

from stem.app import Stem
from stem.errors import EnqueueError, UnusableConnection
from stem.sync import SyncStem
from tests.joined import ship


async def test_an_engine_without_transactions_of_its_users_says_which_ones_have_them() -> None:
    async with Stem("memory://") as stem:
        with pytest.raises(UnusableConnection, match=r"postgresql://, sqlite://\); found memory://"):
            await stem.enqueue(ship.call(7), connection=object())
        with pytest.raises(UnusableConnection, match="memory://"):
            await stem.enqueue_many([ship.call(7)], connection=object())


async def test_with_results_elsewhere_it_is_the_engine_of_the_messages_that_is_joined(tmp_path: Path) -> None:
    place = tmp_path / "stem.db"
    async with Stem(broker=f"sqlite:///{place}", results="memory://") as stem, aiosqlite.connect(place) as connection:
        handle = await stem.enqueue(ship.call(7), connection=connection)
        await connection.commit()
        assert (await handle.status()).queue == "shipping"


def test_the_blocking_client_says_the_same() -> None:
    with SyncStem("memory://") as stem, pytest.raises(UnusableConnection, match="memory://"):
        stem.enqueue(ship.call(7), connection=object())


def test_it_is_an_error_of_enqueueing_because_nothing_was_stored() -> None:
    assert issubclass(UnusableConnection, EnqueueError)


def test_no_driver_is_imported_for_somebody_who_uses_another(tmp_path: Path) -> None:
    script = f"""
import json, sqlite3, sys
from stem import SyncStem
from tests.joined import ship
before = {{"psycopg", "sqlalchemy", "asyncpg"}} & set(sys.modules)
with SyncStem("sqlite:///{tmp_path / "stem.db"}") as stem:
    connection = sqlite3.connect("{tmp_path / "stem.db"}")
    stem.enqueue(ship.call(7), connection=connection)
    connection.commit()
    connection.close()
print(json.dumps(sorted({{"psycopg", "sqlalchemy", "asyncpg"}} & set(sys.modules) - before)))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(run.stdout) == []
