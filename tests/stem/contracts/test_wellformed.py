"""What no store could take, whatever it holds."""

from __future__ import annotations

import pytest

from stem.contracts.changes import (
    Cancel,
    Change,
    Discard,
    Fence,
    FireSchedule,
    OpenGroup,
    RefusalCode,
    Release,
    Replay,
    Settle,
)
from stem.contracts.wellformed import refuse
from stem.tasks.links import After, Member
from stem.tasks.state import TaskEvent
from stem.testing.contracts import make_envelope, publish

A = Fence("a", 1, "n")
SUCCESS = Settle(TaskEvent.SUCCEEDED)
FIRE = FireSchedule("s", 1, 2)
LARGE = b"x" * 401
SELF = make_envelope(id="a", name="t")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(Change(()), RefusalCode.REJECTED, id="no writes"),
        pytest.param(Change((SUCCESS,)), RefusalCode.REJECTED, id="no fence"),
        pytest.param(Change((SUCCESS, Release()), A), RefusalCode.REJECTED, id="two ends"),
        pytest.param(Change((Cancel("a"), Replay("a"))), RefusalCode.REJECTED, id="cancelled and replayed"),
        pytest.param(Change((Settle(TaskEvent.STARTED),), A), RefusalCode.INVALID_TRANSITION, id="no end"),
        pytest.param(Change((Settle(TaskEvent.REPLAYED),), A), RefusalCode.INVALID_TRANSITION, id="no move at all"),
        pytest.param(Change((Settle(TaskEvent.SUCCEEDED, LARGE),), A), RefusalCode.TOO_LARGE, id="large result"),
        pytest.param(Change((publish(payload=LARGE),)), RefusalCode.TOO_LARGE, id="large body"),
        pytest.param(Change((publish(SELF, after=After("a")),)), RefusalCode.REJECTED, id="after itself"),
        pytest.param(
            Change((publish(SELF, after=After("g", "group"), member=Member("g", 0)),)),
            RefusalCode.REJECTED,
            id="after its own group",
        ),
        pytest.param(Change((OpenGroup(group="g", size=-1),)), RefusalCode.REJECTED, id="negative size"),
        pytest.param(Change((publish(SELF, member=Member("g", -1)),)), RefusalCode.REJECTED, id="negative place"),
        pytest.param(Change((FIRE, FIRE)), RefusalCode.REJECTED, id="two schedules"),
        pytest.param(Change((Discard("a"), Replay("a"))), RefusalCode.REJECTED, id="discarded and replayed"),
    ],
)
def test_a_change_that_no_store_could_take_is_refused_before_any_statement(change: Change, code: str) -> None:
    refused = refuse(change, 400)
    assert refused is not None
    assert refused.code == code


def test_a_sound_change_is_not_refused() -> None:
    assert refuse(Change((Settle(TaskEvent.SUCCEEDED, b"1234"), publish(payload=b"")), A), 200) is None
