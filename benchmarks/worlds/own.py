"""From a key to the own craft's move on the screen, in Chromium, 200 ms from the server.

The page is the demo's. What is noted beside it: when a key went down, by the event's own time; and at which animation frame the
heading of the own craft, as the page draws it in that frame, is another for the first time. In the same frames the heading is
read as it would be drawn without prediction.
"""

from __future__ import annotations

import sys
import time
from random import Random
from statistics import median
from typing import Any
from unittest import SkipTest

from tests.browser import chromium

from ..server import Server, free_port, running
from ..state.progress import say

WAY_MS = 100
PRESSES = 30
HOLD_S, WAIT_S = 0.15, 0.6

#: Runs after the page's own listener, in the same animation frame.
WATCH = """
const presses = window.presses = [];
let turned = [];
const rotate = CanvasRenderingContext2D.prototype.rotate;
CanvasRenderingContext2D.prototype.rotate = function (angle) { turned.push(angle); return rotate.call(this, angle); };
let shown = null;
let unpredicted = null;
addEventListener("keydown", (event) => {
  if (!event.repeat) presses.push({ at: event.timeStamp, shown, unpredicted, drawn: null, told: null });
}, { capture: true });
meteor.onFrame((world, me) => {
  const now = performance.now();
  if (!turned.includes(me.heading)) throw new Error("the heading that we read is not drawn");
  turned = [];
  shown = me.heading;
  unpredicted = meteor.stateSync.show(now).craft.get(me.slot).heading;
  for (const press of presses) {
    if (shown !== press.shown) press.drawn ??= now - press.at;
    if (unpredicted !== press.unpredicted) press.told ??= now - press.at;
  }
});
"""


def press(driver: Any, code: str, down: bool) -> None:
    """A real key event, as from a keyboard."""
    kind, key = ("rawKeyDown" if down else "keyUp"), {"ArrowLeft": 37, "ArrowRight": 39}[code]
    driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, "key": code, "code": code, "windowsVirtualKeyCode": key})


def presses(url: str) -> list[dict[str, float]]:
    """Play: press keys, each when the craft has come to rest.

    Returns:
        For each press the time in ms until it was `drawn`, and until what the server `told` would have been.
    """
    chance = Random(1)
    driver = chromium.driver()
    driver.set_window_size(1280, 800)
    driver.get(url)
    chromium.wait_for("window.meteor && meteor.me")
    time.sleep(3)  # the round trip is known, the delay has settled
    driver.execute_script(WATCH)
    for number in range(PRESSES):
        time.sleep(WAIT_S + 0.1 * chance.random())
        code = ("ArrowLeft", "ArrowRight")[number % 2]
        press(driver, code, True)
        time.sleep(HOLD_S)
        press(driver, code, False)
    time.sleep(WAIT_S)
    trip = driver.execute_script("return meteor.stats.roundTripMs")
    found: list[dict[str, float]] = driver.execute_script("return presses")
    driver.get("about:blank")
    say(f"own: {len(found)} presses at a round trip of {trip:.0f} ms")
    return found


def measure() -> dict[str, float]:
    """Measure, and say what came out.

    Raises:
        RuntimeError: There is no Chromium, or a press was not seen.
    """
    try:
        chromium.driver()
    except SkipTest as missing:
        raise RuntimeError(str(missing)) from missing
    with running() as server:
        port = free_port()
        relay = Server(port, [sys.executable, "-m", "benchmarks.worlds.relay", str(port), str(server.port), str(WAY_MS)])
        try:
            relay.wait()
            found = presses(f"http://127.0.0.1:{port}/")
        finally:
            relay.stop()
    if len(found) != PRESSES or not all(each["drawn"] and each["told"] for each in found):
        raise RuntimeError(f"own: of {PRESSES} presses {len(found)} were seen, and not each moved the craft: {found}")
    for name in ("drawn", "told"):
        times = sorted(each[name] for each in found)
        about = "the own craft moves" if name == "drawn" else "without prediction it would"
        say(f"own: {about} after {median(times):.0f} ms, 95 % within {times[int(0.95 * len(times))]:.0f} ms")
    return {"feel-own-ms": median(each["drawn"] for each in found)}


if __name__ == "__main__":
    print(measure())
