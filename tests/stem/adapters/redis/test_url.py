"""URLs and namespaces: what they mean, and that a password is never shown."""

from __future__ import annotations

import pytest

from stem.adapters.redis.url import Address, Credentials, Place, Tls, Via, check_namespace, parse_url
from stem.errors import ConfigError

APP = Credentials("app", "p@ss")
CACHE = (Address("cache"),)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://", Place()),
        ("redis://cache", Place(hosts=CACHE)),
        ("redis://cache:7000/3", Place(hosts=(Address("cache", 7000),), db=3)),
        ("redis:///2", Place(db=2)),
        ("valkey://cache?db=4", Place(hosts=CACHE, db=4)),
        ("redis://[::1]:7000", Place(hosts=(Address("::1", 7000),))),
        ("redis://app:p%40ss@cache/1", Place(hosts=CACHE, db=1, user=APP)),
        ("redis://:p%40ss@cache", Place(hosts=CACHE, user=Credentials(None, "p@ss"))),
        ("redis:///run/redis.sock?db=1", Place(socket="/run/redis.sock", db=1)),
        ("redis://:p%40ss@/run/a%20b.sock", Place(socket="/run/a b.sock", user=Credentials(None, "p@ss"))),
        ("redis://cache?timeout=2.5&connections=20", Place(hosts=CACHE, timeout=2.5, connections=20)),
    ],
)
def test_a_url_names_a_database_of_a_server(url: str, place: Place) -> None:
    assert parse_url(url) == place


@pytest.mark.parametrize(
    ("options", "tls"),
    [
        ("", Tls()),
        ("?ssl_ca_certs=/ca.pem", Tls(ca_certs="/ca.pem")),
        (
            "?ssl_certfile=/c.pem&ssl_keyfile=/k.pem&ssl_password=pw",
            Tls(certfile="/c.pem", keyfile="/k.pem", password="pw"),
        ),
        ("?ssl_check_hostname=false", Tls(check_hostname=False)),
        ("?ssl_cert_reqs=required", Tls()),
        ("?ssl_cert_reqs=CERT_NONE", Tls(verify=False, check_hostname=False)),
        ("?ssl_cert_reqs=none&ssl_check_hostname=true", Tls(verify=False, check_hostname=False)),
    ],
)
def test_a_certificate_and_its_host_are_checked_unless_the_url_says_otherwise(options: str, tls: Tls) -> None:
    assert parse_url(f"rediss://cache{options}") == Place(hosts=CACHE, tls=tls)
    assert parse_url(f"valkeys+cluster://cache{options}").tls == tls


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (
            "redis+sentinel://a,b:26380,[::1]/main",
            Place(
                via=Via.SENTINEL,
                service="main",
                hosts=(Address("a", 26379), Address("b", 26380), Address("::1", 26379)),
            ),
        ),
        (
            "redis+sentinel://app:p%40ss@a/main/3?sentinel_username=watch&sentinel_password=secret",
            Place(
                via=Via.SENTINEL,
                service="main",
                db=3,
                hosts=(Address("a", 26379),),
                user=APP,
                sentinel_user=Credentials("watch", "secret"),
            ),
        ),
        ("rediss+sentinel://a/main", Place(via=Via.SENTINEL, service="main", hosts=(Address("a", 26379),), tls=Tls())),
        ("redis+cluster://cache,b:7001/", Place(via=Via.CLUSTER, hosts=(Address("cache"), Address("b", 7001)))),
    ],
)
def test_a_url_names_those_who_know_where_the_server_is(url: str, place: Place) -> None:
    assert parse_url(url) == place


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://cache", "redis://"),
        ("redis+magic://cache", "redis+magic"),
        ("redis://cache:port", "cannot be read"),
        ("redis://cache:70000", "cannot be read"),
        ("redis://a,b", "2 hosts"),
        ("redis://:12/secret@cache", "a '/' before the '@'"),
        ("redis://app:x#secret@cache", "%23"),
        ("redis://cache/one", "the number of a database"),
        ("redis://cache/12345678901", "the number of a database"),
        ("redis://cache/1?db=2", "the database once"),
        ("redis://cache?password=secret", "'password'"),
        ("redis://cache?ssl_ca_certs=/ca.pem", "rediss://"),
        ("rediss://cache?ssl_cert_reqs=maybe", "required or none"),
        ("rediss://cache?ssl_check_hostname=maybe", "true or false"),
        ("rediss://cache?ssl_keyfile=/k.pem", "ssl_keyfile alone"),
        ("rediss:///run/redis.sock", "TLS over TCP"),
        ("redis://cache?timeout=0", "above 0"),
        ("redis://cache?timeout=soon", "above 0"),
        ("redis://cache?sentinel_password=secret", "redis+sentinel://"),
        ("redis+sentinel://a,b", "primary's name"),
        ("redis+cluster://cache/1", "the only one of a cluster"),
    ],
)
def test_another_url_is_a_config_error_that_does_not_repeat_it(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rediss://app:secret@cache:7000/3?ssl_password=secret&ssl_certfile=/c", "rediss://cache:7000/3"),
        ("redis+sentinel://:secret@a,b/main/1?sentinel_password=secret", "redis+sentinel://a:26379,b:26379/main/1"),
        ("redis+cluster://:secret@a", "redis+cluster://a:6379/0"),
        ("redis://:secret@/run/redis.sock", "redis:///run/redis.sock?db=0"),
    ],
)
def test_no_text_made_of_a_place_holds_a_password(url: str, shown: str) -> None:
    place = parse_url(url)
    assert "secret" not in f"{place} {place!r}"
    assert str(place) == shown


@pytest.mark.parametrize("namespace", ["stem", "a.b_c-d:E9", "x" * 100])
def test_a_namespace_becomes_part_of_every_key(namespace: str) -> None:
    assert check_namespace(namespace) == namespace


@pytest.mark.parametrize("namespace", ["", "a{b}", "a b", "ä", "x" * 101, "a\n"])
def test_a_namespace_with_characters_that_do_not_fit_is_a_config_error(namespace: str) -> None:
    with pytest.raises(ConfigError, match="namespace"):
        check_namespace(namespace)
