"""URLs, settings, and what is said when a file cannot be used."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from stem.adapters.sqlite import open_store
from stem.adapters.sqlite.connection import Place, connect_blocking, parse_url, require_json
from stem.adapters.sqlite.errors import translate
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Applied, Change, Publish, Refused
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Store
from stem.errors import (
    ConfigError,
    StemError,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench, make_envelope, publish


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///stem.db", Place(Path("stem.db"))),
        ("sqlite:///data/stem.db", Place(Path("data/stem.db"))),
        ("sqlite:////var/lib/stem.db", Place(Path("/var/lib/stem.db"))),
        ("sqlite:////a%20b/stem.db?synchronous=FULL", Place(Path("/a b/stem.db"), "full")),
    ],
)
def test_a_url_names_a_relative_or_an_absolute_file(url: str, place: Place) -> None:
    assert parse_url(url) == place


def test_an_sqlite_that_was_built_without_json_is_a_config_error() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        require_json(connection)
        connection.execute("CREATE TEMP TABLE pragma_function_list (name)")  # stands before the real list
        with pytest.raises(ConfigError, match="SQLITE_ENABLE_JSON1"):
            require_json(connection)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("sqlite:///:memory:", "memory://"),
        ("sqlite://", "sqlite:///relative.db"),
        ("sqlite:///", "sqlite:///relative.db"),
        ("sqlite://stem.db", "sqlite:///relative.db"),
        ("sqlite:///stem.db?synchronous=off", "synchronous=full"),
        ("sqlite:///stem.db?mode=ro", "synchronous=full"),
    ],
)
def test_another_url_is_a_config_error_with_advice(url: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    assert advice in str(caught.value)


@pytest.mark.parametrize(("synchronous", "number"), [("normal", 1), ("full", 2)])
def test_a_commit_is_as_durable_as_the_url_says(tmp_path: Path, synchronous: str, number: int) -> None:
    with closing(connect_blocking(Place(tmp_path / "stem.db", synchronous))) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (number,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_folder_that_does_not_exist_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="folder that exists"):
        await open_store(f"sqlite:///{tmp_path}/missing/stem.db", StoreOptions())


async def test_a_file_that_is_no_database_is_corrupt(database: Path) -> None:
    database.write_bytes(b"this is no database, and it is long enough to look like one" * 20)
    with pytest.raises(StoreCorrupt) as caught:
        await open_store(f"sqlite:///{database}", StoreOptions())
    assert str(database) in str(caught.value)
    assert database.read_bytes().startswith(b"this is no database")


async def test_a_damaged_file_is_corrupt(bench: Bench, store: Store, database: Path) -> None:
    await bench.store.commit([Change((publish(payload=b'"' + b"x" * 3000 + b'"'),)) for _ in range(50)])
    await store.aclose()
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xde\xad" * ((size - 4096 * 2) // 2))
    with pytest.raises(StoreCorrupt):
        await _use(f"sqlite:///{database}")


async def _use(url: str) -> None:
    store = await open_store(url, StoreOptions())
    try:
        await store.queues()
        await store.commit([Change((publish(),))])
    finally:
        await store.aclose()


_AS_ORDINARY_USER = """
import asyncio, os
from stem.adapters.sqlite import open_store
from stem.contracts.adapter import StoreOptions
from stem.errors import StoreReadOnly

async def main():
    await (await open_store("sqlite:///stem.db", StoreOptions())).aclose()
    os.chmod("stem.db", 0o444)
    if os.getuid() == 0:
        os.setuid(65534)
    try:
        await open_store("sqlite:///stem.db", StoreOptions())
    except StoreReadOnly as error:
        print(error)

