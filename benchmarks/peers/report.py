"""What was found, as a table for people or as JSON: medians, ratios of Stem to each peer, and the targets beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from .roster import Measure, Target
from .turn import P50, P99

__all__ = ["Finding", "Verdict", "as_json", "as_text", "judge"]

TITLES: Mapping[str, str] = {
    Measure.DRAIN: "drain by one worker process, tasks/s (from the first execution to the last)",
    Measure.ENQUEUE: "enqueue from 100 concurrent callers, tasks/s",
    Measure.ROUND_TRIPS: "enqueue and wait, 100 in flight, round trips/s",
    P50: "enqueue to result, idle worker, median, ms (less is better)",
    P99: "enqueue to result, idle worker, 99th percentile, ms (less is better)",
}


@dataclass(slots=True)
class Finding:
    """The numbers of one configuration, one for each repetition; or why there are none."""

    name: str
    note: str = ""
    numbers: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    failure: str = ""

    def add(self, numbers: Mapping[str, float]) -> None:
        """Keep what one turn found."""
        for name, value in numbers.items():
            self.numbers.setdefault(name, []).append(value)

    def middle(self, number: str) -> float | None:
        """The median over the repetitions."""
        values = self.numbers.get(number)
        return median(values) if values else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target, in words, with what was found; `met` is `None` where there was nothing to compare with."""

    target: str
    found: str
    met: bool | None


def judge(target: Target, ours: Finding, peers: Sequence[Finding]) -> Verdict:
    """Compare medians: with the best of the peers that the target names (or of all), or with its limit."""
    value = ours.middle(P50 if target.measure is Measure.LATENCY else target.measure)
    if target.limit is not None:
        return _judge_limit(target.measure, target.limit, value)
    against = [peer for peer in peers if not target.peers or peer.name in target.peers]
    rates = {peer.name: rate for peer in against if (rate := peer.middle(target.measure)) is not None}
    text = f"{target.measure}: at least {target.times:g}x {' and '.join(target.peers) or 'the best peer'}"
    if value is None or not rates or target.times is None:
        return Verdict(text, "not measured", None)
    best = max(rates, key=lambda name: rates[name])
    ratio = value / rates[best]
    return Verdict(text, f"{ratio:.2f}x {best}", ratio >= target.times)


def _judge_limit(measure: Measure, limit: float, value: float | None) -> Verdict:
    is_latency = measure is Measure.LATENCY
    text = f"{measure}: median below {limit:g} ms" if is_latency else f"{measure}: at least {limit:,.0f}/s"
    if value is None:
        return Verdict(text, "not measured", None)
    found = f"{value:.2f} ms" if is_latency else f"{value:,.0f}/s"
    return Verdict(text, found, value < limit if is_latency else value >= limit)


def as_text(heading: str, ours: Finding, peers: Sequence[Finding], verdicts: Sequence[Verdict]) -> str:
    """A block for each measure, then the targets and what is to be known of each peer."""
    every = [ours, *peers]
    blocks = [heading]
    for number, title in TITLES.items():
        rows = [_row(number, one, ours) for one in every if number in one.numbers]
        blocks += [f"\n{title}", *rows] if rows else []
    notes = [f"  {one.name:<14} {one.note}" for one in every if one.note]
    failures = [f"  {one.name:<14} {one.failure}" for one in every if one.failure]
    parts = {"targets": map(_judged, verdicts), "notes": notes, "failed": failures}
    return "\n".join([*blocks, *(line for title, lines in parts.items() for line in _part(title, lines))])


def as_json(
    heading: Mapping[str, object], ours: Finding, peers: Sequence[Finding], verdicts: Sequence[Verdict]
) -> dict[str, object]:
    """The same with every single number."""
    return {
        **heading,
        "findings": [
            {
                "name": one.name,
                "note": one.note,
                "failure": one.failure,
                "numbers": {
                    number: {"values": values, "median": one.middle(number), "stem_ratio": _ratio(number, ours, one)}
                    for number, values in one.numbers.items()
                },
            }
            for one in [ours, *peers]
        ],
        "targets": [{"target": one.target, "found": one.found, "met": one.met} for one in verdicts],
    }


def _part(title: str, lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    return [f"\n{title}", *listed] if listed else []


def _judged(verdict: Verdict) -> str:
    answer = "" if verdict.met is None else "met" if verdict.met else "MISSED"
    return f"  {verdict.target:<52} {verdict.found:<20} {answer}".rstrip()


def _row(number: str, one: Finding, ours: Finding) -> str:
    values = one.numbers[number]
    digits = 2 if number in (P50, P99) else 0
    span = f"({min(values):,.{digits}f} - {max(values):,.{digits}f})"
    ratio = _ratio(number, ours, one)
    compared = "" if one is ours or ratio is None else f"Stem is {ratio:.2f}x"
    return f"  {one.name:<14} {median(values):>10,.{digits}f}  {span:<21} {compared}".rstrip()


def _ratio(number: str, ours: Finding, one: Finding) -> float | None:
    """Stem's median in this one's."""
    base, value = one.middle(number), ours.middle(number)
    return value / base if base and value is not None else None
