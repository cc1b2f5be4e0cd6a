"""Stem: type-safe background jobs for Python. This is the whole public surface; each name is loaded at its first
use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stem.app import Stem
    from stem.client.batch import Batch
    from stem.errors import (
        BadSignature,
        BroadcastError,
        BuildError,
        ConfigError,
        DuplicateTask,
        EnqueueError,
        EnqueueRefused,
        HardTimeLimit,
        InvalidArguments,
        InvalidTransition,
        MiddlewareFailed,
        PayloadTooLarge,
        ResultExpired,
        ResultIgnored,
        ResultRefused,
        SchemaMismatch,
        SecurityError,
        SoftTimeLimit,
        StemError,
        StoreCorrupt,
        StoreError,
        StoreFull,
        StoreReadOnly,
        StoreUnavailable,
        TaskCancelled,
        TaskError,
        TaskExpired,
        TaskFailed,
        Undecodable,
        UnknownId,
        UnknownKey,
        UnknownTask,
        UnknownWorker,
        UnusableConnection,
        WaitTimeout,
        WorkerLost,
    )
    from stem.registry import Registry, definition
    from stem.sync import SyncStem, SyncTaskHandle
    from stem.tasks.call import TaskCall
    from stem.tasks.context import TaskContext
    from stem.tasks.definition import (
        DEFAULT,
        TaskDefinition,
        mirror,
        mirror_ctx,
        mirror_sync,
        mirror_sync_ctx,
        task_def,
    )
    from stem.tasks.handle import Copies, Enqueuer, TaskHandle
    from stem.tasks.markers import task
    from stem.tasks.options import UNSET, EnqueueOptions
    from stem.tasks.retry import Retry
    from stem.tasks.state import TaskState
    from stem.tasks.status import Progress, TaskStatus
    from stem.tasks.upcasts import upcast
    from stem.worker.worker import Worker

__version__ = "0.1.0"

_HOMES = {
    "stem.app": ("Stem",),
    "stem.client.batch": ("Batch",),
    "stem.errors": (
        "BadSignature",
        "BroadcastError",
        "BuildError",
        "ConfigError",
        "DuplicateTask",
        "EnqueueError",
        "EnqueueRefused",
        "HardTimeLimit",
        "InvalidArguments",
        "InvalidTransition",
        "MiddlewareFailed",
        "PayloadTooLarge",
        "ResultExpired",
        "ResultIgnored",
        "ResultRefused",
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
        "UnusableConnection",
        "WaitTimeout",
        "WorkerLost",
    ),
    "stem.registry": ("Registry", "definition"),
    "stem.sync": ("SyncStem", "SyncTaskHandle"),
    "stem.tasks.call": ("TaskCall",),
    "stem.tasks.context": ("TaskContext",),
    "stem.tasks.definition": (
        "DEFAULT",
        "TaskDefinition",
        "mirror",
        "mirror_ctx",
        "mirror_sync",
        "mirror_sync_ctx",
        "task_def",
    ),
    "stem.tasks.handle": ("Copies", "Enqueuer", "TaskHandle"),
    "stem.tasks.markers": ("task",),
    "stem.tasks.options": ("UNSET", "EnqueueOptions"),
    "stem.tasks.retry": ("Retry",),
    "stem.tasks.state": ("TaskState",),
    "stem.tasks.status": ("Progress", "TaskStatus"),
    "stem.tasks.upcasts": ("upcast",),
    "stem.worker.worker": ("Worker",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "DEFAULT",
    "UNSET",
    "BadSignature",
    "Batch",
    "BroadcastError",
    "BuildError",
    "ConfigError",
    "Copies",
    "DuplicateTask",
    "EnqueueError",
    "EnqueueOptions",
    "EnqueueRefused",
    "Enqueuer",
    "HardTimeLimit",
    "InvalidArguments",
    "InvalidTransition",
    "MiddlewareFailed",
    "PayloadTooLarge",
    "Progress",
    "Registry",
    "ResultExpired",
    "ResultIgnored",
    "ResultRefused",
    "Retry",
    "SchemaMismatch",
    "SecurityError",
    "SoftTimeLimit",
    "Stem",
    "StemError",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreUnavailable",
    "SyncStem",
    "SyncTaskHandle",
    "TaskCall",
    "TaskCancelled",
    "TaskContext",
    "TaskDefinition",
    "TaskError",
    "TaskExpired",
    "TaskFailed",
    "TaskHandle",
    "TaskState",
    "TaskStatus",
    "Undecodable",
    "UnknownId",
    "UnknownKey",
    "UnknownTask",
    "UnknownWorker",
    "UnusableConnection",
    "WaitTimeout",
    "Worker",
    "WorkerLost",
    "__version__",
    "definition",
    "mirror",
    "mirror_ctx",
    "mirror_sync",
    "mirror_sync_ctx",
    "task",
    "task_def",
    "upcast",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'stem' has no attribute '{name}'")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
