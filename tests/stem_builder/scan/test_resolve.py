"""A name is followed through the tree by reading source, and always ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from stem_builder.scan.modules import ModuleIndex
from stem_builder.scan.reader import ModuleReader
from stem_builder.scan.resolve import Found, Outside, Resolver, Target, Unresolved
from tests.stem_builder.sources import write


def resolve(root: Path, name: str, files: dict[str, str]) -> Target:
    """What `name` means in `shop/here.py`."""
    write(root, files)
    reader = ModuleReader(ModuleIndex([root], root))
    module = reader.load("shop.here")
    assert module is not None
    return Resolver(reader).follow(module, name)


def home(target: Target) -> str:
    """`module:qualname` of what was found, with the attributes behind it."""
    if isinstance(target, Found):
        return ":".join((target.module.name, ".".join((target.qualname, *target.rest))))
    return f"{target.module}:{target.name}" if isinstance(target, Outside) else "unresolved"


@pytest.mark.parametrize(
    ("here", "name", "expected"),
    [
        ("from .deep.down import X", "X", "shop.deep.down:X"),
        ("from .deep import X as Y", "Y", "shop.deep.down:X"),
        ("from . import deep as d", "d.down.X", "shop.deep.down:X"),
        ("import shop.deep.down", "shop.deep.down.X", "shop.deep.down:X"),
        ("import shop.deep.down as x", "x.X.Inner.MEMBER", "shop.deep.down:X.Inner.MEMBER"),
        ("from .deep import module", "module.X", "shop.deep.down:X"),
        ("from .star import *", "X", "shop.deep.down:X"),
        ("from .star import *", "_hidden", "unresolved"),
        ("from .listed import *", "_shown", "shop.listed:_shown"),
        ("from .listed import *", "left_out", "unresolved"),
        ("from .deep.down import X\nX = X", "X", "unresolved"),
        ("import os.path\nimport json", "os.path.join", "os.path:join"),
        ("from a.b import c", "c.D", "a.b:c.D"),
        ("import a.b as ab", "ab.c.D", "a.b:c.D"),
        ("from .again import OD", "OD", "collections:OrderedDict"),
        ("x = 1", "int", "builtins:int"),
        ("from outside import *", "int", "builtins:int"),
        ("class int: ...", "int", "shop.here:int"),
        ("with open('f') as f:\n    from .deep import X", "X", "shop.deep.down:X"),
        ("from .deep import *", "down.X", "shop.deep.down:X"),
        ("from ....deep import X", "X", "unresolved"),
    ],
)
def test_a_name_is_followed_to_its_home(tmp_path: Path, here: str, name: str, expected: str) -> None:
    files = {
        "shop/here.py": here,
        "shop/deep/__init__.py": "from .down import X\nfrom . import down as module",
        "shop/deep/down.py": "class X:\n    class Inner: ...\n_hidden = 1",
        "shop/star.py": "from .deep.down import *",
        "shop/listed.py": "__all__ = ['_shown']\n__all__ += ['more']\nclass _shown: ...\nclass left_out: ...",
        "shop/again.py": "from collections import OrderedDict as OD",
    }
    assert home(resolve(tmp_path, name, files)) == expected


@pytest.mark.parametrize(
    "files",
    [
        {"shop/here.py": "X = Y\nY = X"},
        {"shop/here.py": "from .here import X"},
        {"shop/here.py": "from .a import *", "shop/a.py": "from .b import *", "shop/b.py": "from .a import *"},
        {"shop/here.py": "from .a import X", "shop/a.py": "from .here import X"},
    ],
)
def test_a_circle_ends_unresolved(tmp_path: Path, files: dict[str, str]) -> None:
    assert isinstance(resolve(tmp_path, "X", files), Unresolved)


def test_a_chain_longer_than_the_limit_ends_unresolved(tmp_path: Path) -> None:
    files = {f"shop/m{n}.py": f"from .m{n + 1} import X" for n in range(80)}
    files |= {"shop/here.py": "from .m0 import X", "shop/m80.py": "class X: ..."}
    assert resolve(tmp_path, "X", files) == Unresolved(
        "too many re-exports", "import the name from where it is defined"
    )


def test_the_first_root_wins(tmp_path: Path) -> None:
    for root in ("one", "two"):
        write(tmp_path / root, {"shop/here.py": f"class {root}: ..."})
    index = ModuleIndex([tmp_path / "one", tmp_path / "two"], tmp_path)
    source = index.find("shop.here")
    assert source is not None
    assert (source.relative, source.package) == ("one/shop/here.py", "shop")


def test_stem_itself_and_empty_folders_are_no_part_of_the_tree(tmp_path: Path) -> None:
    write(tmp_path, {"stem/__init__.py": "", "redis/readme.txt": "", "space/mod.py": ""})
    index = ModuleIndex([tmp_path], tmp_path)
    assert [index.in_tree(name) for name in ("stem", "redis", "space", "space.mod", "shop._stem")] == [
        False,
        False,
        True,
        True,
        True,
    ]
