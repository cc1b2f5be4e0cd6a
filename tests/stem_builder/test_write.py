from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from stem.errors import BuildError
from stem_builder.render.text import seal
from stem_builder.write import changed, exclusive, refuse_edited, write_files

GENERATED = seal("# stem-body: sha256:0000000000000000\nx = 1\n")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_files_with_another_text_are_changed(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("text\n")
    (tmp_path / "windows").write_bytes(b"text\r\n")
    (tmp_path / "other").write_text("old\n")
    (tmp_path / "binary").write_bytes(b"\xff")
    files = {tmp_path / name: "text\n" for name in ("same", "windows", "other", "binary", "missing")}
    assert [path.name for path in changed(files)] == ["other", "binary", "missing"]


def test_files_are_written_whole_with_their_folders_and_nothing_else(tmp_path: Path) -> None:
    write_files({tmp_path / "a" / "b.py": "ü\n", tmp_path / "c.json": "{}\n"})
    assert (tmp_path / "a" / "b.py").read_bytes() == "ü\n".encode()
    assert names(tmp_path) == ["a", "c.json"]
    assert names(tmp_path / "a") == ["b.py"]


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("old")
    path.chmod(0o640)
    write_files({path: "new"})
    assert path.stat().st_mode & 0o777 == 0o640


def test_files_are_replaced_in_the_given_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced: list[str] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        replaced.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    write_files({tmp_path / name: name for name in ("definitions.py", "stem.lock.json", "registry.py")})
    assert replaced == ["definitions.py", "stem.lock.json", "registry.py"]


def test_a_full_disk_leaves_every_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("old")
    calls: list[int] = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BuildError, match="No space left on device"):
        write_files({tmp_path / "a": "new", tmp_path / "b": "new"})
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="Make room or correct the permissions"):
        write_files({tmp_path / "file" / "a.py": "x"})


def test_what_stem_build_wrote_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(GENERATED)
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "contract.json").write_text("edited")
    refuse_edited([tmp_path / name for name in ("a.py", "empty.py", "contract.json", "missing.py")])


def test_a_file_that_is_no_text_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("# café".encode("latin-1"))
    with pytest.raises(BuildError, match=r"stem-build gen --force"):
        refuse_edited([tmp_path / "a.py"])


@pytest.mark.parametrize("text", [GENERATED + "y = 2\n", "import mine\n", GENERATED.replace("x", "z")])
def test_what_somebody_edited_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.py").write_text(text)
    with pytest.raises(BuildError, match=r"stem-build gen --force"):
        refuse_edited([tmp_path / "a.py"])


def test_a_second_writer_is_held_off_until_the_first_is_done(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    with (tmp_path / "pyproject.toml").open() as other:
        with exclusive(tmp_path), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
