"""What an engine can do, declared by the adapter, read by the engine and by the contract suite."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Capabilities"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """`durable`: accepted work survives the process. `shared`: other processes see it. `max_value`: bytes of one
    result."""

    durable: bool
    shared: bool
    max_value: int = 64 * 1024 * 1024
    """A larger envelope or result is `Refused` as too large."""
    outcomes: bool = True
    """Whether it can keep the results of another store."""
