"""What a worker process does on signals."""

from __future__ import annotations

import asyncio
import faulthandler
import signal
from collections.abc import Callable

__all__ = ["install_signals"]


def install_signals(loop: asyncio.AbstractEventLoop, ask_to_stop: Callable[[], None]) -> None:
    """SIGTERM and SIGINT call `ask_to_stop` on the loop; SIGQUIT writes the stacks of all threads to stderr.

    Does nothing for a signal that the system does not have. Main thread only, as the system demands.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop)
    if hasattr(signal, "SIGQUIT"):
        faulthandler.register(signal.SIGQUIT, all_threads=True)
