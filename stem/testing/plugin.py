"""The pytest plugin, found by its entry point: the fixture `stem_jobs`. It loads nothing else before a test asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from stem.registry import Registry
    from stem.testing.jobs import Jobs

__all__ = ["stem_jobs"]

_SETTING = "stem_registry"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`stem_registry` in pytest's configuration."""
    parser.addini(_SETTING, "The registry that `stem_jobs()` works for, as module:attribute.", default="")


@pytest.fixture
def stem_jobs(pytestconfig: pytest.Config) -> Callable[..., Jobs]:
    """Makes `stem.testing.Jobs`: `async with stem_jobs(registry) as jobs: ...`.

    Without an argument the registry is the one that the setting `stem_registry` names. Further arguments are those of
    `Stem`. It is no asynchronous fixture, so it fits every plugin that runs asynchronous tests on asyncio.
    """
    from stem.testing.jobs import Jobs

    def make(registry: Registry | None = None, **options: Any) -> Jobs:
        return Jobs(registry if registry is not None else _configured(pytestconfig), **options)

    return make


def _configured(config: pytest.Config) -> Registry:
    """The registry that the configuration names. Raises `UsageError` where it names none."""
    from pkgutil import resolve_name

    name = cast("str", config.getini(_SETTING))
    if not name:
        raise pytest.UsageError(f"pass a registry to stem_jobs(...), or set `{_SETTING}` in pytest's configuration")
    return cast("Registry", resolve_name(name))
