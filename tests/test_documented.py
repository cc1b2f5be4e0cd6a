"""What the documentation shows is so: its code runs, its output is the output, its tables are those of the code."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from stem import errors
from stem.cli.exits import Exit
from stem.cli.main import cli
from stem.tasks.state import diagram
from tests.pages import PAGES, ROOT, Command, Fence, anchors, commands, fences, links, matches

README = (ROOT / "README.md").read_text(encoding="utf-8")
WALKED = [page for page in PAGES if any(fence.runs for fence in fences(page.read_text(encoding="utf-8")))]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


class Walk:
    """Follows a page in an empty folder, as a reader would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._background: list[subprocess.Popen[bytes]] = []
        commands_of_this_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        plain = {name: value for name, value in os.environ.items() if not name.startswith("STEM_")}
        self._environment = {**plain, "PATH": commands_of_this_python, "NO_COLOR": "1"}

    def follow(self, fence: Fence) -> None:
        if fence.file is not None:
            file = self._folder / fence.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(fence.text, encoding="utf-8")
        elif fence.runs and fence.language == "python":
            self._run(Command(f"{shlex.quote(sys.executable)} -c {shlex.quote(fence.text)}", ""), fence)
        elif fence.runs:
            for command in commands(fence.text):
                self._start(command) if command.in_background else self._run(command, fence)

    def _run(self, command: Command, fence: Fence) -> None:
        run = subprocess.run(
            command.line,
            shell=True,
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.returncode == 0, f"line {fence.line}: {command.line}\n{run.stdout}{run.stderr}"
        if command.output:
            assert matches(command.output, run.stdout), f"line {fence.line}: {command.line}\n{run.stdout}{run.stderr}"

    def _start(self, command: Command) -> None:
        words = shlex.split(command.line.rstrip("& "))
        quiet = subprocess.DEVNULL
        started = subprocess.Popen(words, cwd=self._folder, env=self._environment, stdout=quiet, stderr=quiet)
        self._background.append(started)

    def end(self) -> None:
        """Ask what was left running to stop, and see that it does."""
        for process in self._background:
            process.send_signal(signal.SIGTERM)
        for process in self._background:
            process.wait(timeout=30)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    walking = Walk(tmp_path)
    yield walking
    walking.end()


@pytest.mark.parametrize("page", WALKED, ids=named)
def test_a_page_can_be_followed_from_top_to_bottom(page: Path, walk: Walk) -> None:
    for fence in fences(page.read_text(encoding="utf-8")):
        walk.follow(fence)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_to_a_page_leads_to_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    local = [link for link in links(text) if not link.startswith(("http://", "https://"))]
    assert [link for link in local if not _leads_somewhere(link, page)] == []


def _leads_somewhere(link: str, page: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


def test_the_readme_prints_the_quickstart_as_it_is() -> None:
    quickstart = (ROOT / "examples" / "quickstart.py").read_text(encoding="utf-8")
    assert quickstart in [fence.text for fence in fences(README) if fence.language == "python"]


def test_the_continuous_check_runs_the_test_command_of_the_readme() -> None:
    last = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]
    sessions = [fence.text for fence in fences(README) if fence.language == "console"]
    assert [line for line in _lines(sessions) if line.endswith("python -m nox")] == [last]


def test_the_readme_shows_the_demo_that_the_gate_runs() -> None:
    sessions = [fence.text for fence in fences(README) if fence.language == "console"]
    assert [line for line in _lines(sessions) if line.endswith(".venv/bin/python examples/shop/demo.py")]
    assert '"examples/shop/demo.py"' in (ROOT / "noxfile.py").read_text(encoding="utf-8")


def _lines(sessions: list[str]) -> list[str]:
    return [command.line for session in sessions for command in commands(session)]


def test_the_page_of_errors_lists_every_error_with_its_code() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| (STEM-E\d+) \|", page, re.MULTILINE))
    assert listed == {name: getattr(errors, name).code for name in errors.__all__}


def test_every_error_has_its_own_code() -> None:
    codes = [getattr(errors, name).code for name in errors.__all__]
    assert len(set(codes)) == len(codes)


def test_the_page_of_states_shows_the_table_of_the_code() -> None:
    page = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    assert [fence.text.strip() for fence in fences(page) if fence.language == "mermaid"] == [diagram()]


def test_the_page_of_the_command_line_lists_every_exit_code() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == [int(code) for code in Exit]


def test_the_page_of_the_command_line_has_a_section_for_every_command() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert re.findall(r"^### `stem (\w+)`$", page, re.MULTILINE) == cli.list_commands(click.Context(cli))


def test_every_decision_is_listed() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs" / "decisions").glob("0*.md")}
    assert set(links(index)) == pages


def test_every_decision_has_its_own_number() -> None:
    numbers = [page.name[:4] for page in (ROOT / "docs" / "decisions").glob("0*.md")]
    assert len(set(numbers)) == len(numbers)


def test_an_output_matches_when_only_the_elided_differs() -> None:
    assert matches("total … EUR\n…\ndone", "total 31 EUR\nx\ny\ndone\n")
    assert not matches("total … EUR", "total 31 USD")


def test_a_session_is_its_commands_with_their_outputs() -> None:
    assert list(commands("$ one\na\nb\n$ two &\n")) == [Command("one", "a\nb"), Command("two &", "")]


def test_a_note_decides_what_happens_with_a_block() -> None:
    page = "<!-- file: a/b.py -->\n```python\nx = 1\n```\n\n<!-- shown -->\n```python\ny\n```\n```python\nz\n```\n"
    assert [(fence.file, fence.runs) for fence in fences(page)] == [("a/b.py", False), (None, False), (None, True)]
