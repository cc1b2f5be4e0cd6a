"""What becomes of a delivery, as tables: no store, no loop, no clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from stem.contracts.changes import Bury, Change, Park, RefusalCode, Refused, Release, Reschedule, Settle, Start
from stem.errors import Undecodable
from stem.tasks.context import RetryRequested
from stem.tasks.options import Ack
from stem.tasks.retry import DEFAULT_BACKOFF, Backoff, Retry
from stem.tasks.state import TaskEvent
from stem.testing.contracts.build import publish
from stem.worker import decide
from stem.worker.crashed import decide_crashed, needs_start, waits_for_start
from stem.worker.decide import Reason, Rules, Stop
from stem.worker.failures import failure_of
from stem.worker.unfit import (
    decide_again,
    decide_refused,
    decide_undecodable,
    decide_unknown,
    decide_version,
    refused_failure,
)
from tests.stem.worker.support import SECOND, delivery, only_write

_PLAIN = Backoff(initial=2 * SECOND, factor=2.0, max_delay=60 * SECOND, jitter=0.0)
_RETRY = Retry()


def _after(error: BaseException, *, attempt: int = 0, retry: Retry = _RETRY, cancelled: bool = False) -> object:
    given = delivery(attempt=attempt)
    return only_write(decide.decide_error(given, error, retry, backoff=_PLAIN, random=0.5, cancelled=cancelled))


def _bury_reason(write: object) -> str:
    assert isinstance(write, Bury)
    return write.reason


def test_success_settles_with_the_result_under_the_fence() -> None:
    given = delivery()
    change = decide.decide_success(given, b"1")

    assert change.fence == given.fence
    assert only_write(change) == Settle(TaskEvent.SUCCEEDED, b"1")


def test_success_publishes_its_follow_ups_in_the_same_change() -> None:
    follow_up = publish()

    assert decide.decide_success(delivery(), b"1", (follow_up,)).writes[1:] == (follow_up,)


def test_a_result_that_is_ignored_is_sent_because_somebody_may_wait_for_it_by_now() -> None:
    assert only_write(decide.decide_success(delivery(ignore_result=True), b"1")) == Settle(TaskEvent.SUCCEEDED, b"1")


def test_an_ignored_result_that_is_too_large_is_left_out_and_the_task_succeeds_all_the_same() -> None:
    follow_up, given = publish(), delivery(ignore_result=True)
    change = decide.decide_success(given, b"12", (follow_up,))

    again = decide_again(given, change, Refused(RefusalCode.TOO_LARGE))

    assert again == Change((Settle(TaskEvent.SUCCEEDED), follow_up), given.fence, 2)


@pytest.mark.parametrize(("ignore", "code"), [(False, RefusalCode.TOO_LARGE), (True, RefusalCode.REJECTED)])
def test_an_outcome_that_is_refused_for_another_reason_is_a_failure(ignore: bool, code: str) -> None:
    given = delivery(ignore_result=ignore)

    again = decide_again(given, decide.decide_success(given, b"12"), Refused(code))

    write = only_write(again)
    assert isinstance(write, Bury)
    assert (write.reason, again.number) == (decide.Reason.RESULT_REFUSED, 2)


@pytest.mark.parametrize(("attempt", "delay"), [(0, 2), (1, 4), (2, 8)])
def test_an_error_comes_back_after_the_backoff_of_its_attempt(attempt: int, delay: int) -> None:
    error = ValueError("x")

    assert _after(error, attempt=attempt) == Reschedule(delay * SECOND, failure_of(error))


def test_the_error_of_the_last_attempt_goes_to_the_dead_letters() -> None:
    assert _bury_reason(_after(ValueError("x"), attempt=3)) == Reason.RETRIES_USED_UP


def test_an_error_that_is_not_in_retry_on_is_not_repeated() -> None:
    assert _bury_reason(_after(ValueError("x"), retry=Retry(retry_on=(KeyError,)))) == Reason.NOT_RETRIED


def test_give_up_on_wins_over_retry_on() -> None:
    assert _bury_reason(_after(ValueError("x"), retry=Retry(give_up_on=(ValueError,)))) == Reason.NOT_RETRIED


@pytest.mark.parametrize("error", [asyncio.CancelledError(), SystemExit(1), KeyboardInterrupt()])
def test_what_is_no_exception_is_an_ordinary_failure_of_its_task(error: BaseException) -> None:
    assert isinstance(_after(error), Reschedule)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), SystemExit(1)])
def test_what_is_no_exception_is_not_repeated_where_only_some_errors_are(error: BaseException) -> None:
    assert _bury_reason(_after(error, retry=Retry(retry_on=(KeyError,)))) == Reason.NOT_RETRIED


def test_a_retry_that_was_asked_for_comes_after_its_own_delay() -> None:
    error = RetryRequested(timedelta(seconds=7), "busy")

    assert _after(error) == Reschedule(7 * SECOND, failure_of(error))


def test_a_retry_without_a_delay_comes_after_the_backoff() -> None:
    error = RetryRequested(None, None)

    assert _after(error, attempt=1, retry=Retry(retry_on=())) == Reschedule(4 * SECOND, failure_of(error))


def test_a_retry_that_was_asked_for_uses_an_attempt() -> None:
    assert _bury_reason(_after(RetryRequested(None, None), attempt=3)) == Reason.RETRIES_USED_UP


def test_give_up_on_wins_over_a_retry_that_was_asked_for() -> None:
    given_up = Retry(give_up_on=(RetryRequested,))

    assert _bury_reason(_after(RetryRequested(None, None), retry=given_up)) == Reason.NOT_RETRIED


def test_an_error_after_a_cancel_request_ends_as_cancelled() -> None:
    error = ValueError("x")

    assert _after(error, cancelled=True) == Settle(TaskEvent.CANCELLED, error=failure_of(error))


def test_an_ordinary_delivery_passes_the_guard() -> None:
    assert decide.decide_guard(delivery()) is None


def test_a_cancelled_delivery_does_not_run() -> None:
    assert only_write(decide.decide_guard(delivery(cancel_requested=True))) == Settle(TaskEvent.CANCELLED)


def test_an_expired_delivery_does_not_run() -> None:
    assert only_write(decide.decide_guard(delivery(expired=True))) == Settle(TaskEvent.EXPIRED)


def test_a_retry_does_not_expire_because_it_was_started_in_time() -> None:
    assert decide.decide_guard(delivery(expired=True, attempt=1)) is None


def test_a_delivery_with_no_attempt_left_does_not_run() -> None:
    assert _bury_reason(only_write(decide.decide_guard(delivery(attempt=4)))) == Reason.RETRIES_USED_UP
    assert _bury_reason(only_write(decide.decide_guard(delivery(attempt=4, crashes=2)))) == Reason.CRASHED


def test_with_three_retries_the_fourth_attempt_runs() -> None:
    assert decide.decide_guard(delivery(attempt=3, max_retries=3)) is None


@pytest.mark.parametrize("crashes", [0, 1, 2])
def test_the_first_two_crashes_run_again_here_without_backoff(crashes: int) -> None:
    lost = delivery(lost_by="w", crashes=crashes, attempt=crashes, started=crashes > 0)

    assert decide_crashed(lost, Rules(), free=True, random=0.5) is None


def test_without_a_free_slot_it_goes_back_undelayed() -> None:
    assert only_write(decide_crashed(delivery(lost_by="w"), Rules(), free=False, random=0.5)) == Release(0)


def test_the_third_crash_goes_back_for_the_backoff_that_its_start_recorded() -> None:
    lost = delivery(lost_by="w", crashes=3, attempt=3, max_retries=9, started=True, backoff=_PLAIN)

    assert only_write(decide_crashed(lost, None, free=True, random=0.5)) == Release(2 * SECOND)


def test_the_third_crash_takes_the_registry_backoff_where_none_was_recorded() -> None:
    lost = delivery(lost_by="w", crashes=4, attempt=4, max_retries=9, started=True)
    rules = Rules(backoff=Backoff(SECOND, 3.0, 60 * SECOND, 0.0))

    assert only_write(decide_crashed(lost, rules, free=True, random=0.5)) == Release(3 * SECOND)


def test_a_crash_on_the_last_attempt_is_buried_with_the_evidence() -> None:
    lost = delivery(lost_by="worker-7", crashes=4, attempt=4, deliveries=6, started=True)
    write = only_write(decide_crashed(lost, Rules(), free=True, random=0.5))

    assert isinstance(write, Bury)
    assert write.reason == Reason.CRASHED
    assert write.error is not None
    assert "worker-7" in write.error.message
    assert "crashes 4" in write.error.message
    assert "deliveries 6" in write.error.message


@pytest.mark.parametrize(("recorded", "rules"), [("early", None), ("late", Rules(ack="early"))])
def test_what_was_acknowledged_early_and_started_never_runs_again(recorded: str, rules: Rules | None) -> None:
    lost = delivery(lost_by="w", started=True, crashes=1, attempt=1, ack="early" if recorded == "early" else "late")
    write = only_write(decide_crashed(lost, rules, free=True, random=0.5))

    assert isinstance(write, Bury)
    assert write.reason == Reason.WORKER_LOST
    assert write.error is not None
    assert write.error.kind == "WorkerLost"


def test_what_was_acknowledged_early_and_had_not_started_runs() -> None:
    assert decide_crashed(delivery(lost_by="w", lost=1, ack="early"), None, free=True, random=0.5) is None


def test_a_lost_delivery_that_was_cancelled_ends_as_cancelled() -> None:
    lost = delivery(lost_by="w", cancel_requested=True, crashes=9, attempt=9, started=True)

    assert only_write(decide_crashed(lost, Rules(), free=True, random=0.5)) == Settle(TaskEvent.CANCELLED)


def test_after_a_lost_lease_nothing_is_written() -> None:
    assert decide.decide_stopped(delivery(), Stop.LOST) is None


def test_a_shutdown_gives_back_without_using_an_attempt() -> None:
    assert only_write(decide.decide_stopped(delivery(), Stop.SHUTDOWN)) == Release(0)


def test_a_shutdown_does_not_give_back_what_began_and_may_run_at_most_once() -> None:
    write = only_write(decide.decide_stopped(delivery(), Stop.SHUTDOWN, once=True))
    assert isinstance(write, Bury)
    assert (write.reason, write.error and write.error.code) == (Reason.WORKER_LOST, "STEM-E051")


def test_a_terminated_attempt_ends_as_cancelled() -> None:
    assert only_write(decide.decide_stopped(delivery(), Stop.TERMINATE)) == Settle(TaskEvent.CANCELLED)


@pytest.mark.parametrize(("parks", "minutes"), [(0, 5), (1, 10), (2, 20), (3, 40), (4, 60), (5, 60), (10_000, 60)])
def test_an_unknown_task_is_parked_for_5_minutes_doubling_to_an_hour(parks: int, minutes: int) -> None:
    write = only_write(decide_unknown(delivery(parks=parks), "registry-1"))

    assert write == Park(Reason.UNKNOWN_TASK, "registry-1", minutes * 60 * SECOND)


def test_a_newer_version_is_parked() -> None:
    write = only_write(decide_version(delivery(), 3, Rules(version=2), fingerprint="registry-1"))

    assert write == Park(Reason.NEWER_VERSION, "registry-1", 300 * SECOND)


def test_an_older_version_is_buried() -> None:
    change = decide_version(delivery(), 1, Rules(version=2), fingerprint="registry-1")

    assert _bury_reason(only_write(change)) == Reason.VERSION


@pytest.mark.parametrize("version", [1, 3])
def test_the_same_version_and_an_accepted_one_run(version: int) -> None:
    assert decide_version(delivery(), version, Rules(version=3, accepts=(1,)), fingerprint="r") is None


def test_what_cannot_be_decoded_is_buried() -> None:
    error = Undecodable(expected="a", found="b", do="c.")

    assert only_write(decide_undecodable(delivery(), error)) == Bury(Reason.UNDECODABLE, failure_of(error))


def test_a_refused_result_is_decided_again_under_another_number() -> None:
    failure = refused_failure(Refused("too_large", "9 bytes"))
    change = decide_refused(delivery(), failure, number=2)

    assert change.number == 2
    assert only_write(change) == Bury(Reason.RESULT_REFUSED, failure)
    assert (failure.kind, failure.code) == ("ResultRefused", "STEM-E047")
    assert "too_large" in failure.message


def test_a_start_is_told_unless_this_lease_was_marked() -> None:
    assert needs_start(delivery())
    assert not needs_start(delivery(started=True))
    assert needs_start(delivery(started=True, lost_by="w"))


@pytest.mark.parametrize(
    ("ack", "crashes", "lost", "waits"),
    [("late", 0, 0, False), ("early", 0, 0, True), ("late", 1, 0, True), ("late", 0, 1, True)],
)
def test_what_may_run_once_or_was_lost_before_waits_until_its_start_is_recorded(
    ack: Ack, crashes: int, lost: int, waits: bool
) -> None:
    assert waits_for_start(delivery(crashes=crashes, lost=lost), Start(DEFAULT_BACKOFF, ack)) is waits