asyncio.run(main())
"""


def test_a_file_that_cannot_be_written_is_read_only(tmp_path: Path) -> None:
    """In a process of its own, which gives up being root, because nothing is read-only for root."""
    tmp_path.chmod(0o755)
    command = [sys.executable, "-c", _AS_ORDINARY_USER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert "STEM-E033" in done.stdout, done.stderr


async def test_a_full_disk_loses_nothing_accepted_and_writing_goes_on_when_there_is_space(
    store: Store, bench: Bench
) -> None:
    kept = await bench.put()
    await _limit_pages(store, 60)
    large = publish(payload=b'"' + b"x" * 400_000 + b'"')
    with pytest.raises(StoreFull) as caught:
        await store.commit([Change((publish(),)), Change((large,))])
    assert "space" in str(caught.value)
    assert set(await bench.everything()) == {kept}
    await _limit_pages(store, 1_000_000)
    assert await store.commit([Change((large,))]) == [APPLIED]
    assert set(await bench.everything()) == {kept, large.envelope.id}


async def _limit_pages(store: Store, pages: int) -> None:
    """What a disk does that has no space for more."""
    from stem.adapters.sqlite.store import SqliteStore

    assert isinstance(store, SqliteStore)

    def limit(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    await store.in_writer(limit)


async def test_a_file_that_stays_locked_is_unavailable_and_usable_afterwards(
    store: Store, plain: sqlite3.Connection, bench: Bench
) -> None:
    from stem.adapters.sqlite.store import SqliteStore

    assert isinstance(store, SqliteStore)
    await store.in_writer(lambda connection: connection.execute("PRAGMA busy_timeout = 20").fetchone())
    plain.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.commit([Change((publish(),))])
    plain.execute("ROLLBACK")
    await bench.put()


async def test_a_keeper_that_cannot_write_says_so_and_connects_again(bench: Bench, plain: sqlite3.Connection) -> None:
    from stem.contracts.store import LeaseVerdict, Renewal

    delivery = await bench.running()
    keeper = bench.store.keeper()
    renewal = Renewal(delivery.fence, 10_000_000)
    plain.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        await asyncio.to_thread(keeper.renew, [renewal])
    plain.execute("ROLLBACK")
    assert await asyncio.to_thread(keeper.renew, [renewal]) == [LeaseVerdict.KEPT]
    keeper.close()


async def test_text_that_utf_8_cannot_hold_is_a_config_error_when_asked_and_refused_when_written(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="UTF-8"):
        await bench.store.get(["\udcff"])
    first, bad, last = publish(), Publish(envelope=make_envelope(queue="\udcff"), body=b"{}"), publish()
    verdicts = await bench.store.commit([Change((write,)) for write in (first, bad, last)])
    assert [type(verdict) for verdict in verdicts] == [Applied, Refused, Applied]
    assert set(await bench.everything()) == {first.envelope.id, last.envelope.id}


async def test_a_name_that_sqlite_would_cut_is_refused(bench: Bench) -> None:
    assert isinstance(await bench.write(publish(queue="a\0b")), Refused)


async def test_a_closed_store_is_unavailable(database: Path, clock: ManualClock) -> None:
    store = await open_store(f"sqlite:///{database}", StoreOptions(clock=clock))
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreUnavailable):
        await store.commit([Change((publish(),))])
    with pytest.raises(StoreUnavailable):
        await store.queues()


async def test_bytes_in_the_file_that_are_no_envelope_are_leased_all_the_same(
    bench: Bench, plain: sqlite3.Connection
) -> None:
    first, second = await bench.put(), await bench.put()
    plain.execute("UPDATE stem_envelopes SET body = x'00ff80' WHERE seq = (SELECT min(seq) FROM stem_envelopes)")
    answer = await bench.lease(2)
    assert [delivery.fence.task_id for delivery in answer.deliveries] == [first, second]
    assert answer.deliveries[0].body == b"\x00\xff\x80"
    assert answer.deliveries[1].body.startswith(b"{")


@pytest.mark.parametrize(
    ("column", "value"), [("state", "weird"), ("error", "{nope"), ("tags", "{nope"), ("progress", "[]"), ("refused", 1)]
)
async def test_a_row_that_stem_did_not_write_is_corrupt_and_no_other_error(
    bench: Bench, plain: sqlite3.Connection, column: str, value: object
) -> None:
    task_id = await bench.put()
    plain.execute(f"UPDATE stem_tasks SET {column} = ?", (value,))
    with pytest.raises(StoreCorrupt) as told:
        await bench.record(task_id)
    assert "stem.db" in str(told.value)


async def test_json_that_sqlite_itself_cannot_read_is_corrupt(bench: Bench, plain: sqlite3.Connection) -> None:
    await bench.put()
    plain.execute("UPDATE stem_tasks SET tags = '{nope'")
    with pytest.raises(StoreCorrupt):
        await bench.store.list_tasks(TaskFilter(tag="red"), limit=1)


async def test_a_commit_goes_on_when_its_caller_is_cancelled(bench: Bench) -> None:
    write = publish()
    caller = asyncio.ensure_future(bench.store.commit([Change((write,))]))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await bench.put()
    assert write.envelope.id in await bench.everything()


@pytest.mark.parametrize(
    "name",
    [name for name in dir(sqlite3) if isinstance(getattr(sqlite3, name), int) and name.startswith("SQLITE_")],
)
def test_every_code_of_the_driver_becomes_an_error_of_stem(name: str) -> None:
    error = sqlite3.OperationalError("what it said")
    error.sqlite_errorcode = getattr(sqlite3, name)
    translated = translate(error, "stem.db")
    assert isinstance(translated, StoreError)
    assert isinstance(translated, StemError)
    assert "stem.db" in str(translated)


def test_a_commit_to_a_file_without_permission_is_read_only() -> None:
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED
    assert isinstance(translate(error, "stem.db"), StoreReadOnly)
