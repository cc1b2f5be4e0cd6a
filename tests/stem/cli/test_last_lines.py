"""Lines that outlive the process that logged them."""

from __future__ import annotations

import logging
import os
from typing import IO

from stem.cli.last_lines import LastLines, open_file


def kept_in(file: IO[bytes]) -> LastLines:
    """A handler of its own over the same file, as each process has one."""
    return LastLines(os.dup(file.fileno()))


def logged(handler: LastLines, *messages: str) -> None:
    for message in messages:
        handler.emit(logging.LogRecord("shop", logging.WARNING, __file__, 1, message, None, None))


def test_the_next_process_finds_what_the_one_before_it_logged() -> None:
    with open_file() as file:
        logged(kept_in(file), "one", "zwölf")
        assert kept_in(file).take_over() == ("WARNING shop  one", "WARNING shop  zwölf")


def test_only_the_last_ten_lines_are_kept_the_oldest_first() -> None:
    with open_file() as file:
        logged(kept_in(file), *map(str, range(25)))
        assert [line.split()[-1] for line in kept_in(file).take_over()] == [str(number) for number in range(15, 25)]


def test_what_was_taken_over_is_not_found_again() -> None:
    with open_file() as file:
        logged(kept_in(file), "old")
        after = kept_in(file)
        assert after.take_over() != ()
        logged(after, "new")
        assert kept_in(file).take_over() == ("WARNING shop  new",)


def test_a_long_line_is_cut_and_what_cannot_be_written_is_no_error() -> None:
    with open_file() as file:
        logged(kept_in(file), "x" * 1_000, "\ud800")
        long, strange = kept_in(file).take_over()
        assert (len(long), strange) == (246, "WARNING shop  ?")


def test_a_file_that_nobody_wrote_to_has_no_lines() -> None:
    with open_file() as file:
        assert kept_in(file).take_over() == ()
