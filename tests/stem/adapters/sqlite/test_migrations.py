"""Which schema is used, which is made, and which is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stem.adapters.sqlite import migrate, migrations, open_store
from stem.adapters.sqlite.connection import Place, connect_blocking
from stem.adapters.sqlite.migrations import VERSION, check_schema, migrate_schema, steps
from stem.adapters.sqlite.statements import FOLDER
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.errors import SchemaMismatch
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench


def set_schema(database: Path, version: int, compatible_from: int) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("UPDATE stem_schema SET version = ?, compatible_from = ?", (version, compatible_from))


async def test_an_empty_database_gets_the_schema(store: Store, plain: sqlite3.Connection) -> None:
    assert plain.execute("SELECT version FROM stem_schema").fetchall() == [(VERSION,)]


def test_the_steps_are_numbered_without_a_gap_up_to_the_version() -> None:
    assert list(steps()) == list(range(1, VERSION + 1))


async def test_a_database_with_other_tables_is_left_alone_and_the_command_is_named(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER)")
    with pytest.raises(SchemaMismatch, match="stem migrate --url sqlite:///"):
        await open_store(f"sqlite:///{database}", StoreOptions())
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("customers",)]


async def test_a_database_with_other_tables_can_be_migrated(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER)")
    url = f"sqlite:///{database}"
    assert await migrate(url, StoreOptions()) == tuple(steps().values())
    assert await migrate(url, StoreOptions()) == ()
    await (await open_store(url, StoreOptions())).aclose()


async def test_an_older_schema_is_refused_and_the_command_is_named(database: Path) -> None:
    url = f"sqlite:///{database}"
    await (await open_store(url, StoreOptions())).aclose()
    set_schema(database, 0, 0)
    with pytest.raises(SchemaMismatch, match="stem migrate --url"):
        await open_store(url, StoreOptions())


async def test_a_newer_schema_that_this_version_can_use_is_used(database: Path) -> None:
    url = f"sqlite:///{database}"
    await (await open_store(url, StoreOptions())).aclose()
    set_schema(database, VERSION + 1, VERSION)
    await (await open_store(url, StoreOptions())).aclose()
    assert await migrate(url, StoreOptions()) == ()


async def test_a_newer_schema_that_this_version_cannot_use_is_refused(database: Path) -> None:
    url = f"sqlite:///{database}"
    await (await open_store(url, StoreOptions())).aclose()
    set_schema(database, VERSION + 2, VERSION + 1)
    with pytest.raises(SchemaMismatch, match="Update Stem"):
        await open_store(url, StoreOptions())
    with pytest.raises(SchemaMismatch, match="Update Stem"):
        await migrate(url, StoreOptions())


def test_a_database_that_another_process_migrates_between_two_looks_is_used(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(database)
    looks: list[str] = []

    def look(name: str) -> Callable[[sqlite3.Connection], object]:
        question: Callable[[sqlite3.Connection], object] = getattr(migrations, name)

        def asked(connection: sqlite3.Connection) -> object:
            looks.append(name)
            if len(looks) == 2:
                with closing(connect_blocking(place)) as other:
                    migrate_schema(other, place)
            return question(connection)

        return asked

    with closing(connect_blocking(place)) as connection:
        for name in ("_found", "_is_empty"):
            monkeypatch.setattr(migrations, name, look(name))
        check_schema(connection, place)
    assert set(looks[:2]) == {"_found", "_is_empty"}


async def test_a_step_that_fails_leaves_the_schema_as_it_was(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE stem_uniques (other INTEGER)")
    from stem.errors import StoreError

    with pytest.raises(StoreError):
        await migrate(f"sqlite:///{database}", StoreOptions())
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("stem_uniques",)]


def make_older(database: Path, version: int, task: str, *parameters: object) -> None:
    """A database of an older schema in which one message waits; `task` are the columns that it has besides."""
    columns, _, values = task.partition(" = ")
    with closing(connect_blocking(Place(database))) as connection:
        for number in range(1, version + 1):
            connection.executescript((FOLDER / "migrations" / steps()[number]).read_text(encoding="utf-8"))
        connection.execute("INSERT INTO stem_schema VALUES (?1, ?1)", (version,))
        connection.execute(
            f"""
            INSERT INTO stem_tasks (id, name, queue, priority, state, published_at, due, result_ttl, ignore_result,
                max_retries, root, accepted_at, {columns})
            VALUES ('t', 'n', 'default', 0, 'queued', 0, 0, 1, 0, 3, 'r', 0, {values})
            """,
            parameters,
        )
        connection.execute("INSERT INTO stem_envelopes VALUES (1, x'00')")


async def test_what_was_refused_under_an_older_schema_is_passed_over_until_its_time_all_the_same(
    database: Path, clock: ManualClock
) -> None:
    make_older(database, 2, "refused = json_array(json_array('registry-1', ?))", clock.now() + 1_000_000)
    url = f"sqlite:///{database}"
    assert await migrate(url, StoreOptions()) == tuple(steps().values())[2:]
    store = await open_store(url, StoreOptions(clock=clock))
    bench = Bench(store, clock)
    assert (await bench.lease()).next_due == 1_000_000
    clock.advance(1)
    assert await bench.leased_ids() == ["t"]
    await store.aclose()


async def test_what_stood_aside_under_an_older_schema_is_judged_anew(database: Path, clock: ManualClock) -> None:
    make_older(database, 3, "aside = 7")
    url = f"sqlite:///{database}"
    await migrate(url, StoreOptions())
    store = await open_store(url, StoreOptions(clock=clock))
    assert await Bench(store, clock).leased_ids() == ["t"]
    await store.aclose()
