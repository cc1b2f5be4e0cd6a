"""A handler becomes a task: its name, options, parameters, context and defaults."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stem_builder.model import ParameterKind
from stem_builder.scan.declarations import Declaration
from tests.stem_builder.sources import codes, only_task, scan, scan_tasks, text, the

HEAD = "from datetime import timedelta\nfrom stem import TaskContext, task\nfrom .models import Order, Receipt\n"


@pytest.mark.parametrize(
    ("imports", "decorator"),
    [
        ("from stem import task", "@task"),
        ("from stem import task", "@task()"),
        ("from stem import task as t", "@t(queue='default')"),
        ("import stem", "@stem.task"),
        ("import stem as s", "@s.task()"),
        ("from stem import task\njob = task", "@job"),
        ("from shop.tasklib import job", "@job"),
        ("from shop import tasklib", "@tasklib.job()"),
        ("from shop.tasklib import job as j", "@j"),
        ("from shared.lib import background", "@background"),
        ("try:\n    from stem import task\nexcept ImportError:\n    task = None", "@task"),
    ],
)
def test_the_decorator_is_found_under_every_name(tmp_path: Path, imports: str, decorator: str) -> None:
    files = {
        "shop/tasklib.py": "from stem import task as job",
        "shared/__init__.py": "",
        "shared/lib.py": "import stem\nbackground = stem.task\n",
        "shop/tasks.py": f"{imports}\n{decorator}\ndef run() -> None: ...\n",
    }
    assert only_task(scan(tmp_path, files)).name == "shop.run"


@pytest.mark.parametrize("source", ["from celery import task", "from invoke import task as t", "def task(f): return f"])
def test_a_decorator_of_another_library_is_none_of_ours(tmp_path: Path, source: str) -> None:
    result = scan_tasks(tmp_path, f"{source}\n@task\ndef run(): ...\nstart = task(run)\n")
    assert (result.package.tasks, result.diagnostics, result.handler_modules) == ((), (), frozenset())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("shop/tasks.py", "shop.run"),
        ("shop/billing/tasks.py", "shop.billing.run"),
        ("shop/billing/__init__.py", "shop.billing.run"),
    ],
)
def test_the_name_defaults_to_the_modules_package_and_the_function(tmp_path: Path, path: str, name: str) -> None:
    files = {"shop/billing/__init__.py": "", path: "from stem import task\n@task\ndef run() -> None: ...\n"}
    task = only_task(scan(tmp_path, files))
    assert (task.name, task.attr, task.version, task.queue) == (name, "run", 1, "default")


def test_a_task_in_the_packages_own_init_is_named_after_the_package_and_warned_of(tmp_path: Path) -> None:
    result = scan(tmp_path, {"shop/__init__.py": "from stem import task\n@task\ndef run() -> None: ...\n"})
    assert [task.name for task in result.package.tasks] == ["shop.run"]
    assert codes(result) == ["STL113"]


def test_name_version_queue_and_attr_come_from_the_decorator(tmp_path: Path) -> None:
    source = HEAD + (
        "Q = 'bulk'\n@task(name='billing.charge', version=2, queue=Q, attr='bill')\n"
        "async def charge(o: Order) -> Receipt:\n    '''Charge.\n\n    Once.\n    '''\n"
    )
    task = only_task(scan_tasks(tmp_path, source))
    assert (task.name, task.version, task.queue, task.attr) == ("billing.charge", 2, "bulk", "bill")
    assert (task.module, task.qualname, task.is_async, task.has_context) == ("shop.tasks", "charge", True, False)
    assert (task.doc, task.options) == ("Charge.\n\nOnce.", ())


def test_definition_options_are_kept_in_canonical_text_and_registry_options_are_not(tmp_path: Path) -> None:
    source = HEAD + (
        "WEEK = timedelta(days=7)\nTRIES = 5\nTAGS = ['a', 'b']\n"
        "@task(max_retries=TRIES, expires=WEEK, tags=TAGS, unique='{o.id}', priority=9, ignore_result=True,\n"
        "      description='it\\'s', retry=make_retry(), rate_limit='10/s', run_in='thread',\n"
        "      result_ttl=timedelta(hours=1, minutes=30))\n"
        "def run(o: Order) -> None: ...\n"
    )
    task = only_task(scan_tasks(tmp_path, source))
    assert {option.name: text(option.value) for option in task.options} == {
        "priority": "9",
        "max_retries": "5",
        "expires": "datetime.timedelta(days=7)",
        "unique": '"{o.id}"',
        "result_ttl": "datetime.timedelta(hours=1, minutes=30)",
        "ignore_result": "True",
        "tags": '("a", "b")',
        "description": '"it\'s"',
    }


def test_parameters_keep_their_kind_and_place(tmp_path: Path) -> None:
    source = HEAD + "@task\ndef run(o: Order, n: int = 1, *, locale: str = 'en') -> Receipt | None: ...\n"
    task = only_task(scan_tasks(tmp_path, source))
    assert [(each.name, each.kind) for each in task.parameters] == [
        ("o", ParameterKind.POSITIONAL_OR_KEYWORD),
        ("n", ParameterKind.POSITIONAL_OR_KEYWORD),
        ("locale", ParameterKind.KEYWORD_ONLY),
    ]
    assert text(task.result) == "shop.models.Receipt | None"
    assert (task.place.line, task.place.column, task.place.end_column) == (5, 5, 8)
    assert (task.parameters[0].place.line, task.parameters[0].place.column) == (5, 9)


@pytest.mark.parametrize(
    "annotation",
    ["TaskContext", "TaskContext[Order]", "'TaskContext'", "'TaskContext[Order]'", "stem.TaskContext", "C", "J"],
)
def test_the_context_is_recognised_and_is_no_parameter(tmp_path: Path, annotation: str) -> None:
    source = (
        f"import stem\nfrom stem import TaskContext as C\nJ = stem.TaskContext\n{HEAD}@task\n"
        f"def run(ctx: {annotation}, o: Order) -> None: ...\n"
    )
    task = only_task(scan_tasks(tmp_path, source))
    assert (task.has_context, [each.name for each in task.parameters]) == (True, ["o"])


def test_a_context_that_only_type_checkers_import_is_recognised(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nfrom stem import task\n"
        "if TYPE_CHECKING:\n    from stem import TaskContext\n    from .models import Order\n"
        "@task\ndef run(ctx: TaskContext, /, o: Order) -> None: ...\n"
    )
    task = only_task(scan_tasks(tmp_path, source))
    assert (task.has_context, text(task.parameters[0].type)) == (True, "shop.models.Order")


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("1", "1"),
        ("-1.5", "-1.5"),
        ("'it'", '"it"'),
        ("'say \"hi\"'", "'say \"hi\"'"),
        ("b'x'", 'b"x"'),
        ("None", "None"),
        ("True", "True"),
        ("(1, 'a', ())", '(1, "a", ())'),
        ("(1,)", "(1,)"),
        ("LIMIT", "10"),
        ("Color.RED", "shop.models.Color.RED"),
        ("Size.S", "shop.models.Size.S"),
        ("compute()", None),
        ("24 * 60", None),
        ("1e400", None),
        ("timedelta(days=1)", None),
        ("HOUR", None),
        ("LOOP", None),
        ("NAMES", None),
        ("[1]", None),
    ],
)
def test_a_default_that_source_fixes_is_printed_and_any_other_is_computed(
    tmp_path: Path, default: str, expected: str | None
) -> None:
    models = (
        "import enum\nfrom pydantic import BaseModel\nLIMIT = 10\nclass Color(enum.Enum):\n    RED = 1\n"
        "class Size(Color): ...\nclass Order(BaseModel): ...\nclass Receipt(BaseModel): ...\n"
    )
    source = (
        f"{HEAD}from .models import LIMIT, Color, Size\nHOUR = timedelta(hours=1)\nNAMES = [1]\n"
        "LOOP = timedelta(days=LOOP)\n@task\n"
        f"def run(v: int = {default}) -> None: ...\n"
    )
    (parameter,) = scan_tasks(tmp_path, source, models=models).package.tasks[0].parameters
    assert parameter.default is not None
    assert (None if parameter.default.literal is None else text(parameter.default.literal)) == expected


def test_tasks_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    source = HEAD + "@task\ndef b() -> None: ...\n@task\ndef a() -> None: ...\n"
    result = scan_tasks(tmp_path, source, another="from stem import task\n@task(name='aa')\ndef z() -> None: ...\n")
    assert [task.name for task in result.package.tasks] == ["aa", "shop.a", "shop.b"]


def test_functions_are_matched_behind_every_kind_of_block(tmp_path: Path) -> None:
    source = HEAD + (
        "class A:\n    def first(self): ...\n    class B:\n        def second(self): ...\n"
        "if A:\n    def third(): ...\nelif B:\n    def fourth(): ...\nelse:\n    def fifth(): ...\n"
        "try:\n    def sixth(): ...\nexcept E:\n    def seventh(): ...\nelse:\n    def eighth(): ...\n"
        "finally:\n    def ninth(): ...\n"
        "for _ in A:\n    def tenth(): ...\nelse:\n    def more(): ...\nwhile A:\n    def again(): ...\n"
        "with A:\n    def inside(): ...\nmatch A:\n    case 1:\n        def matched(): ...\n"
        "def outer():\n    def inner(): ...\n    async def deep(): ...\n"
        "if A: x = 1\n@task\nasync def run(o: Order) -> None: ...\n"
    )
    task = only_task(scan_tasks(tmp_path, source))
    assert (task.qualname, task.is_async) == ("run", True)


def test_type_parameters_of_a_function_are_no_types(tmp_path: Path) -> None:
    source = HEAD + "@task\ndef run[T](value: T) -> None: ...\n"
    expected = "STL104" if sys.version_info >= (3, 12) else "STL116"  # Python 3.11 cannot read such a file
    assert codes(scan_tasks(tmp_path, source)) == [expected]


def test_a_file_that_libcst_cannot_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: bytes) -> tuple[Declaration, ...]:
        raise RecursionError("too deep")

    monkeypatch.setattr("stem_builder.scan.handlers.find_functions", refuse)
    assert the(scan_tasks(tmp_path, HEAD + "@task\ndef run() -> None: ..."), "STL116").note == "too deep"
