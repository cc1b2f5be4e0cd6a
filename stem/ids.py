"""Identifiers: UUID version 7 (RFC 9562, section 5.7), so that ids sort by the time they were made."""

from __future__ import annotations

import hashlib
import os
import time
from typing import Final

__all__ = ["derived_id", "new_id"]

_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The two bits of the variant before two random ones."""


def new_id() -> str:
    """A fresh id in the usual 36-character form; unique across processes without coordination."""
    random = os.urandom(10).hex()
    time_of_it = f"{time.time_ns() // 1_000_000:012x}"
    variant = _VARIANT[random[3]]
    return f"{time_of_it[:8]}-{time_of_it[8:]}-7{random[:3]}-{variant}{random[4:7]}-{random[7:19]}"


def derived_id(*parts: str | int) -> str:
    """The same id for the same parts, in every process and every rerun."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"
