"""Stem and its peers in one run, on servers that it starts itself.

    python -m benchmarks.peers --engine redis|postgres|sqlite [--peers a,b] [--alone] [--only drain,latency]
                               [--count N] [--repetitions 3] [--json] [--venvs PATH]

All take turns, so that a busy machine hits them all. Every turn has a new store, one producer process and one worker
process, over loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .places import Fresh, places_of
from .report import Finding, as_json, as_text, judge
from .roster import DEFAULT_COUNTS, OURS, TARGETS, Engine, Measure, Peer, peers_of
from .turn import Plan, TurnFailed, take_turn
from .venvs import default_folder, python_for


def main(options: argparse.Namespace) -> None:
    """Measure, and print one report to stdout; what is going on is said on stderr."""
    engine: Engine = options.engine
    peers = [] if options.alone else peers_of(engine, options.peers)
    plan = plan_of(options)
    everybody = {peer.name: (peer, python_for(peer, options.venvs)) for peer in (OURS[engine], *peers)}
    with places_of(engine) as fresh:
        ours, *others = asyncio.run(measure(list(everybody.values()), fresh, plan, options.repetitions))
    verdicts = [judge(target, ours, others) for target in TARGETS[engine] if target.measure in plan.measures]
    conditions = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    if options.json:
        heading = {"engine": engine, "count": plan.count, "repetitions": options.repetitions, "machine": conditions}
        print(json.dumps(as_json(heading, ours, others, verdicts), indent=1))
    else:
        amount = f"{plan.count:,} tasks, median of {options.repetitions} (least - most)"
        print(as_text(f"{engine}: {amount}; {conditions}", ours, others, verdicts))


async def measure(everybody: Sequence[tuple[Peer, Path]], fresh: Fresh, plan: Plan, repetitions: int) -> list[Finding]:
    """All take one turn after another, `repetitions` times; who fails is left out from then on."""
    findings = {peer.name: Finding(peer.name, peer.note) for peer, _ in everybody}
    for repetition in range(repetitions):
        for peer, python in everybody:
            finding = findings[peer.name]
            if finding.failure:
                continue
            print(f"{repetition + 1}/{repetitions} {peer.name}", file=sys.stderr, flush=True)
            try:
                async with fresh() as url:
                    finding.add(await take_turn(peer, python, url, plan))
            except TurnFailed as error:
                finding.failure = str(error)
    return list(findings.values())


def plan_of(options: argparse.Namespace) -> Plan:
    """What the arguments ask for."""
    return Plan(
        measures=frozenset(options.only),
        count=options.count or DEFAULT_COUNTS[options.engine],
        round_trips=options.round_trips,
        samples=options.samples,
        limit=options.limit,
    )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments, each in its bounds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Stem beside its peers.")
    parser.add_argument("--engine", type=Engine, choices=list(Engine), required=True)
    parser.add_argument("--peers", type=lambda text: text.split(","), metavar="a,b", help="only these; all by default")
    parser.add_argument("--alone", action="store_true", help="Stem without any peer")
    parser.add_argument("--only", type=_measures, default=list(Measure), metavar="drain,enqueue,round-trips,latency")
    parser.add_argument("--count", type=_between(100, 200_000), metavar="N", help="tasks to store and drain")
    parser.add_argument("--round-trips", type=_between(100, 100_000), default=2_000, metavar="N")
    parser.add_argument("--samples", type=_between(3, 2_000), default=200, metavar="N", help="of latency")
    parser.add_argument("--repetitions", type=_between(1, 10), default=3, metavar="N")
    parser.add_argument("--limit", type=_between(1, 600), default=60, metavar="SECONDS", help="for each step")
    parser.add_argument("--json", action="store_true", help="every single number, as one JSON object")
    parser.add_argument("--venvs", type=Path, default=default_folder(), metavar="PATH")
    return parser.parse_args(arguments)


def _measures(text: str) -> list[Measure]:
    return [Measure(name) for name in text.split(",")]


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least:,} and {most:,}")
        return int(text)

    return number


if __name__ == "__main__":
    main(parse())
