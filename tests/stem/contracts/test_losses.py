"""How a lost delivery is counted."""

import pytest

from stem.contracts.losses import LOST_BEFORE_CRASH, count_loss

# started, crashes, lost, attempt -> crashes, lost, attempt
TABLE = [
    ("lost before its start", False, 0, 0, 0, (0, 1, 0)),
    ("lost before its start for the fourth time", False, 0, 3, 0, (0, 4, 0)),
    ("lost before its start for the fifth time", False, 0, 4, 0, (1, 5, 1)),
    ("lost before its start for the sixth time", False, 1, 5, 1, (2, 6, 2)),
    ("lost after its start", True, 0, 0, 0, (1, 0, 1)),
    ("lost after its start again", True, 1, 0, 2, (2, 0, 3)),
    ("lost after its start, earlier before", True, 0, 4, 1, (1, 4, 2)),
]


@pytest.mark.parametrize(
    ("started", "crashes", "lost", "attempt", "after"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_loss_is_counted(started: bool, crashes: int, lost: int, attempt: int, after: tuple[int, int, int]) -> None:
    assert count_loss(started=started, crashes=crashes, lost=lost, attempt=attempt) == after


def test_the_fifth_loss_before_a_start_is_the_first_that_is_a_crash() -> None:
    assert LOST_BEFORE_CRASH == 5
