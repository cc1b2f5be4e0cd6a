"""One line for each attempt, with its name, id, attempt, milliseconds and outcome, and nothing of its arguments."""

from __future__ import annotations

import logging

import pytest

from stem.signals import Attempt
from stem.signals.builtin import LogAttempts
from stem.testing import ManualClock

ATTEMPT = Attempt(
    task_id="id-7",
    task="billing.charge",
    queue="default",
    worker="worker-1",
    attempt=2,
    max_retries=3,
    fence=9,
    headers={"token": "s3cret"},
)


async def test_an_attempt_that_returned_is_one_line_of_information(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()

    async def handle() -> None:
        clock.advance(0.0125)

    with caplog.at_level(logging.INFO):
        await LogAttempts(clock=clock).around_attempt(ATTEMPT, handle)
    (record,) = caplog.records
    assert record.getMessage() == "task=billing.charge task_id=id-7 queue=default attempt=2 ms=12.5 outcome=returned"
    assert (record.levelno, record.name) == (logging.INFO, "stem.attempts")
    assert (vars(record)["task_id"], vars(record)["ms"]) == ("id-7", 12.5)


async def test_an_attempt_that_raised_is_a_warning_without_the_message(caplog: pytest.LogCaptureFixture) -> None:
    async def handle() -> None:
        raise ValueError("card 4242 is refused")

    with pytest.raises(ValueError, match="4242"):
        await LogAttempts(clock=ManualClock()).around_attempt(ATTEMPT, handle)
    (record,) = caplog.records
    assert record.getMessage().endswith('ms=0.0 outcome="raised ValueError"')
    assert record.levelno == logging.WARNING
    assert "4242" not in caplog.text
    assert "s3cret" not in caplog.text
