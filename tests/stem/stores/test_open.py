"""URLs: which adapter they lead to, and that no password in them is shown."""

from __future__ import annotations

import pytest

from stem.errors import ConfigError
from stem.stores.open import find_adapter, hide_secrets

SCHEMES = [f"{scheme}{via}" for scheme in ("redis", "rediss", "valkey") for via in ("", "+sentinel", "+cluster")]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_way_to_a_redis_leads_to_its_adapter(scheme: str) -> None:
    assert getattr(find_adapter(f"{scheme}://cache/main"), "__name__", "") == "stem.adapters.redis"


@pytest.mark.parametrize("url", ["redis+magic://cache", "sqlite+sentinel:///stem.db", "stem.db"])
def test_another_scheme_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="known scheme"):
        find_adapter(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://app:secret@cache/0", "redis://app:***@cache/0"),
        ("redis://:secret@cache", "redis://:***@cache"),
        ("redis://app:sec:ret@cache", "redis://app:***@cache"),
        ("redis://app:se/cr@et@cache", "redis://app:***@cache"),
        (
            "redis+sentinel://:secret@a,b/main?sentinel_password=secret",
            "redis+sentinel://:***@a,b/main?sentinel_password=***",
        ),
        ("rediss://cache?ssl_password=secret&db=1", "rediss://cache?ssl_password=***&db=1"),
        ("postgresql://app@db/shop?password=secret", "postgresql://app@db/shop?password=***"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("sqlite:////home/a@b/stem.db", "sqlite:////home/a@b/stem.db"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert hide_secrets(url) == shown
