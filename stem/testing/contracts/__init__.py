"""The public contract suite: pytest classes that prove an engine keeps the promises of `stem.contracts`.

Subclass `StoreContract` in a test module and give it two fixtures: `clock`, a `ManualClock`, and `store`, an open and
empty store that is made with the fixture `options`, which has this clock and the retention that a test wants. Override
`options` to add a namespace, and keep what it has: `replace(options, namespace=...)`.

An engine whose capabilities say `shared` also gives `second_store`, another handle on the same data, and
`foreign_store`, a store of another namespace beside it: on the same server where the engine has one.

The tests are `async def`; run them with pytest-asyncio. Each part can be subclassed alone, too; `CoreContract` is what
an engine begins with: tasks, leases, fences, queries and heartbeats.

    class TestMyEngine(StoreContract):
        @pytest.fixture
        def clock(self) -> ManualClock: ...

        @pytest.fixture
        async def store(self, options: StoreOptions) -> AsyncIterator[Store]: ...
"""

import pytest

_PARTS = (
    *(
        "allowances",
        "asides",
        "base",
        "batches",
        "broadcasts",
        "build",
        "cancels",
        "closing",
        "commits",
        "competing",
        "continuations",
    ),
    *("counts", "crashes", "crowds", "dead", "dice", "ear", "fences", "firing", "groups"),
    *("handouts", "handovers"),
    *("heartbeats", "holders"),
    *(
        "joins",
        "keeping",
        "leases",
        "limits",
        "lineups",
        "locks",
        "namespaces",
        "notices",
        "outcomes",
        "parks",
        "pauses",
        "pins",
    ),
    *("queries", "rates", "renewals", "retention", "revocations", "schedules", "suite", "transitions", "uniques"),
    *("upstreams", "writes"),
)
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in _PARTS))

# ruff: noqa: E402  # pytest must know the parts before they are imported
from stem.testing.contracts.asides import AsideContract
from stem.testing.contracts.batches import BatchContract, LinkedBatchContract
from stem.testing.contracts.broadcasts import BroadcastContract
from stem.testing.contracts.build import Bench, make_envelope, publish
from stem.testing.contracts.cancels import CancelReplayContract
from stem.testing.contracts.closing import ClosingContract
from stem.testing.contracts.commits import CommitContract
from stem.testing.contracts.competing import CompetingContract
from stem.testing.contracts.continuations import ContinuationContract
from stem.testing.contracts.counts import CountContract
from stem.testing.contracts.crashes import CrashContract
from stem.testing.contracts.crowds import CrowdContract
from stem.testing.contracts.dead import DeadLetterContract
from stem.testing.contracts.ear import Ear
from stem.testing.contracts.fences import FenceContract
from stem.testing.contracts.firing import FiringContract
from stem.testing.contracts.groups import GroupContract
from stem.testing.contracts.handouts import HandoutContract
from stem.testing.contracts.handovers import HandoverContract
from stem.testing.contracts.heartbeats import HeartbeatsContract
from stem.testing.contracts.holders import HolderContract
from stem.testing.contracts.joins import JoinContract
from stem.testing.contracts.keeping import KeepingContract
from stem.testing.contracts.leases import LeaseContract
from stem.testing.contracts.limits import DeclaringContract, LimitsContract
from stem.testing.contracts.locks import LockContract
from stem.testing.contracts.namespaces import NamespaceContract
from stem.testing.contracts.notices import NoticeContract
from stem.testing.contracts.outcomes import OutcomeContract
from stem.testing.contracts.parks import ParkContract
from stem.testing.contracts.pauses import PauseContract
from stem.testing.contracts.pins import PinContract
from stem.testing.contracts.queries import QueriesContract
from stem.testing.contracts.rates import RateContract
from stem.testing.contracts.renewals import KeeperContract
from stem.testing.contracts.retention import RetentionContract
from stem.testing.contracts.revocations import RevocationContract
from stem.testing.contracts.schedules import ScheduleContract
from stem.testing.contracts.suite import CoreContract, StoreContract
from stem.testing.contracts.transitions import TransitionContract
from stem.testing.contracts.uniques import UniqueContract
from stem.testing.contracts.upstreams import UpstreamContract
from stem.testing.contracts.writes import WritesContract

__all__ = [
    "AsideContract",
    "BatchContract",
    "Bench",
    "BroadcastContract",
    "CancelReplayContract",
    "ClosingContract",
    "CommitContract",
    "CompetingContract",
    "ContinuationContract",
    "CoreContract",
    "CountContract",
    "CrashContract",
    "CrowdContract",
    "DeadLetterContract",
    "DeclaringContract",
    "Ear",
    "FenceContract",
    "FiringContract",
    "GroupContract",
    "HandoutContract",
    "HandoverContract",
    "HeartbeatsContract",
    "HolderContract",
    "JoinContract",
    "KeeperContract",
    "KeepingContract",
    "LeaseContract",
    "LimitsContract",
    "LinkedBatchContract",
    "LockContract",
    "NamespaceContract",
    "NoticeContract",
    "OutcomeContract",
    "ParkContract",
    "PauseContract",
    "PinContract",
    "QueriesContract",
    "RateContract",
    "RetentionContract",
    "RevocationContract",
    "ScheduleContract",
    "StoreContract",
    "TransitionContract",
    "UniqueContract",
    "UpstreamContract",
    "WritesContract",
    "make_envelope",
    "publish",
]
