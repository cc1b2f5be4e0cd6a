"""An environment for each peer, made when it is first needed and kept under its requirements."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from .roster import Peer

__all__ = ["default_folder", "python_for"]


def default_folder() -> Path:
    """The folder of this program in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "stem-benchmarks"


def python_for(peer: Peer, folder: Path) -> Path:
    """The interpreter with the peer's requirements; this one for Stem. Where they cannot be installed, the run ends."""
    if not peer.requirements:
        return Path(sys.executable)
    wanted = "\n".join(peer.requirements)
    place = folder / f"{peer.adapter}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    python, complete = place / "bin" / "python", place / "complete"
    if not complete.exists():
        print(f"installing {peer.name} into {place}", file=sys.stderr)
        _run(sys.executable, "-m", "venv", "--clear", str(place))
        _run(str(python), "-m", "pip", "install", *peer.requirements)
        complete.write_text(wanted)
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr.strip()[-600:]}")
