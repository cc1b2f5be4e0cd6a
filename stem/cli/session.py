"""From a command's options to an open client, and to the registry of the app."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from stem.cli.find import file_of, find_app, find_url, load, read_project
from stem.errors import ConfigError

if TYPE_CHECKING:
    from stem.app import Stem
    from stem.registry import Registry

__all__ = ["app_option", "ask", "client_of", "json_option", "registry_of", "url_option"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_GENERATED = "._stem.registry:registry"


def url_option(command: F) -> F:
    """`--url`."""
    text = (
        "Where the tasks are: sqlite:///FILE, redis://..., postgresql://... Default: STEM_URL, else sqlite:///stem.db."
    )
    return click.option("--url", metavar="URL", help=text)(command)


def app_option(command: F) -> F:
    """`--app`."""
    text = "A registry or a Stem, as module:attribute. Default: STEM_APP, else [tool.stem] app."
    return click.option("--app", metavar="MODULE:ATTR", help=text)(command)


def json_option(command: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def ask(url: str | None, question: Callable[[Stem], Awaitable[T]], app: str | None = None) -> T:
    """Open the client, put the question, close it; the answer."""

    async def run() -> T:
        async with client_of(url, app) as stem:
            return await question(stem)

    return asyncio.run(run())


def client_of(url: str | None, app: str | None) -> Stem:
    """The client, not yet open: by `--url`; else the app, where it is a `Stem`; else by STEM_URL or the default."""
    from stem.app import Stem

    found = None if url else _app(app, may_hold_a_url=True)
    if isinstance(found, Stem):
        return found
    target = find_url(url, os.environ).value
    _say_when_new(file_of(target))
    if target.startswith("memory:"):
        click.echo("memory:// lives and dies with this command; no other process sees it", err=True)
    return Stem(target)


def _say_when_new(file: Path | None) -> None:
    """A typing error in a path makes an empty database; whoever sees this line knows why it is empty."""
    if file is not None and file.parent.is_dir() and not file.exists():
        click.echo(f"new database: {file}", err=True)


def registry_of(app: str | None) -> Registry | None:
    """The registry that the app names; `None` when no app is named or when it is a `Stem`."""
    from stem.app import Stem
    from stem.registry import Registry

    found = _app(app, may_hold_a_url=False)
    if found is None or isinstance(found, Stem):
        return None
    if not isinstance(found, Registry):
        raise ConfigError(
            expected="the app to be a Registry or a Stem",
            found=f"a {type(found).__name__}",
            do="Name the registry: stem-build writes it to <package>._stem.registry:registry.",
        )
    return found


def _app(argument: str | None, *, may_hold_a_url: bool) -> object | None:
    """What the reference names; a generated registry holds no URL, so for a URL it is not even imported."""
    here = Path.cwd()
    found = find_app(argument, os.environ, read_project(here))
    if found is None or (may_hold_a_url and found.value.endswith(_GENERATED)):
        return None
    return load(found.value, here)
