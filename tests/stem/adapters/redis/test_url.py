"""URLs and namespaces: what they mean, and that a password is never shown."""

from __future__ import annotations

import pytest

from stem.adapters.redis.url import Place, check_namespace, parse_url
from stem.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://", Place()),
        ("redis://cache", Place(host="cache")),
        ("redis://cache:7000/3", Place(host="cache", port=7000, db=3)),
        ("redis:///2", Place(db=2)),
        ("valkey://cache?db=4", Place(host="cache", db=4)),
        ("redis://[::1]:7000", Place(host="::1", port=7000)),
        ("redis://app:p%40ss@cache/1", Place(host="cache", db=1, username="app", password="p@ss")),
        ("redis://:secret@cache", Place(host="cache", password="secret")),
        ("redis:///run/redis.sock?db=1", Place(socket="/run/redis.sock", db=1)),
        ("redis://:secret@/run/a%20b.sock", Place(socket="/run/a b.sock", password="secret")),
        ("redis://cache?timeout=2.5&connections=20", Place(host="cache", timeout=2.5, connections=20)),
        ("rediss://cache", Place(host="cache", tls=True)),
        (
            "valkeys://cache?tls_ca=/ca.pem&tls_cert=/c.pem&tls_key=/k.pem&tls_verify=ca",
            Place(host="cache", tls=True, tls_ca="/ca.pem", tls_cert="/c.pem", tls_key="/k.pem", tls_verify="ca"),
        ),
    ],
)
def test_a_url_names_a_database_of_a_server(url: str, place: Place) -> None:
    assert parse_url(url) == place


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://cache", "redis://"),
        ("redis://cache:port", "cannot be read"),
        ("redis://cache/one", "the number of a database"),
        ("redis://cache/1?db=2", "the database once"),
        ("redis://cache?password=secret", "'password'"),
        ("redis://cache?tls_ca=/ca.pem", "rediss://"),
        ("rediss://cache?tls_verify=maybe", "full, ca, none"),
        ("rediss:///run/redis.sock", "TLS over TCP"),
        ("redis://cache?timeout=0", "above 0"),
        ("redis://cache?timeout=soon", "above 0"),
    ],
)
def test_another_url_is_a_config_error_that_does_not_repeat_it(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_no_text_made_of_a_place_holds_its_password() -> None:
    place = parse_url("rediss://app:secret@cache:7000/3")
    assert "secret" not in f"{place} {place!r}"
    assert str(place) == "rediss://cache:7000/3"


@pytest.mark.parametrize("namespace", ["stem", "a.b_c-d:E9", "x" * 100])
def test_a_namespace_becomes_part_of_every_key(namespace: str) -> None:
    assert check_namespace(namespace) == namespace


@pytest.mark.parametrize("namespace", ["", "a{b}", "a b", "ä", "x" * 101, "a\n"])
def test_a_namespace_with_characters_that_do_not_fit_is_a_config_error(namespace: str) -> None:
    with pytest.raises(ConfigError, match="namespace"):
        check_namespace(namespace)
