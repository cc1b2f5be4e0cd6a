"""The command `stem-build`: it talks and sets exit codes; deciding and writing happen elsewhere."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from stem.errors import BuildError, ConfigError, StemError
from stem_builder.config import BuildConfig, find_project, load_config

if TYPE_CHECKING:
    from stem_builder.build import Build

__all__ = ["main"]

FOUND_PROBLEMS = 1
CANNOT_GO_ON = 2

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Invocation:
    """What every command needs to know: which project, and how to print."""

    config: BuildConfig
    form: str

    def shown(self, path: Path) -> str:
        """A path as people of this project write it."""
        return path.relative_to(self.config.project).as_posix()


class DefaultGroup(click.Group):
    """A group whose first command is meant when only options, or nothing, are given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`stem-build` and `stem-build --format json` are `stem-build gen ...`; help and version stay the group's."""
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "--version")):
            args = ["gen", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; an error of ours becomes three lines and exit code 2, never a traceback."""
        try:
            return super().invoke(ctx)
        except StemError as error:
            click.echo(f"error[{error.code}]: expected {error.expected}", err=True)
            click.echo(f"   = found: {error.found}", err=True)
            click.echo(f"   = help: {error.do}", err=True)
            sys.exit(CANNOT_GO_ON)


def _common(command: Command) -> Command:
    """The options that every command on a project has."""
    folder = click.option(
        "--project",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder of the pyproject.toml; default: the nearest one from here upwards.",
    )
    form = click.option(
        "--format",
        "form",
        type=click.Choice(["full", "concise", "json"]),
        default="full",
        help="How to print problems.",
    )
    return folder(form(command))


@click.group(cls=DefaultGroup)
@click.version_option(package_name="stem-jobs", prog_name="stem-build")
def main() -> None:
    """Write typed definitions and the registry of your tasks. Without a command: gen, with its options."""


@main.command()
@click.argument("packages", nargs=-1)
@click.option("--force", is_flag=True, help="Replace generated files that were edited by hand.")
@_common
def gen(packages: tuple[str, ...], *, force: bool, project: Path | None, form: str) -> None:
    """Generate PACKAGES (default: all that are configured). Exit 1: problems in the source, nothing written."""
    invocation = _invocation(project, form)
    from stem_builder.build import build
    from stem_builder.write import changed, exclusive, refuse_edited, write_files

    with exclusive(invocation.config.project):
        result = build(invocation.config, packages)
        files = changed(result.files)
        if not force:
            refuse_edited(tuple(files))
        write_files(files)
    _print(invocation, result, {"written": [invocation.shown(path) for path in files]})
    if not result.files:
        sys.exit(FOUND_PROBLEMS)
    click.echo(f"stem-build: {len(files)} written, {len(result.files) - len(files)} unchanged", err=True)


@main.command()
@click.argument("packages", nargs=-1)
@_common
def check(packages: tuple[str, ...], *, project: Path | None, form: str) -> None:
    """Compare what is generated with what would be. Exit 1: out of date; 2: problems in the source."""
    invocation = _invocation(project, form)
    from stem_builder.build import build
    from stem_builder.write import changed

    result = build(invocation.config, packages)
    diffs = {invocation.shown(path): _diff(invocation, path, text) for path, text in changed(result.files).items()}
    _print(invocation, result, {"drift": diffs})
    if not result.files:
        sys.exit(CANNOT_GO_ON)
    if diffs:
        _print_drift(diffs, form)
        command = " ".join(["stem-build", "gen", *packages, *(["--project", str(project)] if project else [])])
        click.echo(f"stem-build: {len(diffs)} out of date. Run: {command}", err=True)
        sys.exit(FOUND_PROBLEMS)
    click.echo(f"stem-build: {len(result.files)} up to date", err=True)


@main.command()
@click.argument("code")
def explain(code: str) -> None:
    """Print what a rule means and how to satisfy it."""
    _require_extra()
    from stem_builder.check.table import explain as explain_rule

    try:
        click.echo(explain_rule(code), nl=False)
    except KeyError as error:
        raise BuildError(
            expected="the code of a rule, such as STL101", found=str(error.args[0]), do="Correct the code."
        ) from error


@main.command()
@click.argument("packages", nargs=-1)
@click.option("--project", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of the project.")
def init(packages: tuple[str, ...], *, project: Path | None) -> None:
    """Add the settings to pyproject.toml, for PACKAGES or for all that import stem."""
    from stem_builder.init import RUFF_HINT, initialise

    folder = (project or find_project(Path.cwd())).resolve()
    for path in initialise(folder, packages):
        click.echo(f"stem-build: changed {path.relative_to(folder).as_posix()}", err=True)
    click.echo(RUFF_HINT, err=True)


def _invocation(project: Path | None, form: str) -> Invocation:
    _require_extra()
    return Invocation(load_config(project or find_project(Path.cwd())), form)


def _require_extra() -> None:
    missing = [name for name in ("libcst", "jinja2") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            expected="the extra `build`, which reads and writes source",
            found=f"no package {' and no package '.join(missing)}",
            do="Run: pip install 'stem-jobs[build]'",
        )


def _print(invocation: Invocation, result: Build, extra: Mapping[str, object]) -> None:
    """Problems for people, or one JSON object with everything."""
    from stem_builder.diagnostics import Format, project_lines, render, summary

    form = Format(invocation.form)
    text = render(result.diagnostics, form=form, lines=project_lines(invocation.config.project))
    if form is Format.JSON:
        click.echo(json.dumps({"diagnostics": json.loads(text), **extra}, indent=2, ensure_ascii=False))
    elif result.diagnostics:
        click.echo(text, nl=False)
        click.echo(f"stem-build: {summary(result.diagnostics)}", err=True)


def _print_drift(diffs: Mapping[str, str], form: str) -> None:
    if form == "full":
        click.echo("".join(diffs.values()), nl=False)
    elif form == "concise":
        click.echo("".join(f"{path}: out of date\n" for path in diffs), nl=False)


def _diff(invocation: Invocation, path: Path, text: str) -> str:
    from stem_builder.write import current

    name = invocation.shown(path)
    old = (current(path) or "").splitlines(keepends=True)
    new = text.splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
