"""The same frames, decoded by the browser's modules in Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import cbor2

import meteor_net
from meteor_net.state import Schema

from .channel import Channel, Mismatch

DECODE = Path(__file__).with_name("decode.mjs")
BROWSER = Path(meteor_net.__file__).with_name("browser")
LONGEST_S = 120


def node() -> str:
    """Find Node.js.

    Raises:
        RuntimeError: it is not there.
    """
    found = shutil.which("node")
    if found is None:
        raise RuntimeError("node is not found: install Node.js with npm (Debian: nodejs npm)")
    return found


def decode_again(channels: Sequence[Channel], passes: int = 0) -> list[float]:
    """Decode every frame of the channels in JavaScript, and compare the checksum after each.

    Args:
        channels: What was sent, and what it led to.
        passes: How often all is decoded once more, against the clock.

    Returns:
        For each channel the median time of decoding a frame, in µs; nothing without passes.

    Raises:
        Mismatch: JavaScript holds something else.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        # The modules are written for a browser: Node.js wants to be told what they are.
        shutil.copytree(BROWSER, folder / "browser")
        (folder / "package.json").write_text('{"type": "module"}')
        files = [folder / f"{number}.frames" for number in range(len(channels))]
        for file, channel in zip(files, channels, strict=True):
            file.write_bytes(_recorded(channel.world.schema, channel.packets))
        command = [node(), str(DECODE), str(folder / "browser"), str(passes), *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)
    if done.returncode:
        raise Mismatch(f"JavaScript refused a frame:\n{done.stderr}")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    for channel, result in zip(channels, results, strict=True):
        if result["crcs"] != channel.crcs:
            differing = [new != old for new, old in zip(result["crcs"], channel.crcs, strict=True)].index(True)
            raise Mismatch(f"JavaScript holds something else after frame {differing}")
    return [median(result["us"]) for result in results] if passes else []


def _recorded(schema: Schema, packets: Sequence[bytes]) -> bytes:
    parts = [cbor2.dumps(schema.describe(), canonical=True), *packets]
    return b"".join(len(part).to_bytes(4, "little") + part for part in parts)
