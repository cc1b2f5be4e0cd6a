"""Opening: what a URL says, and one clear error for each thing that stands in the way."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from stem.adapters.postgres import migrate, open_store
from stem.adapters.postgres.connection import check_version
from stem.adapters.postgres.migrations import VERSION, steps
from stem.adapters.postgres.url import parse_url
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change
from stem.errors import ConfigError, SchemaMismatch, StemError, StoreCorrupt, StoreReadOnly, StoreUnavailable
from stem.testing.contracts import publish
from tests.server_postgres import server_url

OPTIONS = StoreOptions()
SECRET = "s3cret word"


@pytest.fixture
async def admin() -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server_url())
    yield connection
    await connection.close()


@pytest.fixture
async def guest(admin: asyncpg.Connection, url: str) -> AsyncIterator[str]:
    """A user with a password and no rights; the URL with both."""
    name = url.rpartition("schema=")[2].replace("test", "guest")
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    await admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def as_guest(url: str, name: str, password: str = SECRET) -> str:
    return url.replace("stem@", f"{name}:{password.replace(' ', '%20')}@", 1)


@pytest.mark.parametrize(
    ("url", "schema", "shown"),
    [
        ("postgresql://h/d", "ns", "postgresql://h/d"),
        ("postgresql://u:p%40x@h:5433/d?schema=jobs", "jobs", "postgresql://u@h:5433/d"),
        ("postgresql:///d?host=/run/postgresql", "ns", "postgresql:///run/postgresql/d"),
        ("postgresql://u:p@x@one:1,two/d?target_session_attrs=primary", "ns", "postgresql://u@one:1,two/d"),
        ("postgresql://u:p@x@[::1]:5433/d?listen=[::1]:5432", "ns", "postgresql://u@[::1]:5433/d"),
    ],
)
def test_a_url_names_a_database_and_a_schema_and_its_password_is_never_shown(url: str, schema: str, shown: str) -> None:
    place = parse_url(url, "ns")
    assert (place.schema, str(place)) == (schema, shown)
    assert "p@x" not in repr(place)
    assert "p%40x" not in repr(place)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://h/d?colour=red",
        "postgresql://h/d#part",
        "postgresql://h:port/d",
        "postgresql://h/d?schema=pg_catalog",
        "postgresql://h/d?schema=a.b",
        "postgresql://h/d?schema=",
        "postgresql://h/d?pgbouncer=maybe",
        "postgresql://h/d%00",
        "postgresql://h:99999/d",
        "postgresql://h/d?port=x",
        "postgresql://u:a/b@h/d",
        "postgresql://h/d?sslmode=perhaps",
        "postgresql://h/d?target_session_attrs=writable",
        "postgresql://h/d?listen=",
        "postgresql://h/d?listen=postgresql://h2/d",
    ],
)
def test_a_url_of_another_form_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError):
        parse_url(url, "stem")


def test_a_namespace_that_fits_no_schema_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="namespace"):
        parse_url("postgresql://h/d", "Shop-1")


def test_a_server_that_is_too_old_is_a_config_error() -> None:
    place = parse_url("postgresql://h/d", "stem")
    check_version(13, place)
    with pytest.raises(ConfigError, match="PostgreSQL 12"):
        check_version(12, place)


async def test_a_host_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="takes connections"):
        await open_store("postgresql://u:hidden@127.0.0.1:1/d", OPTIONS)


async def test_a_wrong_password_says_so_and_is_not_shown(guest: str, url: str) -> None:
    with pytest.raises(ConfigError, match="password that the server takes") as caught:
        await open_store(as_guest(url, guest, "wr0ng"), OPTIONS)
    assert "wr0ng" not in str(caught.value)


async def test_a_database_that_does_not_exist_says_so(url: str) -> None:
    with pytest.raises(ConfigError, match="database that exists"):
        await open_store(url.replace("/postgres?", "/nowhere?"), OPTIONS)


async def test_tls_that_the_server_does_not_offer_says_so(url: str) -> None:
    with pytest.raises(ConfigError, match="TLS"):
        await open_store(f"{url}&sslmode=require", OPTIONS)


async def test_a_user_who_may_not_create_the_schema_is_told_which_rights_are_missing(guest: str, url: str) -> None:
    with pytest.raises(ConfigError, match="rights"):
        await open_store(as_guest(url, guest), OPTIONS)


async def test_a_user_without_rights_on_the_tables_is_told_so_and_nothing_is_half_done(guest: str, url: str) -> None:
    store = await open_store(url, OPTIONS)
    with pytest.raises(ConfigError, match="rights"):
        await open_store(as_guest(url, guest), OPTIONS)
    assert await store.queues() == ()
    await store.aclose()


async def test_a_role_that_is_read_only_opens_and_cannot_write(admin: asyncpg.Connection, guest: str, url: str) -> None:
    schema = url.rpartition("schema=")[2]
    await (await open_store(url, OPTIONS)).aclose()
    await admin.execute(
        f"GRANT USAGE ON SCHEMA {schema} TO {guest}; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {guest}"
    )
    await admin.execute(f"ALTER ROLE {guest} SET default_transaction_read_only = on")
    store = await open_store(as_guest(url, guest), OPTIONS)
    assert await store.queues() == ()
    with pytest.raises(StoreReadOnly, match="primary"):
        await store.commit([Change((publish(),))])
    await store.aclose()


async def test_a_schema_with_other_tables_is_left_alone_until_it_is_migrated(
    admin: asyncpg.Connection, url: str
) -> None:
    schema = url.rpartition("schema=")[2]
    await admin.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.other (a integer)")
    with pytest.raises(SchemaMismatch, match="stem migrate"):
        await open_store(url, OPTIONS)
    assert await migrate(url, OPTIONS) == tuple(steps().values())
    assert await migrate(url, OPTIONS) == ()
    await (await open_store(url, OPTIONS)).aclose()


async def test_a_schema_that_is_too_new_is_refused_and_one_that_is_compatible_is_used(
    admin: asyncpg.Connection, url: str
) -> None:
    schema = url.rpartition("schema=")[2]
    await (await open_store(url, OPTIONS)).aclose()
    await admin.execute(f"UPDATE {schema}.schema_version SET version = {VERSION + 1}")
    await (await open_store(url, OPTIONS)).aclose()
    await admin.execute(f"UPDATE {schema}.schema_version SET compatible_from = {VERSION + 1}")
    for opening in (open_store, migrate):
        with pytest.raises(SchemaMismatch, match="Update Stem"):
            await opening(url, OPTIONS)


async def test_a_start_on_an_empty_schema_migrates_it_also_when_many_start_at_once(url: str) -> None:
    import asyncio

    stores = await asyncio.gather(*(open_store(url, OPTIONS) for _ in range(6)))
    for store in stores:
        assert await store.queues() == ()
        await store.aclose()


async def test_every_error_names_the_place_without_the_password(guest: str, url: str) -> None:
    with pytest.raises(StemError) as caught:
        await open_store(as_guest(url, guest), OPTIONS)
    assert guest in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_a_row_that_stem_did_not_write_is_corrupt(admin: asyncpg.Connection, url: str) -> None:
    store = await open_store(url, OPTIONS)
    write = publish()
    await store.commit([Change((write,))])
    await admin.execute(f"UPDATE {url.rpartition('schema=')[2]}.tasks SET state = 'asleep'")
    with pytest.raises(StoreCorrupt, match="asleep"):
        await store.get([write.envelope.id])
    await store.aclose()


async def test_a_closed_store_is_unavailable(url: str) -> None:
    store = await open_store(url, OPTIONS)
    await store.aclose()
    with pytest.raises(StoreUnavailable, match="closed store"):
        await store.now()
