"""`python -m benchmarks.day`: a day in a few minutes; ends in 1 when a count is wrong or memory has grown."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from .plan import draw, expected
from .run import Day, live

__all__: list[str] = []

_GROWTH = 1.15


def main() -> int:
    """1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.day", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--hours", type=int, default=24)
    given = parser.parse_args()
    items = draw(given.seed, tasks=given.tasks, minutes=given.hours * 60)
    began = time.monotonic()
    day = asyncio.run(live(items, minutes=given.hours * 60, watch=_say))
    asked = expected(items)
    print(f"{given.hours} h, {given.tasks:,} tasks, seed {given.seed}, in {time.monotonic() - began:.0f} s")
    for state in sorted({*asked, *day.ended}, key=lambda state: state.value):
        print(f"  {state.value:<10} {day.ended[state]:>8,} of {asked[state]:,}")
    print(f"  records left: {day.left}; memory by hour, MiB: {' '.join(f'{each:.0f}' for each in day.megabytes)}")
    return 0 if day.ended == asked and not day.left and _is_flat(day) else 1


def _is_flat(day: Day) -> bool:
    """Whether the last quarter of the day needed no more memory than the second one."""
    quarter = max(1, len(day.megabytes) // 4)
    return max(day.megabytes[-quarter:]) <= _GROWTH * max(day.megabytes[quarter : 2 * quarter] or day.megabytes)


def _say(minute: int) -> None:
    if minute % 60 == 59:
        print(f"{minute // 60 + 1} h", file=sys.stderr, end=" ", flush=True)


if __name__ == "__main__":
    sys.exit(main())
