"""Every rule fires on its example and stays silent on the corrected one."""

from __future__ import annotations

from pathlib import Path

import pytest

from stem_builder.check import RULES, explain
from stem_builder.diagnostics import Severity
from tests.stem_builder.sources import codes, scan, scan_tasks, the

HEAD = "from datetime import timedelta\nfrom stem import TaskContext, task\nfrom .models import Order, Receipt\n"
UPCAST = "from stem import upcast\nfrom moneylib import Coin, Money\n@task(version=2)\n"


def fired(tmp_path: Path, source: str) -> list[str]:
    return codes(scan_tasks(tmp_path, HEAD + source))


EXAMPLES = [
    (head[:6], head[8:], body.strip())
    for head, _, body in (
        example.partition("\n")
        for example in Path(__file__).with_name("examples.txt").read_text(encoding="utf-8").split("\n## ")[1:]
    )
]


@pytest.mark.parametrize(
    ("code", "shown", "source"), EXAMPLES, ids=[f"{code}-{n}" for n, (code, *_) in enumerate(EXAMPLES)]
)
def test_a_rule_fires_on_its_example(tmp_path: Path, code: str, shown: str, source: str) -> None:
    found = [one for one in scan_tasks(tmp_path, HEAD + source).diagnostics if one.rule == code]
    assert shown in [one.message for one in found]
    assert all(one.note for one in found)
    assert all(one.place is not None for one in found)


@pytest.mark.parametrize(
    "source",
    [
        "@task(name='x')\ndef a() -> None: ...\n@task(name='y', aliases=('z',))\ndef b() -> None: ...",
        "@task\ndef list() -> None: ...",
        "@task(retry=make(), lease=LEASE, concurrency=None)\ndef run(ctx: TaskContext, /, o: Order) -> Receipt: ...",
        (
            "@task(unique='{order.id}-{n}-{{x}}', unique_for=timedelta(hours=1))\n"
            "def run(order: Order, n: int = 0) -> None: ..."
        ),
        "@task(unique=True, expires=None, rate_limit_key='{order[id]}')\ndef run(order: Order) -> None: ...",
        "@task\ndef run(tags: tuple[str, ...] = (), o: Order | None = None) -> list[Receipt]: ...",
        "from shop._stem import definitions\n@task\ndef run() -> None: ...",
        "def helper(task): return task(1)\n@task\ndef run() -> None: ...",
        "async def all(jobs):\n    for task in jobs:\n        await task(1)\n@task\ndef run() -> None: ...",
        "@task(soft_time_limit=timedelta(1), hard_time_limit=LATER)\ndef run() -> None: ...",
        UPCAST + "def run(n: int) -> None: ...\n@upcast(run, from_version=1)\ndef old(n: str) -> bool: ...",
        UPCAST + "def run(n: int | None) -> None: ...\n@upcast(run, from_version=1)\ndef old() -> 'None | int': ...",
        UPCAST + "def run(o: Order) -> None: ...\n@upcast(run, from_version=N)\ndef old() -> dict[str, object]: ...",
        UPCAST + "def run(m: Money) -> None: ...\n@upcast(run, from_version=1)\ndef old() -> Coin: ...",
        "text = r'\\d'; other = '\\d'\n@task\ndef run() -> None: ...",
    ],
)
def test_what_is_right_is_silent(tmp_path: Path, source: str) -> None:
    assert scan_tasks(tmp_path, HEAD + source).diagnostics == ()


def test_an_unknown_option_proposes_the_close_one(tmp_path: Path) -> None:
    assert (
        the(scan_tasks(tmp_path, HEAD + "@task(queu='q')\ndef run() -> None: ..."), "STL114").help
        == "did you mean `queue`?"
    )


def test_a_missing_name_proposes_the_close_one(tmp_path: Path) -> None:
    found = the(scan_tasks(tmp_path, HEAD + "@task\ndef run(o: Ordr) -> None: ..."), "STL102")
    assert found.help == "did you mean `Order`?"


def test_a_name_that_two_files_use_is_reported_with_both_places(tmp_path: Path) -> None:
    one = "from stem import task\n@task(name='billing.charge')\ndef a() -> None: ...\n"
    found = the(scan(tmp_path, {"shop/a.py": one, "shop/b.py": "\n" + one.replace("def a", "def b")}), "STL003")
    assert found.message == "task name `billing.charge` is defined twice: shop/a.py:3 and shop/b.py:3"
    assert found.place is not None
    assert found.place.path == "shop/b.py"


