"""Who may start is decided over what was read, without a server."""

from __future__ import annotations

from stem.adapters.postgres.judge import Allowance, Candidate, Judged, Ledger, Standing, bench_of, short
from stem.contracts.limits import MOST_MOVED
from stem.contracts.store import MAX_LEASE_BYTES
from stem.testing.contracts.allowances import limit

NOW = 1_000_000
HOLDING = Allowance("concurrency", "tests.task", "")
WEIGHTS = {"a": 1, "b": 1}


def candidate(seq: int, queue: str = "a", size: int = 1, concurrency: int | None = 1) -> Candidate:
    held = None if concurrency is None else limit(None, concurrency)
    return Candidate(str(seq), seq, queue, NOW, size, "queued", "tests.task", "", "", held)


def judged(candidates: list[Candidate], *, most: int = 9, room: int = MAX_LEASE_BYTES - 1, holders: int = 0) -> Judged:
    bench = bench_of(candidates, WEIGHTS, Ledger({HOLDING: holders}, NOW), {}, most)
    return bench.judge(weights=WEIGHTS, quotas={"a": 3, "b": 3}, bytes_left=room)


def numbers(candidates: list[Candidate]) -> list[int]:
    return [candidate.seq for candidate in candidates]


def test_who_has_no_limit_starts_and_who_may_not_start_is_moved_aside() -> None:
    found = judged([candidate(1), candidate(2), candidate(3, concurrency=None)])
    assert (numbers(found.taken), numbers(found.aside)) == ([1, 3], [2])


def test_when_enough_are_moved_aside_no_more_are_looked_at() -> None:
    found = judged([*map(candidate, range(5)), candidate(9, concurrency=None)], most=2, holders=1)
    assert (numbers(found.taken), numbers(found.aside), found.is_cut) == ([], [0, 1], True)
    assert found.passed == {"a"}


def test_queues_take_turns_for_what_they_share() -> None:
    found = judged([candidate(seq, queue, concurrency=3) for seq, queue in enumerate("aabb")])
    assert numbers(found.taken) == [0, 2, 1]
    assert sum(found.owed.values()) == 0


def test_what_does_not_fit_into_the_answer_stays_in_line() -> None:
    found = judged([candidate(1, size=6, concurrency=9), candidate(2, size=6, concurrency=9)], room=10)
    assert (numbers(found.taken), found.is_full, found.passed) == ([1], True, {"a"})


def test_what_is_larger_than_an_answer_fits_if_it_is_the_first_one() -> None:
    large = MAX_LEASE_BYTES + 1
    found = judged([candidate(1, size=large, concurrency=9), candidate(2, concurrency=9)], room=MAX_LEASE_BYTES)
    assert (numbers(found.taken), found.is_full) == ([1], True)


def test_the_stricter_of_rate_and_concurrency_is_the_room_and_holders_have_no_time() -> None:
    both = limit("1/s", 2)
    assert Standing(both, 0, 0).room(NOW) == 1
    assert Standing(both, 0, 2).room(NOW) == 0
    assert Standing(both, 0, 2).opens_after(0, NOW) is None
    assert Standing(both, 0, 1).opens_after(1, NOW) is None
    assert Standing(both, 0, 0).opens_after(1, NOW) == NOW + 1_000_000
    assert Standing(None, 0, 0).room(NOW) == MOST_MOVED


def test_long_keys_are_told_apart_by_digests_that_no_key_can_be_taken_for() -> None:
    keys = ["", "a", "k" * 300, "k" * 301, short("k" * 300)]
    assert len({short(key) for key in keys}) == len(keys)
    assert max(map(len, map(short, keys))) <= 200
    assert short(None) == ""
