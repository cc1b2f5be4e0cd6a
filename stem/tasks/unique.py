"""The key by which a task is unique: of all its arguments, or of those that a template names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from stem.errors import ConfigError

__all__ = ["unique_key"]


def unique_key(task: str, rule: bool | str, payload: bytes, values: Mapping[str, object]) -> str | None:
    """The key of one call; `None` when the rule is False.

    True takes the encoded arguments, a text is a `str.format` template over the argument names. Raises
    `ConfigError` when the template names what the call does not have.
    """
    if rule is False:
        return None
    if rule is True:
        return hashlib.blake2b(payload, digest_size=16).hexdigest()
    try:
        return rule.format(**values)
    except (LookupError, AttributeError, ValueError) as error:
        raise ConfigError(
            expected=f"a unique template of task '{task}' over its arguments ({', '.join(values) or 'none'})",
            found=f"'{rule}': {error}",
            do="Name arguments that every call gives, or their attributes.",
        ) from None
