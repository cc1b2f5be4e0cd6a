"""What the engine behind Stem answers or does not answer."""

from __future__ import annotations

from stem.errors.base import StemError

__all__ = ["SchemaMismatch", "StoreCorrupt", "StoreError", "StoreFull", "StoreReadOnly", "StoreUnavailable"]


class StoreError(StemError):
    """The engine answered with an error."""

    code = "STEM-E030"


class StoreUnavailable(StoreError):
    """The engine did not answer in time; what was sent may or may not have happened."""

    code = "STEM-E031"


class SchemaMismatch(StoreError):
    """The schema in the database is not one that this version can use."""

    code = "STEM-E032"


class StoreReadOnly(StoreError):
    """The database cannot be written."""

    code = "STEM-E033"


class StoreFull(StoreError):
    """There is no space left for the database; what was accepted before is intact."""

    code = "STEM-E034"


class StoreCorrupt(StoreError):
    """The file is not a database, or is damaged."""

    code = "STEM-E035"
