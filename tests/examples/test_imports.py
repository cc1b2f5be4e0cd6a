"""Importing the definitions of the shop costs what `stem` costs, and nothing of the shop."""

import json
import subprocess
import sys
from pathlib import Path

SHOP = Path(__file__).parent.parent.parent / "examples" / "shop"
ALLOWED_OUTSIDE = {"stem", "shop", "typing_extensions"}


def loaded_by(statement: str) -> set[str]:
    """The modules that a statement loads in a fresh interpreter."""
    program = (
        f"import sys, json; before = set(sys.modules); {statement}; print(json.dumps([*set(sys.modules) - before]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=SHOP, capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(run.stdout))


def test_importing_the_definitions_loads_no_handler_and_no_model() -> None:
    loaded = loaded_by("import shop._stem.definitions")
    assert {name for name in loaded if name.split(".")[0] == "shop"} == {"shop", "shop._stem", "shop._stem.definitions"}


def test_importing_the_definitions_loads_no_third_party_package_but_typing_extensions() -> None:
    packages = {name.split(".")[0] for name in loaded_by("import shop._stem.definitions")}
    assert packages - sys.stdlib_module_names - ALLOWED_OUTSIDE == set()


def test_importing_the_definitions_loads_no_engine_no_worker_and_no_event_loop() -> None:
    loaded = loaded_by("import shop._stem.definitions")
    assert {name for name in loaded if name.startswith(("stem.adapters", "stem.worker", "stem.client"))} == set()
    assert loaded & {"stem.codec", "sqlite3", "asyncio", "pydantic"} == set()


def test_a_call_loads_the_models_and_still_no_handler() -> None:
    loaded = loaded_by("import shop._stem.definitions as d; d.charge.load(); d.write_invoice.load()")
    assert "shop.models" in loaded
    assert loaded & {"shop.tasks", "shop.gateway", "shop.invoices"} == set()
