"""Whose turn it is: smooth weighted round-robin over the queues that have work. Pure; an engine keeps the credits."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Credits", "next_turn", "share"]

Credits = Mapping[str, int]
"""What each queue is owed, by name. Empty at the beginning; the sum stays zero."""


def next_turn(owed: Credits, weights: Mapping[str, int]) -> tuple[str, dict[str, int]]:
    """The queue that is served next and the credits after that; `weights` holds the queues that have work.

    Each queue gains its weight, the richest is served (of equals the first by name) and pays the sum of all weights.
    """
    after = dict(owed)
    for queue, weight in weights.items():
        after[queue] = after.get(queue, 0) + weight
    chosen = min(weights, key=lambda queue: (-after[queue], queue))
    after[chosen] -= sum(weights.values())
    return chosen, after


def share(
    owed: Credits, weights: Mapping[str, int], available: Mapping[str, int], limit: int
) -> tuple[dict[str, int], dict[str, int]]:
    """How many of `limit` each queue may give when it has `available` messages, and the credits after that.

    What one queue cannot fill, the others fill; the numbers add up to `limit` or to all there is.
    """
    left = {queue: min(available.get(queue, 0), limit) for queue in weights}
    counts = dict.fromkeys(weights, 0)
    after = dict(owed)
    while limit > 0 and (ready := {queue: weights[queue] for queue, count in left.items() if count}):
        if len(ready) == 1:
            (last,) = ready
            counts[last] += min(left[last], limit)
            break
        chosen, after = next_turn(after, ready)
        counts[chosen] += 1
        left[chosen] -= 1
        limit -= 1
    return counts, after
