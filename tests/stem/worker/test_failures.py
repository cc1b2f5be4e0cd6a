"""Errors become bounded, storable text, whatever a handler raised."""

from __future__ import annotations

from stem.errors import ResultRefused
from stem.worker.failures import failure_of


class _Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def _raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001  # to look at it
        return caught


def test_a_failure_has_the_class_name_the_message_and_the_traceback() -> None:
    failure = failure_of(_raised(ValueError("no such card")))

    assert (failure.kind, failure.message, failure.code) == ("ValueError", "no such card", "")
    assert failure.traceback.startswith("Traceback")
    assert "in _raised" in failure.traceback


def test_an_error_of_stem_keeps_its_code() -> None:
    assert failure_of(ResultRefused(expected="a", found="b", do="c.")).code == "STEM-E047"


def test_an_exception_without_text_is_still_recorded() -> None:
    failure = failure_of(_raised(_Mute()))

    assert failure.kind == "_Mute"
    assert failure.message == "(its text could not be made)"


def test_text_that_is_no_utf8_can_be_stored() -> None:
    assert failure_of(ValueError("\ud800")).message.encode() == b"\\ud800"


def test_a_very_long_message_is_cut() -> None:
    failure = failure_of(_raised(ValueError("x" * 100_000)))

    assert len(failure.message) == 4_000
    assert len(failure.traceback) == 16_000
