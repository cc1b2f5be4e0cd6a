"""One queue's line."""

from __future__ import annotations

import random
from dataclasses import dataclass

from stem.adapters.memory.waiting import Waiting


@dataclass(eq=False)
class Message:
    sequence: int
    priority: int = 0
    due_at: int | None = 0
    refused_by: dict[str, int] | None = None
    ticket: int = 0


def drain(line: Waiting[Message], fingerprint: str = "f") -> list[int]:
    order: list[int] = []
    while (message := line.first(fingerprint)) is not None:
        line.withdraw(message)
        order.append(message.sequence)
    return order


def test_the_first_stays_in_line_until_it_is_withdrawn() -> None:
    line: Waiting[Message] = Waiting()
    message = Message(1)
    line.put(message, 0)
    assert line.first("f") is message
    assert line.first("f") is message
    line.withdraw(message)
    assert line.first("f") is None


def test_a_line_gives_what_sorting_would_give() -> None:
    chance = random.Random(7)
    line: Waiting[Message] = Waiting()
    messages = [Message(n, chance.randrange(3), chance.randrange(5)) for n in range(200)]
    for message in messages:
        line.put(message, 0)
    line.settle(10)
    ranked = sorted(messages, key=lambda m: (-m.priority, m.due_at, m.sequence))
    assert drain(line) == [message.sequence for message in ranked]


def test_what_is_not_due_is_not_seen_and_next_time_tells_when_it_is() -> None:
    line: Waiting[Message] = Waiting()
    line.put(Message(1, due_at=9), 0)
    line.put(Message(2, due_at=5), 0)
    line.settle(4)
    assert (line.first("f"), line.next_time()) == (None, 5)
    line.settle(5)
    assert drain(line) == [2]
    assert line.next_time() == 9


def test_a_refused_message_is_seen_by_others_only_until_its_time() -> None:
    line: Waiting[Message] = Waiting()
    line.put(Message(1, refused_by={"f": 5, "g": 9}), 0)
    line.put(Message(2), 0)
    assert drain(line, "f") == [2]
    assert line.first("h") is not None
    line.settle(5)
    assert line.first("g") is None
    assert line.first("f") is not None
    line.settle(9)
    assert drain(line, "g") == [1]


def test_a_message_put_again_has_only_its_new_place() -> None:
    line: Waiting[Message] = Waiting()
    message = Message(1)
    line.put(message, 0)
    message.due_at = 7
    line.put(message, 0)
    assert line.first("f") is None
    line.settle(7)
    assert drain(line) == [1]


def test_entries_of_withdrawn_messages_do_not_pile_up() -> None:
    line: Waiting[Message] = Waiting()
    for number in range(20_000):
        message = Message(number, due_at=10**9 if number % 2 else 0)
        line.put(message, 0)
        line.withdraw(message)
        message.due_at = None
    assert len(line) < 5_000


def test_the_oldest_due_time_is_that_of_what_waits_now() -> None:
    line: Waiting[Message] = Waiting()
    first, second = Message(1, due_at=3), Message(2, due_at=5)
    for message in (first, second):
        line.put(message, 0)
    line.settle(9)
    assert line.oldest_due() == 3
    line.withdraw(first)
    first.due_at = 7
    line.put(first, 9)
    assert line.oldest_due() == 5
