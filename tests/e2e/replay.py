"""Frames for the browser's modules in Node.js: they apply them, and changed forms of them, beside the server's own replica."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from meteor_net.state import Schema, Step, Version
from tests.requirements import REPOSITORY, require

SCRIPT = Path(__file__).with_suffix(".mjs")
BROWSER = REPOSITORY / "meteor_net" / "browser"
LONGEST_S = 3600


class Sighted(NamedTuple):
    """A frame of a world with keyed tables.

    Attributes:
        step: What all are told.
        crc: The checksum that it leads to.
        sight: The frame's item.
        seen: The version as the client sees it then.
    """

    step: Step
    crc: int
    sight: bytes
    seen: Version


#: What one client is told, in order: a tick (of CLOCK or JOINED), or a frame with the checksum that it leads to.
Story = Sequence[int | tuple[Step, int] | Sighted]


def recorded(schema: Schema, story: Story) -> dict[str, Any]:
    """Give a story as JSON can carry it."""
    return {"schema": schema.describe(), "told": [_told(item) for item in story]}


def _told(item: int | tuple[Step, int] | Sighted) -> dict[str, Any]:
    if isinstance(item, int):
        return {"known": item}
    if isinstance(item, Sighted):
        return {**_told(item[:2]), "sight": item.sight.hex(), "seen": {"crc": item.seen.crc(), "texts": _texts(item.seen)}}
    step, crc = item
    return {
        "tick": step.tick, "tick16": step.tick16, "base": step.base_code,
        "data": step.data.hex(), "texts": step.texts or [], "crc": crc,
    }  # fmt: skip


def _texts(seen: Version) -> list[list[list[str | bytes]]]:
    """Give the texts and data of all rows: by table, by field, in the order of slots."""
    return [[column[table.alive].tolist() for column in table.texts] for table in seen.tables]


def replay(stories: Iterable[tuple[Schema, Story]], changed: int = 0, show: bool = False) -> dict[str, Any]:
    """Apply frames in Node.js.

    Args:
        stories: Each for a replica of its own.
        changed: So many changed frames of each coding are tried too.
        show: Tell on the terminal how far it is.

    Returns:
        `frames`, how many there were; and by coding `tried`, `refused` and `longest` (ms of CPU) of the changed ones.

    Raises:
        AssertionError: A frame led to something else, or a changed one was neither applied nor refused.
    """
    node = require("node")
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(BROWSER, folder / "browser")
        # The modules are written for a browser: Node.js wants to be told what they are.
        (folder / "package.json").write_text('{"type": "module"}')
        file = folder / "frames.json"
        text = json.dumps([recorded(*story) for story in stories], default=lambda data: {"hex": data.hex()})
        file.write_text(text, encoding="utf-8")
        command = [node, str(SCRIPT), str(folder / "browser"), str(file), str(changed)]
        errors = None if show else subprocess.PIPE
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=LONGEST_S)
    if done.returncode:
        raise AssertionError(f"replay.mjs: {(done.stderr or 'see above')[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
