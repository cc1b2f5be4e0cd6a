"""What is said when a server cannot be used, and that nothing of the driver gets out."""

from __future__ import annotations

from pathlib import Path
from ssl import SSLError

import pytest
from redis import exceptions as driver

from stem.adapters.redis import open_store
from stem.adapters.redis.errors import translate
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change
from stem.errors import ConfigError, StemError, StoreError, StoreFull, StoreReadOnly, StoreUnavailable
from stem.testing.contracts import make_envelope, publish
from tests.certificates import Authority
from tests.servers import RedisServer, free_port


async def _use(url: str, namespace: str) -> None:
    store = await open_store(url, StoreOptions(namespace=namespace))
    try:
        await store.commit([Change((publish(),))])
    finally:
        await store.aclose()


async def _open(url: str, namespace: str = "errors") -> StemError:
    with pytest.raises(StemError) as caught:
        await _use(url, namespace)
    assert type(caught.value).__module__.startswith("stem.errors.")
    assert "secret" not in str(caught.value)
    return caught.value


async def _add_user(server: RedisServer, *rights: str) -> None:
    """Start the server and give it a user `app` with these rights."""
    server.start()
    admin = await open_store(server.url, StoreOptions(namespace="admin"))
    await admin.server.command("ACL SETUSER", "app", "on", ">secret", *rights)
    await admin.aclose()


async def test_a_server_that_cannot_be_reached_is_unavailable() -> None:
    error = await _open(f"redis://:secret@127.0.0.1:{free_port()}/0")
    assert isinstance(error, StoreUnavailable)
    assert "127.0.0.1" in error.expected


async def test_an_unknown_host_is_unavailable_and_says_so() -> None:
    error = await _open("redis://:secret@no-such-host.invalid/0")
    assert isinstance(error, StoreUnavailable)
    assert "resolved" in error.expected


async def test_a_missing_socket_is_unavailable(tmp_path: Path) -> None:
    assert isinstance(await _open(f"redis://{tmp_path}/missing.sock"), StoreUnavailable)


async def test_a_database_that_does_not_exist_is_a_config_error(shared: RedisServer) -> None:
    error = await _open(f"redis://127.0.0.1:{shared.port}/9999")
    assert isinstance(error, ConfigError)
    assert "database" in error.expected


async def test_a_namespace_that_does_not_fit_is_a_config_error(shared: RedisServer) -> None:
    assert isinstance(await _open(shared.url, "a{b}"), ConfigError)


async def test_a_wrong_password_or_none_is_a_config_error(own: RedisServer) -> None:
    own.start("--requirepass", "right")
    for url in (f"redis://:secret@127.0.0.1:{own.port}", f"redis://127.0.0.1:{own.port}"):
        error = await _open(url)
        assert isinstance(error, ConfigError)
        assert "password" in error.expected
    store = await open_store(f"redis://:right@127.0.0.1:{own.port}", StoreOptions())
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    await store.aclose()


async def test_a_user_who_may_not_use_the_keys_is_a_config_error(own: RedisServer) -> None:
    await _add_user(own, "~other:*", "+@all")
    error = await _open(f"redis://app:secret@127.0.0.1:{own.port}")
    assert isinstance(error, ConfigError)
    assert "user" in error.expected


async def test_the_rights_that_the_advice_names_are_enough(own: RedisServer) -> None:
    await _add_user(own, "~{stem:*}*", "resetchannels", "&{stem:*}*", "+@all", "-@dangerous")
    store = await open_store(f"redis://app:secret@127.0.0.1:{own.port}", StoreOptions())
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    assert await store.warnings() == ()
    await store.aclose()


async def test_a_replica_is_read_only(own: RedisServer, shared: RedisServer) -> None:
    own.start("--replicaof", "127.0.0.1", str(shared.port))
    error = await _open(own.url)
    assert isinstance(error, StoreReadOnly | StoreUnavailable)
    assert "replica" in str(error) or "loaded" in str(error)


async def test_a_primary_that_became_a_replica_is_unavailable_until_it_is_one_again(
    own: RedisServer, shared: RedisServer
) -> None:
    own.start()
    store = await open_store(own.url, StoreOptions())
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    await store.server.command("REPLICAOF", "127.0.0.1", free_port())
    with pytest.raises(StoreUnavailable):
        await store.commit([Change((publish(),))])
    await store.server.command("REPLICAOF", "NO", "ONE")
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    await store.aclose()


