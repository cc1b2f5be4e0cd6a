"""What starts, what waits, what goes back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from stem.contracts.changes import Fence
from stem.contracts.store import Delivery
from stem.testing import ManualClock
from stem.worker.held import Held
from stem.worker.slots import Slots
from tests.stem.worker.support import SECOND, delivery


@dataclass
class _Desk:
    """Slots whose attempts do nothing until the test says so."""

    clock: ManualClock = field(default_factory=ManualClock)
    launched: list[Held] = field(default_factory=list[Held])
    returned: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    dropped: int = 0

    later: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    def slots(self, concurrency: int, *, call_soon: Callable[[Callable[[], None]], None] | None = None) -> Slots:
        return Slots(
            concurrency,
            clock=self.clock,
            launch=self.launched.append,
            give_back=lambda given, delay: self.returned.append((given.fence.task_id, delay)),
            drop=self._drop,
            call_soon=call_soon or _now,
        )

    @property
    def running(self) -> list[str]:
        return [held.fence.task_id for held in self.launched]

    def _drop(self) -> None:
        self.dropped += 1


def _now(callback: Callable[[], None]) -> None:
    callback()


def _named(name: str, *, crashes: int = 0, started: bool = False, lost_by: str | None = None) -> Delivery:
    return delivery(fence=Fence(name, 1, "request-1"), crashes=crashes, started=started, lost_by=lost_by)


def test_never_more_handlers_run_than_there_are_slots() -> None:
    desk = _Desk()
    slots = desk.slots(2)

    for name in "abc":
        slots.offer(_named(name), asked_at=0)

    assert desk.running == ["a", "b"]
    assert (slots.free, slots.waiting, slots.busy) == (0, 1, 2)


def test_of_many_the_first_fifty_start_at_once_and_the_others_in_the_next_turns() -> None:
    desk = _Desk()
    slots = desk.slots(100, call_soon=desk.later.append)
    slots.offer(*(_named(str(number)) for number in range(120)), asked_at=0)
    begun = [len(desk.launched)]
    while desk.later:
        desk.later.pop()()
        begun.append(len(desk.launched))

    assert begun == [50, 100, 100]


def test_what_waits_starts_when_a_handler_has_ended_though_its_outcome_is_not_recorded_yet() -> None:
    desk = _Desk()
    slots = desk.slots(1)
    slots.offer(_named("a"), asked_at=0)
    slots.offer(_named("b"), asked_at=0)

    slots.handled(desk.launched[0])

    assert desk.running == ["a", "b"]
    assert slots.busy == 2


def test_no_more_attempts_wait_for_their_outcome_than_four_for_each_slot() -> None:
    desk = _Desk()
    slots = desk.slots(1)
    for name in "abcdef":
        slots.offer(_named(name), asked_at=0)
    for place in range(5):
        slots.handled(desk.launched[place])
    assert desk.running == ["a", "b", "c", "d", "e"]

    slots.done(desk.launched[0])

    assert desk.running == ["a", "b", "c", "d", "e", "f"]


def test_a_prefetched_delivery_whose_lease_may_have_ended_is_dropped() -> None:
    desk = _Desk()
    slots = desk.slots(1)
    slots.offer(_named("a"), asked_at=0)
    slots.offer(_named("b"), asked_at=0)
    desk.clock.advance(10)

    slots.handled(desk.launched[0])

    assert desk.running == ["a"]
    assert desk.dropped == 1


def test_what_has_not_started_after_a_second_goes_back() -> None:
    desk = _Desk()
    slots = desk.slots(1)
    slots.offer(_named("a"), asked_at=0)
    slots.offer(_named("b"), asked_at=0)

    desk.clock.advance(0.9)
    slots.give_back_old()
    assert desk.returned == []
    desk.clock.advance(0.1)
    slots.give_back_old()

    assert desk.returned == [("b", 0)]
    assert slots.waiting == 0


def test_deliveries_that_crashed_once_run_beside_each_other_while_an_attempt_would_be_left() -> None:
    desk = _Desk()
    slots = desk.slots(5)
    for name in "ab":
        slots.offer(_named(name, crashes=1, lost_by="w"), asked_at=0)

    assert desk.running == ["a", "b"]


def test_only_one_delivery_that_crashed_workers_twice_runs_at_a_time() -> None:
    desk = _Desk()
    slots = desk.slots(5)
    for name in "abc":
        slots.offer(_named(name, crashes=2, lost_by="w"), asked_at=0)
    slots.offer(_named("plain"), asked_at=0)
    assert desk.running == ["a", "plain"]

    slots.handled(desk.launched[0])
    assert desk.running == ["a", "plain"]
    slots.done(desk.launched[0])

    assert desk.running == ["a", "plain", "b"]


def test_one_that_crashed_a_worker_does_not_wait_while_it_counts_as_started() -> None:
    desk = _Desk()
    slots = desk.slots(5)
    slots.offer(_named("a", crashes=2, lost_by="w"), asked_at=0)

    slots.offer(_named("b", crashes=2, started=True), asked_at=0)

    assert desk.returned == [("b", 0)]


def test_too_many_that_crashed_a_worker_go_back_for_a_while() -> None:
    desk = _Desk()
    slots = desk.slots(1)
    for name in "abc":
        slots.offer(_named(name, crashes=2, lost_by="w"), asked_at=0)

    assert desk.returned == [("c", SECOND)]


def test_after_closing_everything_that_has_not_started_goes_back() -> None:
    desk = _Desk()
    slots = desk.slots(1)
    slots.offer(_named("a"), asked_at=0)
    slots.offer(_named("b"), asked_at=0)

    slots.close()
    slots.offer(_named("c"), asked_at=0)

    assert desk.returned == [("b", 0), ("c", 0)]


def test_a_thread_that_outlives_its_attempt_keeps_its_slot() -> None:
    desk = _Desk()
    slots = desk.slots(1)
    slots.offer(_named("a"), asked_at=0)
    (held,) = desk.launched
    held.work = thread = Future[object]()

    slots.handled(held)
    slots.done(held)
    assert (slots.idle, slots.free) == (True, 0)

    thread.set_result(None)
    assert slots.free == 1
