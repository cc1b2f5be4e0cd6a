"""Identifiers: UUID version 7 (RFC 9562, section 5.7), so that ids sort by the time they were made."""

from __future__ import annotations

import hashlib
import os
import time
from functools import lru_cache
from typing import Final

__all__ = ["derived_id", "new_id"]

_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The two bits of the variant before two random ones."""


def new_id() -> str:
    """A fresh id in the usual 36-character form; unique across processes without coordination."""
    random = os.urandom(10).hex()
    begin = _beginning(time.time_ns() // 1_000_000)
    return f"{begin}{random[:3]}-{_VARIANT[random[3]]}{random[4:7]}-{random[7:19]}"


@lru_cache(maxsize=1)
def _beginning(millisecond: int) -> str:
    """The time and the version; many ids are made in a millisecond."""
    digits = f"{millisecond:012x}"
    return f"{digits[:8]}-{digits[8:]}-7"


def derived_id(*parts: str | int) -> str:
    """The same id for the same parts, in every process and every rerun."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"
