"""Whether a schedule can fire."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stem.contracts.changes import APPLIED, FENCED, FireSchedule, Refused, Verdict
from stem.contracts.schedules import ScheduleRecord, past_firing

DUE = ScheduleRecord(id="s", spec=b"", enabled=True, next_fire=100, last_fire=50, version=1)
FIRE = FireSchedule("s", 100, 200)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        pytest.param(DUE, None, id="due"),
        pytest.param(replace(DUE, last_fire=100), None, id="due again for the time it last fired"),
        pytest.param(replace(DUE, enabled=False), FENCED, id="disabled"),
        pytest.param(replace(DUE, next_fire=101), FENCED, id="due at another time"),
        pytest.param(replace(DUE, next_fire=None), FENCED, id="never due"),
        pytest.param(replace(DUE, next_fire=200, last_fire=100), APPLIED, id="fired before"),
        pytest.param(replace(DUE, next_fire=None, last_fire=100, enabled=False), APPLIED, id="fired before, disabled"),
    ],
)
def test_a_firing_is_judged_by_what_is_stored(found: ScheduleRecord, verdict: Verdict | None) -> None:
    assert past_firing(found, FIRE) == verdict


def test_an_unknown_schedule_is_refused() -> None:
    assert isinstance(past_firing(None, FIRE), Refused)
