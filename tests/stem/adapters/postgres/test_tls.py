"""TLS and credentials, on a server that lets nobody in without: what is asked for is got, and no secret is shown."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import subprocess
import sys
import traceback
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest

from stem import Stem
from stem.adapters.postgres import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change
from stem.contracts.store import LeaseRequest, LeaseVerdict, Renewal
from stem.errors import ConfigError, StemError
from stem.testing.contracts import publish
from tests.certificates import Authority
from tests.scenarios.support.postgres import admin_of, fresh_url
from tests.scenarios.support.waiting import eventually
from tests.server_postgres import PostgresServer, start_server

OPTIONS = StoreOptions()
SECRET = "hush hush: @/?#"
RULES = """
hostssl all stem 127.0.0.1/32 trust
hostssl all certified 127.0.0.1/32 cert
hostssl all careful 127.0.0.1/32 scram-sha-256 clientcert=verify-full
hostssl all known 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """The driver leaves a transport open when TLS fails in it: it is swept up here, not in a test of something else."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[PostgresServer]:
    server = start_server("fsync=off")
    try:
        asyncio.run(_secure(server, authority))
        yield server
    finally:
        server.remove()


async def _secure(server: PostgresServer, authority: Authority) -> None:
    """From now on it is the server 127.0.0.1 of this authority, and there is no way in without TLS."""
    async with admin_of(server) as admin:
        if not await admin.fetchval("SHOW ssl_library"):
            pytest.skip("this build of PostgreSQL has no TLS")
        for name in ("certified", "careful", "known"):
            await admin.execute(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{SECRET}'")
    server.stop()
    data, identity = server.folder / "data", authority.issue("server", "127.0.0.1")
    for source, name in ((identity.certificate, "crt"), (identity.key, "key"), (authority.file, "ca")):
        shutil.copy(source, data / f"server.{name}")
        (data / f"server.{name}").chmod(0o600)
        if server.user is not None:
            shutil.chown(data / f"server.{name}", server.user)
    (data / "pg_hba.conf").write_text(RULES)
    server.options = (*server.options, "ssl=on", "ssl_ca_file=server.ca")
    server.start()


@pytest.fixture
def url(server: PostgresServer) -> str:
    return fresh_url(server)


def as_user(url: str, user: str, password: str | None = None) -> str:
    given = "" if password is None else f":{quote(password, safe='')}"
    return url.replace("stem@", f"{user}{given}@", 1)


@pytest.fixture
async def admin(server: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.url)
    yield connection
    await connection.close()


async def opens(url: str) -> bool:
    store = await open_store(url, OPTIONS)
    await store.aclose()
    return True


async def test_every_connection_of_a_store_is_encrypted(
    url: str, authority: Authority, admin: asyncpg.Connection
) -> None:
    store = await open_store(f"{url}&sslmode=verify-full&sslrootcert={authority.file}", OPTIONS)
    ear = store.listen(lambda notice: None)
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    request = LeaseRequest(request_id="r", worker="w", fingerprint="f", queues={"default": 1}, limit=1)
    (delivery,) = (await store.lease(request)).deliveries
    keeper, renewal = store.keeper(), Renewal(delivery.fence, 1_000_000)
    assert await asyncio.to_thread(keeper.renew, [renewal]) == [LeaseVerdict.KEPT]
    names = {"stem", "stem keeper", "stem listener"}
    await eventually(lambda: _encrypted(admin, names), what="TLS on every connection")
    ear.close()
    await asyncio.to_thread(keeper.close)
    await store.aclose()


async def _encrypted(admin: asyncpg.Connection, names: set[str]) -> bool:
    rows = await admin.fetch(
        "SELECT a.application_name, s.ssl FROM pg_stat_activity AS a JOIN pg_stat_ssl AS s ON s.pid = a.pid "
        "WHERE a.application_name LIKE 'stem%'"
    )
    return {row[0] for row in rows} == names and all(row[1] for row in rows)


@pytest.mark.parametrize(
    ("mode", "host", "trusts"),
    [
        ("prefer", "127.0.0.1", False),
        ("require", "127.0.0.1", False),
        ("require", "localhost", True),
        ("verify-ca", "localhost", True),
        ("verify-full", "127.0.0.1", True),
    ],
)
async def test_a_mode_that_is_content_with_the_server_lets_the_store_in(
    mode: str, host: str, trusts: bool, url: str, authority: Authority
) -> None:
    root = f"&sslrootcert={authority.file}" if trusts else ""
    assert await opens(f"{url.replace('127.0.0.1', host)}&sslmode={mode}{root}")


@pytest.mark.parametrize(
    ("mode", "host"), [("require", "127.0.0.1"), ("verify-ca", "127.0.0.1"), ("verify-full", "127.0.0.1")]
)
async def test_a_server_that_another_authority_vouches_for_is_refused(
    mode: str, host: str, url: str, tmp_path: Path
) -> None:
    other = Authority(tmp_path)
    with pytest.raises(ConfigError, match="TLS") as refused:
        await opens(f"{url.replace('127.0.0.1', host)}&sslmode={mode}&sslrootcert={other.file}")
    assert "CERTIFICATE_VERIFY_FAILED" in refused.value.found


async def test_a_server_of_another_name_is_refused_where_its_name_counts(url: str, authority: Authority) -> None:
    with pytest.raises(ConfigError, match="TLS") as refused:
        await opens(f"{url.replace('127.0.0.1', 'localhost')}&sslmode=verify-full&sslrootcert={authority.file}")
    assert "localhost" in refused.value.found


async def test_a_store_that_will_not_encrypt_is_not_let_in(url: str) -> None:
    with pytest.raises(ConfigError, match="encryption that the server"):
        await opens(f"{url}&sslmode=disable")


@pytest.mark.parametrize("user", ["certified", "careful"])
async def test_a_client_shows_its_certificate(user: str, url: str, authority: Authority) -> None:
    mine = authority.issue(user)
    shown = f"&sslmode=require&sslcert={mine.certificate}&sslkey={mine.key}"
    assert await opens(as_user(url, user, SECRET) + shown)


async def test_a_key_that_is_locked_is_opened_with_its_password(url: str, authority: Authority) -> None:
    mine = authority.issue("certified").with_password(SECRET)
    shown = f"{as_user(url, 'certified')}&sslmode=require&sslcert={mine.certificate}&sslkey={mine.key}"
    assert await opens(f"{shown}&sslpassword={quote(SECRET, safe='')}")
    wrong = SECRET[::-1].replace(" ", "")
    with pytest.raises(ConfigError, match="TLS") as refused:
        await opens(f"{shown}&sslpassword={quote(wrong, safe='')}")
    assert wrong not in everything_said(refused.value)


async def test_a_client_without_a_certificate_or_with_that_of_somebody_else_is_not_let_in(
    url: str, authority: Authority
) -> None:
    url, other = as_user(url, "certified") + "&sslmode=require", authority.issue("known")
    for shown in ("", f"&sslcert={other.certificate}&sslkey={other.key}"):
        with pytest.raises(ConfigError, match=r"admits|password"):
            await opens(url + shown)


async def test_a_client_whose_certificate_nobody_knows_is_not_let_in(url: str, tmp_path: Path) -> None:
    mine = Authority(tmp_path).issue("certified")
    with pytest.raises(StemError):  # which one is luck: the server may hang up before it says why
        await opens(f"{as_user(url, 'certified')}&sslmode=require&sslcert={mine.certificate}&sslkey={mine.key}")


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey", "passfile"])
async def test_a_file_that_is_not_there_is_named(name: str, url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{name}.*nowhere"):
        await opens(f"{url}&sslmode=require&{name}={tmp_path}/nowhere")


async def test_a_file_that_holds_no_certificate_is_refused(url: str, tmp_path: Path) -> None:
    (tmp_path / "diary").write_text("Dear diary")
    with pytest.raises(ConfigError, match="TLS"):
        await opens(f"{url}&sslmode=verify-ca&sslrootcert={tmp_path}/diary")


async def test_the_password_may_come_from_a_file_that_only_its_user_can_read(url: str, tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text(f"*:*:*:known:{SECRET}\n")
    file.chmod(0o600)
    assert await opens(f"{as_user(url, 'known')}&passfile={file}")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="others may use too"):
        await opens(f"{as_user(url, 'known')}&passfile={file}")


async def test_the_password_may_come_from_the_environment(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", SECRET)
    assert await opens(as_user(url, "known"))


def everything_said(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


@pytest.mark.parametrize(
    "broken",
    [
        "known:wr0ng!@127.0.0.1:{port}/postgres",
        "nobody:wr0ng!@127.0.0.1:{port}/postgres",
        "known:wr0ng!@127.0.0.1:{port}/nowhere",
        "known:wr0ng!@nowhere.invalid:{port}/postgres",
        "known:wr0ng!@127.0.0.1:{port}/postgres?sslmode=perhaps",
        "known:wr0ng!/@127.0.0.1:{port}/postgres",
        "known:12/wr0ng!@127.0.0.1:{port}/postgres",
        "known:12?wr0ng!@127.0.0.1:{port}/postgres",
        "known:12#wr0ng!@127.0.0.1:{port}/postgres",
        "known@127.0.0.1:{port}/postgres?password=wr0ng!",
        "known@127.0.0.1:{port}/postgres?password=wr0ng!&sslpassword=wr0ng!&colour=wr0ng!",
        "known@127.0.0.1:{port}/postgres?listen=postgresql://known:wr0ng!@127.0.0.1",
    ],
)
async def test_no_error_repeats_a_password(broken: str, server: PostgresServer) -> None:
    with pytest.raises(StemError) as refused:
        await open_store(f"postgresql://{broken.format(port=server.port)}", OPTIONS)
    assert "wr0ng" not in everything_said(refused.value)


@pytest.mark.parametrize("given", ["known:{}@", "known@"])
def test_the_doctor_and_the_client_show_the_place_and_no_password(given: str, url: str) -> None:
    secret = quote(SECRET, safe="")
    url = url.replace("stem@", given.format(secret)) + ("" if "{}" in given else f"&password={secret}")
    assert secret not in repr(Stem(url))
    command = (sys.executable, "-c", "from stem.cli.main import main; main()", "doctor", "--json", "--url", url)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ}, timeout=60)
    findings = {row["check"]: row for row in json.loads(done.stdout)["findings"]}
    assert findings["store"]["level"] == "ok", done.stdout
    assert secret not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
