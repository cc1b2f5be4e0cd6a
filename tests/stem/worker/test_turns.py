"""The private queue is asked when there may be something in it, and else leaves the calls to the other queues."""

from __future__ import annotations

import pytest

from stem.contracts.store import LeaseAnswer, Notice
from stem.testing import ManualClock
from stem.worker.turns import POLL, Turns
from tests.stem.worker.support import SECOND, delivery

OWN = {"default": 1, "mail": 3}
NOTHING = LeaseAnswer(())


@pytest.fixture
def asked(clock: ManualClock) -> Turns:
    """After a first call, which asked both and brought nothing."""
    made = Turns(OWN, "worker:a", clock=clock)
    made.answered(made.queues(clock.elapsed()), NOTHING)
    return made


def test_the_first_call_asks_the_private_queue_before_all_others(clock: ManualClock) -> None:
    first = Turns(OWN, "worker:a", clock=clock).queues(clock.elapsed())
    assert set(first) == {*OWN, "worker:a"}
    assert first["worker:a"] > 100 * sum(OWN.values())


def test_while_nothing_is_heard_of_it_other_calls_leave_it_out(asked: Turns, clock: ManualClock) -> None:
    clock.advance(4.9)
    assert asked.queues(clock.elapsed()) == OWN
    clock.advance(0.1)
    assert "worker:a" in asked.queues(clock.elapsed())


def test_a_notice_of_it_lets_the_next_call_ask_it(asked: Turns, clock: ManualClock) -> None:
    assert asked.concern(Notice(queues=frozenset({"worker:a"})))
    assert "worker:a" in asked.queues(clock.elapsed())


def test_notices_of_everything_let_it_be_asked_once_a_second(asked: Turns, clock: ManualClock) -> None:
    assert asked.concern(Notice(everything=True))
    assert (asked.queues(clock.elapsed()), asked.rest(None)) == (OWN, SECOND)
    clock.advance(1)
    asked.answered(asked.queues(clock.elapsed()), NOTHING)
    assert asked.rest(None) == POLL


def test_what_is_heard_during_a_call_is_not_forgotten_with_its_answer(asked: Turns, clock: ManualClock) -> None:
    asked.concern(Notice(queues=frozenset({"worker:a"})))
    under_way = asked.queues(clock.elapsed())
    asked.concern(Notice(queues=frozenset({"worker:a"})))
    asked.answered(under_way, NOTHING)
    assert "worker:a" in asked.queues(clock.elapsed())


def test_only_notices_of_its_queues_concern_a_worker(asked: Turns, clock: ManualClock) -> None:
    assert asked.concern(Notice(queues=frozenset({"mail", "other"})))
    assert not asked.concern(Notice(queues=frozenset({"other", "worker:b"})))
    assert asked.queues(clock.elapsed()) == OWN


def test_it_is_asked_again_at_once_after_a_call_that_brought_something_of_it(clock: ManualClock) -> None:
    made = Turns(OWN, "worker:a", clock=clock)
    made.answered(made.queues(clock.elapsed()), LeaseAnswer((delivery()._replace(queue="worker:a"),)))
    assert "worker:a" in made.queues(clock.elapsed())


def test_it_is_not_asked_again_because_the_other_queues_are_full(clock: ManualClock) -> None:
    made = Turns(OWN, "worker:a", clock=clock)
    made.answered(made.queues(clock.elapsed()), LeaseAnswer((delivery(),)))
    assert made.queues(clock.elapsed()) == OWN


def test_it_is_asked_when_something_becomes_due(clock: ManualClock) -> None:
    made = Turns(OWN, "worker:a", clock=clock)
    made.answered(made.queues(clock.elapsed()), LeaseAnswer((), next_due=2 * SECOND))
    assert made.rest(None) == 2 * SECOND
    clock.advance(2)
    assert "worker:a" in made.queues(clock.elapsed())


def test_a_rest_is_never_longer_than_until_the_next_look(asked: Turns, clock: ManualClock) -> None:
    assert asked.rest(None) == POLL
    clock.advance(3)
    assert (asked.rest(None), asked.rest(SECOND)) == (2 * SECOND, SECOND)
    clock.advance(3)
    assert asked.rest(None) == 1_000
