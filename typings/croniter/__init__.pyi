# The part of croniter that Stem may use; croniter ships no types of its own.

from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

_T = TypeVar("_T", datetime, float)

class CroniterError(ValueError): ...
class CroniterBadCronError(CroniterError): ...
class CroniterBadDateError(CroniterError): ...
class CroniterUnsupportedSyntaxError(CroniterBadCronError): ...
class CroniterNotAlphaError(CroniterBadCronError): ...

class croniter:  # noqa: N801 - the name that the library gave it
    def __init__(
        self,
        expr_format: str,
        start_time: datetime | float | None = None,
        ret_type: type[datetime | float] = ...,
        day_or: bool = True,
        max_years_between_matches: int | None = None,
        is_prev: bool = False,
        hash_id: bytes | str | None = None,
        implement_cron_bug: bool = False,
        second_at_beginning: bool = False,
        expand_from_start_time: bool = False,
    ) -> None: ...
    def get_next(
        self, ret_type: type[_T], start_time: datetime | float | None = None, update_current: bool = True
    ) -> _T: ...
    def get_prev(
        self, ret_type: type[_T], start_time: datetime | float | None = None, update_current: bool = True
    ) -> _T: ...
    def all_next(
        self, ret_type: type[_T], start_time: datetime | float | None = None, update_current: bool | None = None
    ) -> Iterator[_T]: ...
    @classmethod
    def is_valid(
        cls,
        expression: str,
        hash_id: bytes | str | None = None,
        encoding: str = "UTF-8",
        second_at_beginning: bool = False,
        strict: bool = False,
        strict_year: int | list[int] | None = None,
    ) -> bool: ...
