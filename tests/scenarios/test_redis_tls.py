"""A Redis behind TLS: who is trusted, who has to show a certificate, and that no secret is ever shown."""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stem.adapters.redis import open_store
from stem.app import Stem
from stem.cli.main import main
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Fence
from stem.contracts.store import LeaseVerdict, Renewal
from stem.errors import ConfigError, StemError, StoreUnavailable
from tests.certificates import Authority, Identity
from tests.scenarios.support.crew import assert_consumes, working
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.proxy import Proxy
from tests.servers import RedisServer

pytestmark = pytest.mark.server
SECRET = "open-sesame"


@dataclass(frozen=True, slots=True)
class Papers:
    """An authority, and a certificate of it for a client; both as options of a URL."""

    authority: Authority
    client: Identity
    folder: Path

    @property
    def trusted(self) -> str:
        return f"ssl_ca_certs={self.authority.file}"

    @property
    def shown(self) -> str:
        return f"ssl_certfile={self.client.certificate}&ssl_keyfile={self.client.key}"

    def server(self, *, until: datetime | None = None, demanding: bool = False) -> ssl.SSLContext:
        """What a server for `localhost` shows; a demanding one wants to see a certificate in return."""
        identity = self.authority.issue("server", "localhost", until=until)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.certificate, identity.key)
        if demanding:
            context.load_verify_locations(self.authority.file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    (folder / "text.pem").write_text("Dear diary")
    authority = Authority(folder)
    return Papers(authority, authority.issue("client"), folder)


@pytest.fixture
def locked(redis: RedisServer) -> RedisServer:
    """A Redis that wants a password."""
    return redis.start("--requirepass", SECRET)


def place(proxy: Proxy, *options: str, host: str = "localhost", password: str = SECRET) -> str:
    return f"rediss://:{password}@{host}:{proxy.port}/0?{'&'.join(('timeout=1', *options))}"


async def refused(url: str) -> StemError:
    """The error of a store that cannot be opened; it holds no secret."""
    with pytest.raises(StemError) as caught:
        await open_store(url, StoreOptions())
    assert SECRET not in f"{caught.value!r} {caught.value}"
    return caught.value


async def test_workers_clients_and_keepers_speak_tls_and_show_their_certificate(
    locked: RedisServer, papers: Papers, journal: Journal
) -> None:
    async with Proxy(locked.port, papers.server(demanding=True)) as proxy:
        url = place(proxy, papers.trusted, papers.shown)
        async with working(url), Stem(url) as stem:
            await assert_consumes(stem, journal)
        store = await open_store(url, StoreOptions())
        keeper = store.keeper()
        nobody = Renewal(Fence("nobody", 1, "nonce"), 1_000_000)
        assert await asyncio.to_thread(keeper.renew, [nobody]) == [LeaseVerdict.LOST]
        keeper.close()
        await store.aclose()


@pytest.mark.parametrize(
    ("host", "options", "is_trusted"),
    [
        ("localhost", "CA", True),
        ("localhost", "", False),
        ("127.0.0.1", "CA", False),
        ("127.0.0.1", "CA&ssl_check_hostname=false", True),
        ("localhost", "ssl_check_hostname=false", False),
        ("127.0.0.1", "ssl_cert_reqs=none", True),
    ],
)
async def test_a_server_is_trusted_by_its_authority_and_its_name(
    host: str, options: str, is_trusted: bool, locked: RedisServer, papers: Papers
) -> None:
    async with Proxy(locked.port, papers.server()) as proxy:
        url = place(proxy, options.replace("CA", papers.trusted), host=host)
        if is_trusted:
            await (await open_store(url, StoreOptions())).aclose()
        else:
            error = await refused(url)
            assert isinstance(error, ConfigError)
            assert "a certificate that can be trusted" in error.expected
            assert "ssl_ca_certs" in error.do


async def test_an_expired_certificate_is_not_trusted(locked: RedisServer, papers: Papers) -> None:
    async with Proxy(locked.port, papers.server(until=datetime.now(UTC) - timedelta(days=1))) as proxy:
        error = await refused(place(proxy, papers.trusted))
        assert isinstance(error, ConfigError)
        assert "expired" in error.found


async def test_a_server_that_wants_a_certificate_says_so_to_who_shows_none(locked: RedisServer, papers: Papers) -> None:
    async with Proxy(locked.port, papers.server(demanding=True)) as proxy:
        assert "ssl_certfile" in (await refused(place(proxy, papers.trusted))).do


async def test_a_key_with_a_password_is_opened_with_it_and_not_without(locked: RedisServer, papers: Papers) -> None:
    identity = papers.client.with_password("heron")
    files = f"ssl_certfile={identity.certificate}&ssl_keyfile={identity.key}"
    async with Proxy(locked.port, papers.server(demanding=True)) as proxy:
        url = place(proxy, papers.trusted, files)
        await (await open_store(f"{url}&ssl_password=heron", StoreOptions())).aclose()
        for wrong in (url, f"{url}&ssl_password={SECRET}"):
            assert "ssl_password" in (await refused(wrong)).do


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("ssl_ca_certs=FOLDER/none.pem", "none.pem"),
        ("ssl_ca_certs=FOLDER/text.pem", "text.pem"),
        ("ssl_certfile=FOLDER/none.pem", "none.pem"),
        ("ssl_certfile=FOLDER/client.pem", "client.pem"),
        ("ssl_certfile=FOLDER/client.pem&ssl_keyfile=FOLDER/authority.pem", "authority.pem"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named_before_anything_is_sent(
    options: str, named: str, papers: Papers
) -> None:
    async with Proxy(1) as nobody:
        error = await refused(place(nobody, options.replace("FOLDER", str(papers.folder)), f"ssl_password={SECRET}"))
        assert isinstance(error, ConfigError)
        assert named in error.expected
        assert nobody.connections == 0


async def test_plain_and_tls_mixed_up_is_said(locked: RedisServer, papers: Papers) -> None:
    async with Proxy(locked.port, papers.server()) as proxy:
        plain = await refused(f"redis://:{SECRET}@localhost:{proxy.port}/0?timeout=1")
    over_tls = await refused(f"rediss://:{SECRET}@localhost:{locked.port}/0?timeout=1")
    for error in (plain, over_tls):
        assert isinstance(error, StoreUnavailable)
        assert "rediss://" in error.do or "TLS ports are not mixed up" in error.do


async def test_no_secret_is_in_logs_or_reprs(
    locked: RedisServer, papers: Papers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Proxy(locked.port, papers.server()) as proxy:
        url = place(proxy, papers.trusted, f"ssl_password={SECRET}")
        async with Stem(url) as stem, working(url) as worker:
            shown = [repr(stem), repr(worker), repr(worker.settings), *await stem.inspect.warnings()]
            proxy.swallow()
            proxy.cut()
            with pytest.raises(StoreUnavailable):
                await stem.inspect.now()
            proxy.pass_on()
    assert SECRET not in "\n".join((*shown, caplog.text))


def test_the_doctor_shows_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"rediss+sentinel://app:{SECRET}@127.0.0.1:1/main?sentinel_password={SECRET}&ssl_password={SECRET}"
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--url", url])
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert "rediss+sentinel://app:***@127.0.0.1:1/main" in "".join(said.out.split("\n"))
    assert SECRET not in said.out + said.err
