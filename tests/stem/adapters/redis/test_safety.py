"""Settings that can lose work are told of; a server that is too old is refused."""

from __future__ import annotations

import logging

import pytest

from stem.adapters.redis import open_store
from stem.adapters.redis.safety import check_server, warnings_for
from stem.contracts.adapter import StoreOptions
from stem.errors import ConfigError
from tests.servers import RedisServer

SAFE = {"maxmemory_policy": "noeviction", "aof_enabled": "1", "save": ""}


def test_safe_settings_need_no_warning() -> None:
    assert warnings_for(SAFE) == ()
    assert warnings_for({}) == ()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_an_eviction_policy_that_can_lose_work_is_warned_of(policy: str) -> None:
    (warning,) = warnings_for({**SAFE, "maxmemory_policy": policy})
    assert policy in warning
    assert "noeviction" in warning


@pytest.mark.parametrize(
    ("save", "said"), [("", "a restart of the server loses all"), ("3600 1", "snapshot"), (None, "snapshot")]
)
def test_no_persistence_is_warned_of(save: str | None, said: str) -> None:
    info = {"maxmemory_policy": "noeviction", "aof_enabled": "0"}
    (warning,) = warnings_for(info if save is None else {**info, "save": save})
    assert said in warning
    assert "appendonly yes" in warning


async def test_opening_logs_the_warnings_of_the_server(own: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    own.start("--appendonly", "no", "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
    with caplog.at_level(logging.WARNING, logger="stem.adapters.redis"):
        store = await open_store(own.url, StoreOptions())
    assert len(caplog.messages) == len(await store.warnings()) == 2
    assert all(str(store.server.place) in message for message in caplog.messages)
    await store.aclose()


async def test_a_server_that_is_too_old_is_a_config_error(shared: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await open_store(shared.url, StoreOptions(namespace="old"))
    monkeypatch.setattr("stem.adapters.redis.safety.OLDEST", (99, 0))
    with pytest.raises(ConfigError, match="or newer"):
        await check_server(store.server)
    await store.aclose()
