"""What the comparison with peers says of its numbers, and that what drives a peer asks for what it says."""

import asyncio
import threading
from pathlib import Path

import pytest

from benchmarks.peers.driver import AsyncCallers, BlockingCallers
from benchmarks.peers.marks import MARKS, make_marks, mark, seconds_of_drain
from benchmarks.peers.report import Finding, as_json, as_text, judge
from benchmarks.peers.rescue import Rescue, share_of
from benchmarks.peers.roster import OURS as STEM
from benchmarks.peers.roster import Engine, Measure, Target, peers_of
from benchmarks.peers.turn import P50
from stem.errors import ConfigError


def finding(name: str, **numbers: list[float]) -> Finding:
    return Finding(name, numbers=numbers)


def latency(name: str, *medians: float) -> Finding:
    return Finding(name, numbers={P50: list(medians)})


OURS = finding("stem", drain=[4000.0, 6000.0, 5000.0], enqueue=[900.0])
SLOW = finding("slow", drain=[100.0, 300.0, 200.0])
FAST = finding("fast", drain=[1000.0, 1000.0, 1000.0])
BROKEN = Finding("broken", failure="it ended")


@pytest.mark.parametrize(
    ("target", "found", "met"),
    [
        (Target(measure=Measure.DRAIN, times=5), "5.00x fast", True),
        (Target(measure=Measure.DRAIN, times=5.1), "5.00x fast", False),
        (Target(measure=Measure.DRAIN, times=20, peers=("slow",)), "25.00x slow", True),
        (Target(measure=Measure.DRAIN, limit=5000), "5,000/s", True),
        (Target(measure=Measure.DRAIN, limit=5001), "5,000/s", False),
        (Target(measure=Measure.DRAIN, times=2, peers=("broken",)), "not measured", None),
        (Target(measure=Measure.ENQUEUE, times=2), "not measured", None),
        (Target(measure=Measure.ROUND_TRIPS, times=2), "not measured", None),
    ],
)
def test_a_target_compares_medians_with_the_best_of_its_peers(target: Target, found: str, met: bool | None) -> None:
    verdict = judge(target, OURS, [SLOW, FAST, BROKEN])
    assert (verdict.found, verdict.met) == (found, met)


@pytest.mark.parametrize(("medians", "met"), [((0.7, 0.9, 0.79), True), ((0.8,), False), ((), None)])
def test_a_target_of_latency_is_a_limit_of_its_own(medians: tuple[float, ...], met: bool | None) -> None:
    ours = latency("stem", *medians) if medians else finding("stem")
    assert judge(Target(measure=Measure.LATENCY, limit=0.8), ours, [latency("fast", 0.1)]).met is met


def test_the_table_has_medians_spans_ratios_and_who_failed() -> None:
    text = as_text("redis", OURS, [SLOW, BROKEN], [judge(Target(measure=Measure.DRAIN, times=30), OURS, [SLOW])])
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "stem 5,000 (4,000 - 6,000)" in lines
    assert "slow 200 (100 - 300) Stem is 25.00x" in lines
    assert "drain: at least 30x the best peer 25.00x slow MISSED" in lines
    assert "broken it ended" in lines
    assert not [line for line in lines if "round trips" in line]


def test_the_json_has_every_single_number() -> None:
    report = as_json({"engine": "redis"}, OURS, [SLOW], [])
    assert report["findings"] == [
        {
            "name": "stem",
            "note": "",
            "failure": "",
            "numbers": {
                "drain": {"values": [4000.0, 6000.0, 5000.0], "median": 5000.0, "stem_ratio": 1.0},
                "enqueue": {"values": [900.0], "median": 900.0, "stem_ratio": 1.0},
            },
        },
        {
            "name": "slow",
            "note": "",
            "failure": "",
            "numbers": {"drain": {"values": [100.0, 300.0, 200.0], "median": 200.0, "stem_ratio": 25.0}},
        },
    ]


def test_a_peer_of_another_engine_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="saq"):
        peers_of(Engine.REDIS, ["saq", "pgqueuer"])
    assert [peer.name for peer in peers_of(Engine.POSTGRES, ["saq-pg"])] == ["saq-pg"]


def test_every_peer_has_pinned_versions_and_an_adapter() -> None:
    adapters = Path(__file__).parents[2] / "benchmarks" / "peers" / "adapters"
    for peer in (peer for engine in Engine for peer in peers_of(engine, None)):
        assert all("==" in requirement for requirement in peer.requirements)
        assert (adapters / f"{peer.adapter}.py").exists()


def test_a_drain_lasts_from_the_first_mark_to_the_last_and_only_when_every_task_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_marks(tmp_path / "marks", 3)
    monkeypatch.setenv(MARKS, str(tmp_path / "marks"))
    for number in (0, 2, 2, -1):
        mark(number)
    assert seconds_of_drain(tmp_path / "marks") is None
    mark(1)
    assert (seconds_of_drain(tmp_path / "marks") or 0) > 0


class Loop:
    """An adapter without a peer, which knows how many callers wait at once."""

    def __init__(self) -> None:
        self.stored: list[int] = []
        self.waiting = self.most = 0

    async def start(self) -> None: ...
    def work(self) -> None: ...

    async def enqueue(self, number: int, /) -> int:
        self.stored.append(number)
        return number

    async def result(self, job: object, /) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1


class Threads:
    """The same, blocking."""

    def __init__(self) -> None:
        self.stored: list[int] = []
        self.waiting = self.most = 0
        self._lock = threading.Lock()

    def start(self) -> None: ...
    def work(self) -> None: ...

    def enqueue(self, number: int, /) -> int:
        with self._lock:
            self.stored.append(number)
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        return number

    def result(self, job: object, /) -> None:
        with self._lock:
            self.waiting -= 1


@pytest.mark.parametrize("blocking", [False, True])
async def test_callers_store_each_number_once_and_keep_a_hundred_round_trips_in_flight(blocking: bool) -> None:
    adapter = Threads() if blocking else Loop()
    callers = BlockingCallers(adapter) if isinstance(adapter, Threads) else AsyncCallers(adapter)
    (seconds,) = await callers.enqueue(1_000)
    assert seconds > 0
    assert sorted(adapter.stored) == list(range(1_000))
    adapter.stored.clear()
    adapter.waiting = adapter.most = 0
    await callers.round_trips(1_000)
    assert adapter.stored == [-1] * 1_000
    assert (25 if blocking else 100) <= adapter.most <= 100
    assert len(await callers.latency(3)) == 3


def test_a_rescue_is_a_row_of_the_table_and_stem_alone_has_to_be_in_time() -> None:
    ours, (peer, *_) = STEM[Engine.REDIS], peers_of(Engine.REDIS, None)
    assert str(Rescue(ours, 10.62)).split()[:4] == ["redis", ours.name, "10.6", "s"]
    assert "saq            not within 100 s" in str(Rescue(peer, failure="not within 100 s"))
    assert [Rescue(ours, 14.9).is_in_time, Rescue(ours, 15.0).is_in_time, Rescue(ours).is_in_time] == [
        True,
        False,
        False,
    ]
    assert Rescue(peer, 300.0).is_in_time


def test_the_engines_share_the_time_that_is_left() -> None:
    assert [share_of(330, 3), share_of(200, 2), share_of(50, 1), share_of(-5, 1)] == [110, 100, 50, 0]
