"""How long a record outlives its end."""

from stem.contracts.retention import KEEP_AT_LEAST, KEEP_DEAD, keep_for

DAY = 86_400_000_000


def test_a_record_is_kept_for_twice_the_time_of_its_result() -> None:
    assert keep_for(DAY, dead=False) == 2 * DAY


def test_no_record_goes_before_changes_can_no_longer_be_sent_again() -> None:
    assert keep_for(0, dead=False) == KEEP_AT_LEAST == 60_000_000


def test_a_dead_letter_waits_for_30_days_or_longer_when_its_result_would() -> None:
    assert keep_for(0, dead=True) == KEEP_DEAD == 30 * DAY
    assert keep_for(20 * DAY, dead=True) == 40 * DAY
