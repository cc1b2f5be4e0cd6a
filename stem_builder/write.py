"""Puts generated files in place: only what changed, each file whole or not at all, one writer at a time."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from stem.errors import BuildError
from stem_builder.render.text import sealed_body

if sys.platform != "win32":
    import fcntl

__all__ = ["changed", "exclusive", "refuse_edited", "write_files"]


def changed(files: Mapping[Path, str]) -> dict[Path, str]:
    """The files whose text on disk is another or missing, in the given order; line ends of a checkout do not count."""
    return {path: text for path, text in files.items() if current(path) != text}


def current(path: Path) -> str | None:
    """The text on disk with plain newlines, `None` for no file; raises `BuildError` for one that cannot be read.

    What is no UTF-8 becomes some other text, which no generated file is equal to.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BuildError(
            expected=f"to read `{path}`", found=str(error), do="Correct the permissions of the file."
        ) from error


def refuse_edited(paths: Sequence[Path]) -> None:
    """Raises `BuildError` when a Python file that is to be replaced is not exactly as stem-build wrote it."""
    for path in paths:
        text = current(path) if path.suffix == ".py" else None
        if text and not sealed_body(text):
            raise BuildError(
                expected=f"`{path}` as stem-build wrote it",
                found="another text: edited by hand, merged, or written by somebody else",
                do="Keep what you need of it elsewhere, then run `stem-build gen --force`.",
            )


def write_files(files: Mapping[Path, str]) -> None:
    """Replaces the files in the given order, all prepared before the first is replaced.

    After a crash each file is either the old or the new one, and running again completes the rest. Raises `BuildError`
    when the disk refuses; files that were already replaced stay.
    """
    prepared: dict[Path, Path] = {}
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            prepared[path] = _prepare(path, text)
        for path in files:
            prepared[path].replace(path)
            del prepared[path]
        for folder in sorted({path.parent for path in files}):
            _sync(folder)
    except OSError as error:
        raise BuildError(
            expected="to write the generated files", found=str(error), do="Make room or correct the permissions."
        ) from error
    finally:
        for temporary in prepared.values():
            temporary.unlink(missing_ok=True)


@contextmanager
def exclusive(project: Path) -> Generator[None, None, None]:
    """Holds the project against a second writer, who waits; the lock is on pyproject.toml and ends with the process."""
    descriptor = os.open(project / "pyproject.toml", os.O_RDONLY)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        return  # two writers still replace whole files; they only may do the work twice
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise BuildError(
            expected="to lock pyproject.toml against a second writer",
            found=str(error),
            do="Run stem-build on a local file system.",
        ) from error


def _prepare(path: Path, text: str) -> Path:
    """A finished, synced file beside its place, with the permissions of the file that it will replace."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(_mode(path))
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync(folder: Path) -> None:
    with suppress(OSError):  # some file systems cannot sync a folder; the files themselves are synced
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
