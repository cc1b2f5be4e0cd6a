"""A package is scanned from source alone, with everything wrong in one run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stem.errors import BuildError
from stem_builder.scan import scan_package
from tests.stem_builder.sources import codes, scan, scan_tasks, the, write

TASK = "from stem import task\n@task\ndef {name}() -> None: ...\n"


def test_nothing_of_the_package_is_imported(tmp_path: Path) -> None:
    result = scan_tasks(tmp_path, "import shop_boom\nraise SystemExit\n" + TASK.format(name="run"))
    assert [task.name for task in result.package.tasks] == ["shop.run"]
    assert not [name for name in sys.modules if name.partition(".")[0] in ("shop", "shop_boom")]


def test_the_first_run_needs_no_output_that_handlers_import_already(tmp_path: Path) -> None:
    source = "from shop._stem import definitions as shop\nfrom ._stem.definitions import run as again\n" + TASK.format(
        name="run"
    )
    result = scan_tasks(tmp_path, source)
    assert (result.diagnostics, result.handler_modules) == ((), frozenset({"shop.tasks"}))


def test_every_module_that_declares_a_task_is_a_handler_module(tmp_path: Path) -> None:
    result = scan(
        tmp_path, {"shop/a/b.py": TASK.format(name="one"), "shop/c.py": TASK.format(name="two"), "shop/d.py": "x = 1"}
    )
    assert result.handler_modules == frozenset({"shop.a.b", "shop.c"})


def test_output_hidden_folders_and_virtual_environments_are_not_read(tmp_path: Path) -> None:
    skipped = ("shop/_stem/x.py", "shop/.hidden/x.py", "shop/env/x.py", "shop/__pycache__/x.py", "shop/not-a-name/x.py")
    files = {path: TASK.format(name="run") for path in skipped} | {"shop/env/pyvenv.cfg": "", "shop/notes.txt": "@task"}
    assert scan(tmp_path, files).package.tasks == ()


def test_a_package_below_a_second_root_is_found(tmp_path: Path) -> None:
    write(tmp_path / "src", {"shop/tasks.py": TASK.format(name="run")})
    result = scan_package("shop", roots=[tmp_path / "lib", tmp_path / "src"], project=tmp_path)
    assert (result.package.name, result.package.directory) == ("shop", "src/shop")
    assert result.package.tasks[0].place.path == "src/shop/tasks.py"


def test_a_package_inside_another_is_named_in_full(tmp_path: Path) -> None:
    result = scan(tmp_path, {"acme/__init__.py": "", "acme/shop/tasks.py": TASK.format(name="run")}, "acme.shop")
    assert [task.name for task in result.package.tasks] == ["acme.shop.run"]


def test_a_lone_module_is_told_how_to_become_a_package(tmp_path: Path) -> None:
    result = scan(tmp_path, {"jobs.py": TASK.format(name="run")}, "jobs")
    assert codes(result) == ["STL117"]
    assert the(result, "STL117").help == "mkdir jobs && git mv jobs.py jobs/tasks.py && touch jobs/__init__.py"


def test_a_missing_package_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="gone"):
        scan(tmp_path, {}, "gone")


@pytest.mark.parametrize(
    "text", ["from stem import task\n@task\ndef run(:\n", "@task\n\0", "@task\ndef f():\n\tx\n        y\n"]
)
def test_a_file_that_is_no_python_is_one_problem_among_the_others(tmp_path: Path, text: str) -> None:
    result = scan_tasks(tmp_path, text, good="from stem import task\n@task\ndef ok(v) -> None: ...\n")
    assert sorted(codes(result)) == ["STL101", "STL116"]


def test_a_model_file_that_is_no_python_is_named_once_with_what_needs_it(tmp_path: Path) -> None:
    source = "from stem import task\nfrom .models import A, B\n@task\ndef run(a: A, b: B) -> None: ...\n"
    result = scan_tasks(tmp_path, source, models="class A(:")
    assert codes(result) == ["STL116", "STL102", "STL102"]
    assert the(result, "STL116").note
    assert {found.note for found in result.diagnostics if found.rule == "STL102"} == {
        "`shop.models` cannot be read as Python"
    }


def test_all_problems_come_in_one_run_in_a_stable_order(tmp_path: Path) -> None:
    source = "from stem import task\n@task(queu='q')\ndef run(v, w: Gone, *args: int): ...\n"
    result = scan_tasks(
        tmp_path, source, other="from stem import task\n@task(name='shop.run')\ndef two() -> None: ...\n"
    )
    places = [(one.place.path, one.place.line, one.place.column) for one in result.diagnostics if one.place]
    assert places == sorted(places)
    assert {"STL003", "STL101", "STL102", "STL107", "STL114"} == set(codes(result))


def test_a_project_file_with_a_byte_order_mark_and_windows_lines_is_read(tmp_path: Path) -> None:
    write(tmp_path, {})
    text = "\ufefffrom stem import task\r\n@task\r\ndef run(v: Gone) -> None: ...\r\n"
    (tmp_path / "shop/tasks.py").write_bytes(text.encode())
    found = the(scan_package("shop", roots=[tmp_path], project=tmp_path), "STL102")
    assert found.place is not None
    assert (found.place.line, found.place.column) == (3, 12)


def test_a_link_to_a_folder_around_it_is_not_followed_for_ever(tmp_path: Path) -> None:
    write(tmp_path, {"shop/tasks.py": TASK.format(name="run")})
    (tmp_path / "shop/again").symlink_to(tmp_path / "shop", target_is_directory=True)
    result = scan_package("shop", roots=[tmp_path], project=tmp_path)
    assert [task.name for task in result.package.tasks] == ["shop.run"]


def test_a_file_that_the_system_does_not_give_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    write(tmp_path, {"shop/tasks.py": TASK.format(name="run")})
    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = scan_package("shop", roots=[tmp_path], project=tmp_path)
    assert set(codes(result)) == {"STL116"}
    assert {found.note for found in result.diagnostics} == {"Permission denied"}


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    write(tmp_path, {})
    monkeypatch.setattr("stem_builder.scan.prefilter.os.scandir", refuse)
    with pytest.raises(BuildError, match="Permission denied"):
        scan_package("shop", roots=[tmp_path], project=tmp_path)
