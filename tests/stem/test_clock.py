"""The machine's clock, and exact conversions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stem.clock import SystemClock, from_micros, parse_duration, to_micros

AWARE = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]))


@given(AWARE)
def test_an_instant_survives_the_way_to_microseconds_and_back(when: datetime) -> None:
    assert from_micros(to_micros(when)) == when


@given(st.timedeltas())
def test_a_duration_is_exact(duration: timedelta) -> None:
    assert timedelta(microseconds=to_micros(duration)) == duration


def test_an_instant_is_told_in_utc() -> None:
    assert from_micros(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert from_micros(1_500_000).tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001  # what is refused is that it has no zone


def test_an_instant_beyond_the_calendar_is_the_latest_time_there_is() -> None:
    assert from_micros(1 << 62) == datetime.max.replace(tzinfo=UTC)
    assert from_micros(-(1 << 62)) == datetime.min.replace(tzinfo=UTC)


def test_the_system_clock_tells_the_present_time() -> None:
    before = to_micros(datetime.now(UTC))
    now = SystemClock().now()
    assert before <= now <= to_micros(datetime.now(UTC))


def test_elapsed_time_never_goes_back() -> None:
    clock = SystemClock()
    readings = [clock.elapsed() for _ in range(100)]
    assert readings == sorted(readings)


@pytest.mark.parametrize("duration", [0, -5])
async def test_a_sleep_of_nothing_gives_the_loop_one_turn(duration: int) -> None:
    ran: list[str] = []
    asyncio.get_running_loop().call_soon(ran.append, "other")
    await SystemClock().sleep(duration)
    assert ran == ["other"]


async def test_a_sleep_lasts_at_least_its_duration() -> None:
    clock = SystemClock()
    loop = asyncio.get_running_loop()
    before = loop.time()
    await clock.sleep(2_000)
    assert loop.time() - before >= 0.001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("30s", timedelta(seconds=30)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("7d", timedelta(days=7)),
        ("0.5s", timedelta(milliseconds=500)),
        ("12", timedelta(seconds=12)),
    ],
)
def test_a_duration_is_numbers_with_units(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "5x", "5 m", "-3s", "m5"])
def test_anything_else_is_no_duration_and_the_message_shows_how(text: str) -> None:
    with pytest.raises(ValueError, match="1h30m"):
        parse_duration(text)
