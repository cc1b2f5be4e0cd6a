"""How much memory a process holds."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

__all__ = ["bytes_of_peak", "current_memory"]


def current_memory() -> int:
    """Bytes of this process that are in memory now; where the system does not say, the most that it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return bytes_of_peak(resource.getrusage(resource.RUSAGE_SELF))
    return pages * os.sysconf("SC_PAGE_SIZE")


def bytes_of_peak(usage: resource.struct_rusage) -> int:
    """The peak in bytes: some systems count bytes, most kibibytes."""
    return usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024
