"""The names of the requests of a waiting worker, and what is taken once."""

from __future__ import annotations

from stem.contracts.changes import Fence
from stem.contracts.store import Delivery, Handed, LeaseAnswer
from stem.worker.standing import Standing
from tests.stem.worker.support import delivery


def _delivery(nonce: str, task: str = "t") -> Delivery:
    return delivery()._replace(fence=Fence(task, 1, nonce))


def _handed(stands_as: str, since: int = 0) -> Handed:
    return Handed(stands_as, since, (_delivery(stands_as),))


def test_a_call_is_made_under_the_id_under_which_the_one_before_it_stands() -> None:
    standing = Standing()
    first, stands_as = standing.begin(0, ("default",))
    assert first != stands_as
    assert standing.begin(1, ("default",))[0] == stands_as


def test_a_call_that_does_not_stand_leaves_no_name_for_the_next() -> None:
    standing = Standing()
    assert standing.begin(0, ())[1] == standing.stands_as == ""


def test_what_is_handed_over_began_no_earlier_than_its_request_was_made() -> None:
    standing = Standing()
    _, stands_as = standing.begin(100, ("default",))
    assert standing.heard(_handed(stands_as, since=7)) == 107


def test_a_clock_of_the_store_that_went_back_makes_no_lease_older_than_its_request() -> None:
    standing = Standing()
    _, stands_as = standing.begin(100, ("default",))
    assert standing.heard(_handed(stands_as, since=-50)) == 100


def test_what_was_handed_over_is_taken_once() -> None:
    standing = Standing()
    _, stands_as = standing.begin(0, ("default",))
    assert standing.heard(_handed(stands_as)) is not None
    assert standing.heard(_handed(stands_as)) is None


def test_what_was_given_to_another_worker_that_listens_here_is_not_taken() -> None:
    standing = Standing()
    standing.begin(0, ("default",))
    assert standing.heard(_handed("another")) is None


def test_what_was_given_is_not_under_the_id_of_the_next_call() -> None:
    standing = Standing()
    _, stands_as = standing.begin(0, ("default",))
    standing.heard(_handed(stands_as))
    assert standing.begin(1, ())[0] != stands_as


def test_an_answer_brings_what_was_not_heard_of() -> None:
    standing = Standing()
    _, stands_as = standing.begin(0, ("default",))
    standing.begin(1, ("default",))
    found = (_delivery(stands_as),)
    assert standing.answered(LeaseAnswer(found)) == found
    assert standing.heard(_handed(stands_as)) is None


def test_an_answer_does_not_bring_again_what_was_heard_of_during_the_call() -> None:
    standing = Standing()
    _, stands_as = standing.begin(0, ("default",))
    standing.begin(1, ("default",))
    standing.heard(_handed(stands_as))
    other = _delivery(stands_as, "other")
    assert standing.answered(LeaseAnswer((_delivery(stands_as), other))) == (other,)


def test_where_no_request_stands_the_next_call_has_an_id_of_its_own() -> None:
    standing = Standing()
    _, stands_as = standing.begin(0, ("default",))
    standing.answered(LeaseAnswer(()))
    assert standing.begin(1, ("default",))[0] != stands_as
