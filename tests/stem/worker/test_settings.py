"""Worker settings are checked once, by name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stem.errors import ConfigError
from stem.worker.settings import WorkerSettings


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = WorkerSettings()

    assert settings.queues == {"default": 1}
    assert settings.concurrency == 100
    assert settings.lease == timedelta(seconds=10)
    assert settings.drain == timedelta(seconds=25)


def test_two_workers_never_share_a_name_by_default() -> None:
    assert WorkerSettings().name != WorkerSettings().name


def test_no_queue_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one queue"):
        WorkerSettings(queues={})


def test_a_weight_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="weight of 1 or more for 'mail'"):
        WorkerSettings(queues={"mail": 0})


def test_a_concurrency_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="`concurrency`"):
        WorkerSettings(concurrency=0)


def test_a_lease_below_one_second_is_refused() -> None:
    with pytest.raises(ConfigError, match="`lease`"):
        WorkerSettings(lease=timedelta(milliseconds=999))


@pytest.mark.parametrize("name", ["sweep_every", "beat_every"])
def test_a_period_of_zero_is_refused(name: str) -> None:
    periods = {name: timedelta(0)}

    with pytest.raises(ConfigError, match=f"`{name}`"):
        WorkerSettings(
            sweep_every=periods.get("sweep_every", timedelta(1)), beat_every=periods.get("beat_every", timedelta(1))
        )


def test_a_negative_drain_is_refused() -> None:
    with pytest.raises(ConfigError, match="`drain`"):
        WorkerSettings(drain=timedelta(seconds=-1))
