"""Every error that Stem raises.

StemError
├── ConfigError            E001   a setting, a URL, an option or a missing extra
├── BuildError             E010   stem-build cannot go on
├── EnqueueError           E020   nothing was stored
│   ├── InvalidArguments   E021
│   ├── UnknownTask        E022
│   ├── PayloadTooLarge    E023
│   ├── DuplicateTask      E024
│   ├── UnusableConnection E025
│   └── EnqueueRefused     E026
├── StoreError             E030   the engine answered with an error
│   ├── StoreUnavailable   E031
│   ├── SchemaMismatch     E032
│   ├── StoreReadOnly      E033
│   ├── StoreFull          E034
│   └── StoreCorrupt       E035
├── TaskError              E040   what waiting for a result, or running, can meet
│   ├── TaskFailed         E041
│   ├── TaskCancelled      E042
│   ├── TaskExpired        E043
│   ├── WaitTimeout        E044
│   ├── ResultExpired      E045
│   ├── ResultIgnored      E046
│   ├── ResultRefused      E047
│   ├── UnknownId          E048
│   ├── HardTimeLimit      E049
│   ├── SoftTimeLimit      E050
│   ├── WorkerLost         E051
│   ├── Undecodable        E052
│   ├── MiddlewareFailed   E053
│   └── BroadcastError     E054
├── WorkflowError          E060
│   ├── RunFailed          E061
│   ├── RunCancelled       E062
│   ├── EventTimeout       E063
│   ├── NonDeterminism     E064
│   └── UnknownWorkflow    E065
├── SecurityError          E070
│   ├── BadSignature       E071
│   └── UnknownKey         E072
├── InvalidTransition      E080   a state change that the table does not allow
└── UnknownWorker          E081   a command for a worker that is not there

Each says what was expected, what was found and what to do, and has a stable code.
"""

from __future__ import annotations

from stem.errors.base import BuildError, ConfigError, InvalidTransition, StemError, UnknownWorker
from stem.errors.enqueueing import (
    DuplicateTask,
    EnqueueError,
    EnqueueRefused,
    InvalidArguments,
    PayloadTooLarge,
    UnknownTask,
    UnusableConnection,
)
from stem.errors.running import (
    BroadcastError,
    HardTimeLimit,
    MiddlewareFailed,
    ResultExpired,
    ResultIgnored,
    ResultRefused,
    SoftTimeLimit,
    TaskCancelled,
    TaskError,
    TaskExpired,
    TaskFailed,
    Undecodable,
    UnknownId,
    WaitTimeout,
    WorkerLost,
)
from stem.errors.security import BadSignature, SecurityError, UnknownKey
from stem.errors.storage import SchemaMismatch, StoreCorrupt, StoreError, StoreFull, StoreReadOnly, StoreUnavailable
from stem.errors.workflows import EventTimeout, NonDeterminism, RunCancelled, RunFailed, UnknownWorkflow, WorkflowError

__all__ = [
    "BadSignature",
    "BroadcastError",
    "BuildError",
    "ConfigError",
    "DuplicateTask",
    "EnqueueError",
    "EnqueueRefused",
    "EventTimeout",
    "HardTimeLimit",
    "InvalidArguments",
    "InvalidTransition",
    "MiddlewareFailed",
    "NonDeterminism",
    "PayloadTooLarge",
    "ResultExpired",
    "ResultIgnored",
    "ResultRefused",
    "RunCancelled",
    "RunFailed",
    "SchemaMismatch",
    "SecurityError",
    "SoftTimeLimit",
    "StemError",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreUnavailable",
    "TaskCancelled",
    "TaskError",
    "TaskExpired",
    "TaskFailed",
    "Undecodable",
    "UnknownId",
    "UnknownKey",
    "UnknownTask",
    "UnknownWorker",
    "UnknownWorkflow",
    "UnusableConnection",
    "WaitTimeout",
    "WorkerLost",
    "WorkflowError",
]