async def test_a_full_memory_refuses_and_writes_nothing(own: RedisServer) -> None:
    own.start("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    store = await open_store(own.url, StoreOptions())
    change = Change((publish(payload=b'"' + b"x" * 5_000_000 + b'"'),))
    with pytest.raises(StoreFull):
        await store.commit([change, Change((publish(),))])
    await store.server.command("CONFIG SET", "maxmemory", "1")
    with pytest.raises(StoreFull):
        await store.commit([Change((publish(),))])
    assert await store.queues() == ()
    await store.server.command("CONFIG SET", "maxmemory", "0")
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    await store.aclose()


async def test_a_closed_store_says_so(shared: RedisServer) -> None:
    store = await open_store(shared.url, StoreOptions(namespace="closed"))
    await store.aclose()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.now()


async def test_text_that_no_encoding_takes_is_a_config_error_of_a_question(shared: RedisServer) -> None:
    store = await open_store(shared.url, StoreOptions(namespace="text"))
    with pytest.raises(ConfigError, match="UTF-8"):
        await store.get(["\udcff"])
    await store.aclose()


async def test_keys_of_another_program_are_an_error_that_says_so(shared: RedisServer) -> None:
    store = await open_store(shared.url, StoreOptions(namespace="foreign"))
    await store.server.command("SET", store.server.keys[0], "not a hash")
    with pytest.raises(StoreError, match="namespace that no other program uses"):
        await store.commit([Change((publish(make_envelope()),))])
    await store.server.command("DEL", store.server.keys[0])
    await store.aclose()


@pytest.fixture
def secure(own: RedisServer, tmp_path: Path) -> int:
    """The port of a server that speaks TLS, beside its plain one."""
    port = free_port()
    identity = Authority(tmp_path).issue("server", "localhost")
    files = ("--tls-cert-file", str(identity.certificate), "--tls-key-file", str(identity.key))
    try:
        own.start("--tls-port", str(port), *files, "--tls-auth-clients", "no")
    except AssertionError:
        pytest.skip("this server speaks no TLS")
    return port


async def test_a_certificate_is_verified_unless_the_url_says_otherwise(secure: int, tmp_path: Path) -> None:
    error = await _open(f"rediss://:secret@localhost:{secure}")
    assert isinstance(error, ConfigError)
    assert "certificate" in error.expected
    ca = tmp_path / "authority.pem"
    assert isinstance(await _open(f"rediss://:secret@127.0.0.1:{secure}?ssl_ca_certs={ca}"), ConfigError)
    for url in (
        f"rediss://localhost:{secure}?ssl_ca_certs={ca}",
        f"rediss://127.0.0.1:{secure}?ssl_ca_certs={ca}&ssl_check_hostname=false",
        f"rediss://127.0.0.1:{secure}?ssl_cert_reqs=none",
    ):
        store = await open_store(url, StoreOptions())
        assert await store.commit([Change((publish(),))]) == [APPLIED]
        await store.aclose()


async def test_plain_and_tls_mixed_up_is_unavailable(secure: int, own: RedisServer) -> None:
    assert isinstance(await _open(f"redis://:secret@localhost:{secure}"), StoreUnavailable)
    assert isinstance(await _open(f"rediss://:secret@localhost:{own.port}?timeout=2"), StoreUnavailable)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (SSLError("[SSL: X] tlsv13 alert certificate required"), ConfigError, "ssl_certfile"),
        (driver.MovedError("7 host:6379"), ConfigError, "redis+cluster://"),
        (driver.AskError("7 host:6379"), StoreUnavailable, "stands still"),
        (driver.TryAgainError("Multiple keys request during rehashing"), StoreUnavailable, "stands still"),
        (driver.ClusterDownError("The cluster is down"), StoreUnavailable, "cluster that is up"),
        (driver.MasterDownError("Link with MASTER is down"), StoreUnavailable, "its primary"),
        (driver.ResponseError("something new"), StoreError, "a fault of Stem"),
    ],
)
def test_what_the_driver_says_is_said_in_our_words(error: Exception, kind: type[StemError], said: str) -> None:
    found = translate(error, "redis://cache")
    assert type(found) is kind
    assert said in str(found)


def test_an_error_of_ours_inside_one_of_the_driver_is_raised_itself() -> None:
    ours = ConfigError(expected="a", found="b", do="C.")
    with pytest.raises(driver.ConnectionError) as caught:
        raise driver.ConnectionError("wrapped") from ours
    assert translate(caught.value, "redis://cache") is ours


def test_an_error_that_was_being_handled_meanwhile_is_not_taken_for_the_reason() -> None:
    other = StoreFull(expected="a", found="b", do="C.")
    broken = driver.ConnectionError("broken")
    broken.__context__ = other
    assert type(translate(broken, "redis://cache")) is StoreUnavailable
