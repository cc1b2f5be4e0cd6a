"""`stem migrate`: the schema of this version."""

from __future__ import annotations

import asyncio
import os
from typing import Final

import click

from stem.cli.find import find_url
from stem.cli.output import Output
from stem.cli.session import json_option, url_option
from stem.contracts.adapter import StoreOptions
from stem.stores.open import find_adapter, hide_secrets

__all__ = ["migrate"]

_HELP: Final = "Bring the database to this version's schema."


@click.command("migrate", help=_HELP)
@url_option
@json_option
def migrate(*, url: str | None, as_json: bool) -> None:
    """Take the missing steps, under a lock, and print their names; run twice, the second time takes none."""
    target = find_url(url, os.environ).value
    output = Output(as_json)
    output.talk(f"migrating {hide_secrets(target)}")
    steps = asyncio.run(find_adapter(target).migrate(target, StoreOptions()))
    output.rows("steps", ("step",), [{"step": step} for step in steps])
