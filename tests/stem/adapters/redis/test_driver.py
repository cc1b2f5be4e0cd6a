"""The driver: what is said without it, and that commands are packed as it packs them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from redis import exceptions as driver_errors

from stem.adapters.redis import driver
from stem.adapters.redis.route import Route
from stem.adapters.redis.url import parse_url

_WITHOUT = """
import sys
sys.modules["redis"] = None
from stem.errors import ConfigError
from stem.stores.open import find_adapter
try:
    find_adapter("redis://localhost")
except ConfigError as error:
    print(error)
"""


def test_without_the_driver_there_is_an_install_line() -> None:
    ran = subprocess.run((sys.executable, "-c", _WITHOUT), capture_output=True, text=True, check=True)
    assert "pip install 'stem-jobs[redis]'" in ran.stdout


@pytest.mark.parametrize("url", ["redis://localhost", "rediss://localhost", "redis:///run/redis.sock"])
def test_commands_are_packed_as_the_protocol_says(url: str) -> None:
    pool: Any = driver.client(Route(parse_url(url), "{key}")).connection_pool
    connection = pool.connection_class(**pool.connection_kwargs)
    packed = b"".join(connection.pack_command("CONFIG GET", "säve", b"\0\xff", 7))
    assert packed == b"*5\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$5\r\ns\xc3\xa4ve\r\n$2\r\n\x00\xff\r\n$1\r\n7\r\n"


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("MOVED 7 host:6379", driver_errors.MovedError, "7 host:6379"),
        ("TRYAGAIN Multiple keys", driver_errors.TryAgainError, "Multiple keys"),
        ("CLUSTERDOWN The cluster is down", driver_errors.ClusterDownError, "The cluster is down"),
        ("NOSCRIPT No matching script", driver.NoScript, "No matching script"),
        ("ERR something new", driver_errors.ResponseError, "something new"),
    ],
)
def test_an_answer_that_is_an_error_has_the_class_that_the_driver_gives_it(
    text: str, kind: type[Exception], said: str
) -> None:
    error = driver.answer_error(text)
    assert type(error) is kind
    assert str(error) == said
