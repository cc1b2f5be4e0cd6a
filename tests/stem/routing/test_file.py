"""Rules from a file: what each line means, and where each mistake is."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from stem.errors import ConfigError
from stem.routing import QueueRules, Route, Routing
from stem.routing.file import read_routing

WHOLE = """\
default_queue: work
queues:
  work:
  billing:
    aliases: [money, payments]
    priorities: [2, 7]
    defaults:
      max_retries: 5
      result_ttl: 1h30m
      tags: [paid]
      broadcast: true
routes:
  - match: {task: "billing.*"}
    queue: billing
    priority: 5
  - match:
      task: [mail.send, mail.draft]
      tags: slow
      headers: {tenant: acme}
      queue: work
    queue: payments
  - match: {tags: ops}
    broadcast: true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "routing.yaml"


def mistake(file: Path, text: str) -> str:
    """The message about this text."""
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_routing(file)
    return str(raised.value)


def test_every_key_means_what_its_value_does(file: Path) -> None:
    file.write_text(WHOLE)
    billing = QueueRules(
        aliases=("money", "payments"),
        priorities=(2, 7),
        defaults={"max_retries": 5, "result_ttl": timedelta(hours=1, minutes=30), "tags": ("paid",), "broadcast": True},
    )
    assert read_routing(file) == Routing(
        default_queue="work",
        queues={"work": QueueRules(), "billing": billing},
        routes=(
            Route(queue="billing", priority=5, task=("billing.*",)),
            Route(
                queue="payments",
                task=("mail.send", "mail.draft"),
                tags=("slow",),
                headers={"tenant": "acme"},
                from_queue="work",
            ),
            Route(broadcast=True, tags=("ops",)),
        ),
    )


def test_an_empty_file_has_no_rules(file: Path) -> None:
    file.write_text("# nothing yet\n")
    assert read_routing(file) == Routing()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("queues: {a: }\nroutes:\n  - match: {task: x}\n    queue: b\n", "4:12", "a queue among a; found 'b'"),
        ("default_queue: b\nqueues: {a: }\n", "1:16", "'b'"),
        ("rutes: []\n", "1:1", "a key among default_queue, queues, routes"),
        ("routes:\n  - match: {taks: x}\n    queue: b\n", "2:13", "a key among task, tags, headers, queue"),
        ("routes:\n  - match: {task: x}\n    queue: 7\n", "3:12", "a text; found 7"),
        ("routes:\n  - match: {task: x}\n    priority: high\n", "3:15", "a whole number; found 'high'"),
        ("routes:\n  - match: {task: x}\n    priority: 12\n", "2:5", "from 0 to 9"),
        ("routes:\n  - queue: b\n", "2:5", "a route with `match`"),
        ("routes:\n  - match: {task: x}\n", "2:5", "a `queue`, a `priority` or `broadcast`"),
        ("routes:\n  - match: {task: x}\n    broadcast: all\n", "3:16", "true or false; found 'all'"),
        ("queues: [a]\n", "1:9", "a mapping"),
        ("queues:\n  a: {priorities: [1, 2, 3]}\n", "2:19", "two priorities"),
        ("queues:\n  a: {defaults: {result_ttl: soon}}\n", "2:30", "a duration such as"),
        ("queues:\n  a: {defaults: {max_retries: -1}}\n", "2:31", "max_retries"),
        ("queues:\n  a: {defaults: {queue: b}}\n", "2:18", "a key among"),
        ("queues: {a: , a: }\n", "1:15", "each key once"),
        ("queues: {a: \n", "2:1", "YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(file: Path, text: str, place: str, words: str) -> None:
    message = mistake(file, text)
    assert f"{file}:{place}" in message
    assert words in message


def test_a_file_that_is_not_there_is_said(file: Path) -> None:
    with pytest.raises(ConfigError, match="a routing file that can be read"):
        read_routing(file)


def test_without_the_reader_the_install_line_is_said(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(WHOLE)
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigError, match=r"pip install 'stem-jobs\[yaml\]'"):
        read_routing(file)


def test_yaml_makes_no_objects(file: Path) -> None:
    assert "a plain value" in mistake(file, "default_queue: !!python/object/apply:os.getcwd []\n")
