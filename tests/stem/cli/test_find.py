"""The app and the store are found in one order, and what is wrong is said before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stem.cli.find import DEFAULT_URL, Found, file_of, find_app, find_url, load, read_project
from stem.errors import ConfigError
from stem.stores import settings


def test_the_argument_wins_over_the_environment_and_the_project() -> None:
    assert find_app("a:b", {"STEM_APP": "c:d"}, {"app": "e:f"}) == Found("a:b", "argument")


def test_the_environment_wins_over_the_project() -> None:
    assert find_app(None, {"STEM_APP": "c:d"}, {"app": "e:f"}) == Found("c:d", "STEM_APP")


def test_the_project_is_the_last_place() -> None:
    assert find_app(None, {}, {"app": "e:f"}) == Found("e:f", "[tool.stem] app")


def test_no_app_is_no_error_here() -> None:
    assert find_app(None, {}, {}) is None


def test_an_app_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\[tool.stem\] app"):
        find_app(None, {}, {"app": 3})


def test_the_url_comes_from_the_option_then_the_environment_then_the_default() -> None:
    environment = {"STEM_URL": "memory://"}
    assert find_url("sqlite:///x.db", environment) == Found("sqlite:///x.db", "--url")
    assert find_url(None, environment) == Found("memory://", "STEM_URL")
    assert find_url(None, {}) == Found(DEFAULT_URL, "default")


def test_the_default_url_is_that_of_the_client() -> None:
    assert DEFAULT_URL == settings.DEFAULT_URL


def test_only_an_sqlite_url_has_a_file() -> None:
    assert file_of("sqlite:////data/x.db?mode=ro") == Path("/data/x.db")
    assert file_of("sqlite:///x.db") == Path.cwd() / "x.db"
    assert [file_of(url) for url in ("memory://", "redis:///0", "sqlite://", "nonsense")] == [None] * 4


def test_the_project_file_is_looked_for_upwards(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.stem]\napp = "shop:registry"\n')
    (tmp_path / "deep" / "er").mkdir(parents=True)
    assert read_project(tmp_path / "deep" / "er") == {"app": "shop:registry"}


def test_a_project_file_without_our_table_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert read_project(tmp_path) == {}


def test_a_broken_project_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.stem\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml"):
        read_project(tmp_path)


def test_a_reference_is_imported_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "a_shop_of_this_test.py").write_text("class Box:\n    registry = 7\n")
    assert load("a_shop_of_this_test:Box.registry", tmp_path) == 7


@pytest.mark.parametrize("reference", ["no colon", "no_such_module_here:x", "json:no_such_name", ":x", "json:"])
def test_a_reference_that_leads_nowhere_says_what_was_expected(reference: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load(reference, tmp_path)


def test_an_error_inside_the_module_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "a_broken_shop_of_this_test.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        load("a_broken_shop_of_this_test:registry", tmp_path)
