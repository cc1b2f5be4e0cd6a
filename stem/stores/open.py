"""From a URL to an open store. The scheme is the adapter's folder name; outside packages use an entry point."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from importlib.metadata import entry_points
from typing import Final, cast

from stem.contracts.adapter import Adapter, StoreOptions
from stem.contracts.store import Store
from stem.errors import ConfigError

__all__ = ["find_adapter", "hide_secrets", "open_split", "open_store", "scheme_of"]

_ALIASES: Final = {
    "postgresql": "postgres",
    **{
        f"{scheme}{via}": "redis"
        for scheme in ("redis", "rediss", "valkey", "valkeys")
        for via in ("", "+sentinel", "+cluster")
    },
}
_SCHEME: Final = re.compile(r"([a-z][a-z0-9_]*(?:\+[a-z0-9_]+)?)://")
_PASSWORD: Final = re.compile(r"(?P<before>://[^:/?#@]*:).*(?=@)|(?P<name>password=)[^&#]*", re.IGNORECASE)


async def open_store(url: str, options: StoreOptions) -> Store:
    """The store behind a URL. Raises `ConfigError` for an unknown scheme or a missing extra."""
    return await find_adapter(url).open_store(url, options)


async def open_split(broker: str, results: str, options: StoreOptions) -> Store:
    """The store that has its messages behind one URL and its results behind another. Raises what `open_store` raises.

    Where the two are the same, it is one store.
    """
    from stem.stores.split import split

    first = await open_store(broker, options)
    if results == broker:
        return first
    try:
        return split(first, await open_store(results, options))
    except BaseException:
        await first.aclose()
        raise


def find_adapter(url: str) -> Adapter:
    """The adapter for a URL's scheme: ours by folder name, else the entry point in the group `stem.adapters`."""
    scheme = scheme_of(url)
    name = f"stem.adapters.{_ALIASES.get(scheme, scheme)}"
    if importlib.util.find_spec(name) is not None:
        return _load(name, scheme)
    for entry in entry_points(group="stem.adapters", name=scheme):
        return cast("Adapter", entry.load())
    raise ConfigError(
        expected=f"a URL with a known scheme ({', '.join(_known())})",
        found=f"'{hide_secrets(url)}'",
        do="Correct the URL, or install the package that brings this engine.",
    )


def scheme_of(url: str) -> str:
    """The scheme in lower case, with what it says behind `+`; empty when there is none."""
    match = _SCHEME.match(url.lower())
    return match.group(1) if match else ""


def hide_secrets(url: str) -> str:
    """The URL with its passwords replaced, before the host and among the parameters, fit for messages."""
    return _PASSWORD.sub(lambda found: f"{found['before'] or found['name']}***", url)


def _load(name: str, scheme: str) -> Adapter:
    try:
        return cast("Adapter", importlib.import_module(name))
    except ModuleNotFoundError as error:
        raise ConfigError(
            expected=f"the driver of {scheme}://",
            found=f"no module '{error.name}'",
            do=f"Install it: pip install 'stem-jobs[{name.rpartition('.')[2]}]'",
        ) from None


def _known() -> list[str]:
    import stem.adapters

    own = [module.name for module in pkgutil.iter_modules(stem.adapters.__path__) if module.ispkg]
    outside = [entry.name for entry in entry_points(group="stem.adapters")]
    return sorted({f"{scheme}://" for scheme in (*own, *outside)})
