"""What keeps a child process from outliving its worker, and from dying of what is meant for it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from types import FrameType
from typing import Final

__all__ = ["die_with", "pass_over_signals"]

_PR_SET_PDEATHSIG: Final = 1


def die_with(parent: int) -> None:
    """Have the system kill this process when its parent dies, where it can; elsewhere the end of the pipe tells."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # it died before we could ask


def pass_over_signals() -> None:
    """A terminal and a supervisor signal every process of a group, but when a child stops is its worker's decision.

    The signals are heard and passed over, not ignored: programs that a handler starts would inherit that.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _nothing)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """The worker says when."""
