"""Why a payload cannot be trusted."""

from __future__ import annotations

from stem.errors.base import StemError

__all__ = ["BadSignature", "SecurityError", "UnknownKey"]


class SecurityError(StemError):
    """A payload cannot be trusted."""

    code = "STEM-E070"


class BadSignature(SecurityError):
    """The signature does not fit the payload."""

    code = "STEM-E071"


class UnknownKey(SecurityError):
    """The payload names a key that this process does not have."""

    code = "STEM-E072"