def test_a_model_beside_handlers_names_what_a_producer_would_load(tmp_path: Path) -> None:
    source = (
        "import torch, numpy.linalg\nfrom pydantic import BaseModel\nfrom stem import task\n"
        "from . import orm\nimport json\nclass M(BaseModel): ...\n@task\ndef run(m: M) -> M: ...\n"
    )
    found = the(scan_tasks(tmp_path, source, orm="x = 1"), "STL106")
    assert (found.severity, found.note) == (Severity.WARNING, "a producer would load numpy, pydantic, torch, shop.orm")
    assert found.help == "move `M` to a module without handlers, for example `shop.models`"


@pytest.mark.parametrize(
    ("init", "chain"),
    [
        ("import torch", "shop -> torch"),
        ("from .tasks import run", "shop -> shop.tasks"),
        ("from . import tasks", "shop -> shop.tasks"),
        ("from .facade import x", "shop -> shop.facade -> yaml"),
        ("try:\n    import torch\nexcept ImportError: ...", "shop -> torch"),
    ],
)
def test_a_package_whose_import_costs_is_shown_with_the_chain(tmp_path: Path, init: str, chain: str) -> None:
    files = {
        "shop/__init__.py": init,
        "shop/facade.py": "import yaml\nx = 1",
        "shop/tasks.py": HEAD + "@task\ndef run() -> None: ...",
    }
    found = the(scan(tmp_path, files), "STL113")
    assert (found.severity, found.note) == (Severity.WARNING, chain)
    assert found.place is not None
    assert found.place.path == "shop/__init__.py"


@pytest.mark.parametrize(
    "init",
    [
        "",
        "import json, os.path\nfrom stem import task\n__version__ = '1'",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n    from .tasks import run",
        "from ._stem import definitions\nfrom shop._stem.definitions import run",
        "from .version import V",
        "def __getattr__(name):\n    import torch\n    return torch",
        "import typing\nif not typing.TYPE_CHECKING:\n    import json\nelse:\n    import torch",
    ],
)
def test_a_package_whose_import_is_free_is_silent(tmp_path: Path, init: str) -> None:
    files = {
        "shop/__init__.py": init,
        "shop/version.py": "V = 1",
        "shop/tasks.py": HEAD + "@task\ndef run() -> None: ...",
    }
    assert codes(scan(tmp_path, files)) == []


def test_a_package_around_the_configured_one_counts_too(tmp_path: Path) -> None:
    files = {
        "acme/__init__.py": "import torch",
        "acme/shop/tasks.py": "from stem import task\n@task\ndef run() -> None: ...",
    }
    assert the(scan(tmp_path, files, "acme.shop"), "STL113").note == "acme -> torch"


def test_a_private_task_can_be_suppressed_and_is_then_built(tmp_path: Path) -> None:
    result = scan_tasks(tmp_path, HEAD + "@task\ndef _run() -> None: ...  # stem: noqa[STL002]\n")
    assert (codes(result), [task.name for task in result.package.tasks]) == ([], ["shop._run"])


@pytest.mark.parametrize(
    ("comment", "note"),
    [
        ("# stem: noqa[STL106]", "nothing here breaks this rule"),
        ("# stem: noqa[STL101]", "this rule cannot be suppressed"),
        ("# stem: noqa[E501]", "there is no such rule"),
        ("# stem: noqa[STL02]", "did you mean `STL"),
    ],
)
def test_a_suppression_without_effect_is_reported(tmp_path: Path, comment: str, note: str) -> None:
    result = scan_tasks(tmp_path, f"{HEAD}@task\ndef run(o) -> None: ...  {comment}\n")
    found = the(result, "STL900")
    assert found.severity is Severity.WARNING
    assert found.note.startswith(note)
    assert "STL101" in codes(result)


def test_one_comment_can_name_several_rules(tmp_path: Path) -> None:
    source = HEAD + "@task\ndef _run(t: list[int] = []) -> None: ...  # stem: noqa[STL002, STL108]\n"
    assert codes(scan_tasks(tmp_path, source)) == []


def test_every_rule_has_a_purpose_an_explanation_and_a_way_to_fire() -> None:
    elsewhere = {"STL102", "STL103", "STL104", "STL110", "STL116", "STL117", "STL118", "STL900"}
    for code, rule in RULES.items():
        assert code == rule.code
        assert len(rule.entry.purpose) < 80 < len(rule.entry.explanation)
        assert (rule.handler is None) == (code in elsewhere)


def test_explain_prints_the_rule_and_proposes_a_code_for_a_wrong_one() -> None:
    assert explain("stl106").startswith("STL106 (warning): a model lives in a handler module\n\n")
    assert "Cannot be suppressed." in explain("STL101")
    with pytest.raises(KeyError, match="did you mean `STL106`"):
        explain("STL1066")
