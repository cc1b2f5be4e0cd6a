"""Whom to ask where the server is, and what their answers mean."""

from __future__ import annotations

from typing import Any

import pytest
from redis.crc import key_slot
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import MovedError

from stem.adapters.redis.route import Route
from stem.adapters.redis.url import Address, Credentials, parse_url

A, B, C = Address("a", 7000), Address("b", 7000), Address("c", 7000)
KEY = "{stem:stem}:rows"
SLOT = key_slot(KEY.encode())


def sentinels() -> Route:
    return Route(parse_url("redis+sentinel://app:pw@a:7000,b:7000/main?sentinel_password=watch"), KEY)


def cluster() -> Route:
    return Route(parse_url("redis+cluster://app:pw@a:7000"), KEY)


def test_sentinels_are_asked_for_the_primary_by_its_name_as_their_own_user() -> None:
    question = sentinels().question
    assert question.of == (A, B)
    assert question.words == ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")
    assert question.user == Credentials(None, "watch")


def test_the_sentinel_that_answered_is_asked_first_from_then_on() -> None:
    route = sentinels()
    assert route.learn(B, [b"10.0.0.1", b"6379"]) == Address("10.0.0.1", 6379)
    assert route.question.of == (B, A)


def test_a_sentinel_that_does_not_know_the_primary_says_nothing() -> None:
    assert sentinels().learn(A, None) is None


def test_after_an_error_another_one_is_asked_first() -> None:
    route = sentinels()
    assert not route.heed(Broken("gone"))
    assert route.question.of == (B, A)


@pytest.mark.parametrize(("host", "found"), [(b"b", B), (b"", Address("a", 7000)), (b"?", A), (None, A)])
def test_a_cluster_says_which_node_serves_the_slot(host: bytes | None, found: Address) -> None:
    answer: list[Any] = [[0, SLOT - 1, [b"x", 1]], [SLOT, SLOT, [host, 7000, b"id", []], [b"c", 7000, b"id", []]]]
    assert cluster().learn(A, answer) == found


def test_the_other_nodes_of_a_cluster_are_remembered() -> None:
    route = cluster()
    route.learn(A, [[0, 16383, [b"b", 7000, b"id"], [b"c", 7000, b"id"]]])
    assert route.question.of == (A, B, C)
    assert route.question.words == ("CLUSTER", "SLOTS")
    assert route.question.user == Credentials("app", "pw")


def test_a_slot_that_nobody_serves_is_nowhere() -> None:
    assert cluster().learn(A, [[0, SLOT - 1, [b"b", 7000]]]) is None


@pytest.mark.parametrize(("named", "first"), [("b:7000", B), (":7001", Address("a", 7001))])
def test_the_node_that_an_error_names_is_asked_first(named: str, first: Address) -> None:
    route = cluster()
    assert route.heed(MovedError(f"{SLOT} {named}"))
    assert route.question.of == (first, A)


def test_a_single_server_is_nobody_to_be_asked_for() -> None:
    route = Route(parse_url("redis://a"), KEY)
    assert route.is_fixed
    assert not route.heed(MovedError(f"{SLOT} b:7000"))
