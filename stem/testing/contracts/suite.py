"""All contracts in one class."""

from __future__ import annotations

from stem.testing.contracts.batches import BatchContract, LinkedBatchContract
from stem.testing.contracts.broadcasts import BroadcastContract
from stem.testing.contracts.cancels import CancelReplayContract
from stem.testing.contracts.closing import ClosingContract
from stem.testing.contracts.commits import CommitContract
from stem.testing.contracts.competing import CompetingContract
from stem.testing.contracts.continuations import ContinuationContract
from stem.testing.contracts.counts import CountContract
from stem.testing.contracts.crashes import CrashContract
from stem.testing.contracts.crowds import CrowdContract
from stem.testing.contracts.dead import DeadLetterContract
from stem.testing.contracts.expiries import ExpiryContract
from stem.testing.contracts.fences import FenceContract
from stem.testing.contracts.firing import FiringContract
from stem.testing.contracts.groups import GroupContract
from stem.testing.contracts.handouts import HandoutContract
from stem.testing.contracts.handovers import HandoverContract
from stem.testing.contracts.heartbeats import HeartbeatsContract
from stem.testing.contracts.joins import JoinContract
from stem.testing.contracts.keeping import KeepingContract
from stem.testing.contracts.leases import LeaseContract
from stem.testing.contracts.limits import LimitsContract
from stem.testing.contracts.locks import LockContract
from stem.testing.contracts.namespaces import NamespaceContract
from stem.testing.contracts.notices import NoticeContract
from stem.testing.contracts.outcomes import OutcomeContract
from stem.testing.contracts.parks import ParkContract
from stem.testing.contracts.pauses import PauseContract
from stem.testing.contracts.pins import PinContract
from stem.testing.contracts.queries import QueriesContract
from stem.testing.contracts.renewals import KeeperContract
from stem.testing.contracts.retention import RetentionContract
from stem.testing.contracts.revocations import RevocationContract
from stem.testing.contracts.schedules import ScheduleContract
from stem.testing.contracts.transitions import TransitionContract
from stem.testing.contracts.uniques import UniqueContract
from stem.testing.contracts.upstreams import UpstreamContract
from stem.testing.contracts.writes import WritesContract

__all__ = ["CoreContract", "StoreContract"]


class CoreContract(
    CommitContract,
    WritesContract,
    BatchContract,
    FenceContract,
    LeaseContract,
    KeeperContract,
    CrashContract,
    CancelReplayContract,
    UniqueContract,
    ParkContract,
    QueriesContract,
    HeartbeatsContract,
    NoticeContract,
    RetentionContract,
    TransitionContract,
):
    """Tasks, leases, fences, queries and heartbeats: what every engine begins with."""


class StoreContract(
    CoreContract,
    LinkedBatchContract,
    LockContract,
    RevocationContract,
    PauseContract,
    HandoverContract,
    OutcomeContract,
    BroadcastContract,
    ScheduleContract,
    FiringContract,
    DeadLetterContract,
    KeepingContract,
    ContinuationContract,
    ExpiryContract,
    UpstreamContract,
    GroupContract,
    HandoutContract,
    JoinContract,
    ClosingContract,
    PinContract,
    CountContract,
    LimitsContract,
    CrowdContract,
    CompetingContract,
    NamespaceContract,
):
    """Everything that `stem.contracts` promises, as tests."""
