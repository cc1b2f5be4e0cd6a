"""Where an application keeps its tasks, and for how long."""

from datetime import timedelta

import pytest

from stem.contracts.retention import Retention
from stem.errors import ConfigError
from stem.stores.settings import DEFAULT_URL, Keep, Places, choose_places, retention_of

A, B, C = "redis://a", "postgresql://b", "sqlite:///c.db"


def test_one_url_is_for_everything() -> None:
    assert choose_places(A, broker=None, results=None, environment={"STEM_RESULTS_URL": C}) == Places(A, A)


def test_a_broker_and_its_results_have_their_own() -> None:
    assert choose_places(None, broker=A, results=B, environment={}) == Places(A, B)
    assert choose_places(A, broker=None, results=B, environment={}) == Places(A, B)


def test_what_was_not_passed_is_in_the_environment() -> None:
    environment = {"STEM_URL": A, "STEM_RESULTS_URL": B}
    assert choose_places(None, broker=None, results=None, environment=environment) == Places(A, B)
    assert choose_places(None, broker=None, results=C, environment=environment) == Places(A, C)


def test_without_anything_it_is_one_file() -> None:
    places = choose_places(None, broker=None, results=None, environment={})
    assert places == Places(DEFAULT_URL, DEFAULT_URL)


def test_messages_have_one_place() -> None:
    with pytest.raises(ConfigError, match="both `url` and `broker`"):
        choose_places(A, broker=B, results=None, environment={})


def test_what_is_shown_has_no_password() -> None:
    assert "secret" not in str(Places("redis://:secret@a", "postgresql://u:secret@b"))


def test_a_state_that_is_not_named_is_kept_for_twice_its_result_ttl() -> None:
    assert retention_of(Keep()) == Retention()
    assert retention_of(Keep(failed=timedelta(days=7))) == Retention(failed=7 * 86_400_000_000)


def test_a_duration_below_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match="below zero"):
        retention_of(Keep(dead=timedelta(days=-1)))


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ConfigError, match="sleeping"):
        retention_of({"sleeping": timedelta(days=1)})  # type: ignore[typeddict-unknown-key]  # what this test is about
