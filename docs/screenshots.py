"""`make screenshots`: the pictures of the README and of the crowd's page, taken in Chromium; in the demo bots fly and chat.

Writes docs/images/drift.png, docs/images/drift-phone.png and docs/images/crowd.png.
"""

from __future__ import annotations

import base64
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from meteor_net import NetworkClient, NetworkConfig
from meteor_net.drift.physics import shortest
from meteor_net.drift.world import SIZE
from tests.requirements import require

IMAGES = Path(__file__).with_name("images")
DESKTOP, PHONE = (1280, 800), (390, 844)
#: Whose screen it is.
PLAYER = "sunny otter"
#: What the crew says, and after how many seconds.
SAID = {
    "Ada": [(2.0, "anybody near the big brown one?"), (5.0, "found a bottle, somebody says hello")],
    "Bo": [(3.0, "on my way, mind the rocks"), (6.5, "answer it!")],
    "Cleo": [(4.0, "throwing one over the edge")],
}
#: Fly to the nearest bottle that somebody else threw, until it is on deck.
CHASE = """
const shortest = (way) => way - 2048 * Math.round(way / 2048);
const chase = setInterval(() => {
  const me = meteor.me;
  if (me.holding) { clearInterval(chase); meteor.act("Steer", { turn: 0, thrust: false }); return; }
  const ways = [...meteor.world.bottle].map((row) => [shortest(row.x - me.x), shortest(row.y - me.y)]);
  const [dx, dy] = ways.sort((a, b) => Math.hypot(...a) - Math.hypot(...b))[0] ?? [1, 0];
  let off = Math.atan2(dy, dx) - me.heading;
  off -= 2 * Math.PI * Math.round(off / (2 * Math.PI));
  meteor.act("Steer", { turn: Math.max(-1, Math.min(1, off * 1.5)), thrust: Math.abs(off) < 1 });
}, 100);
document.body.classList.add("flown");
"""


async def fly(url: str) -> None:
    """Let the crew fly around the player of the picture, and say its lines; until the process ends."""
    crew = {name: NetworkClient(NetworkConfig(url=url, name=name)) for name in SAID}
    for game in crew.values():
        await game.connect()
    said = {name: list(lines) for name, lines in SAID.items()}
    began_s = None
    async for _ in crew["Ada"].ticks():
        player = next((row for row in crew["Ada"].world.craft if row.name == PLAYER), None)
        if player is None:
            continue
        began_s = began_s or time.monotonic()
        for number, (name, game) in enumerate(crew.items()):
            game.act("Steer", **follow(game.me, player, 140 + 50 * number))
            while said[name] and said[name][0][0] <= time.monotonic() - began_s:
                game.say(said[name].pop(0)[1]).addErrback(lambda _: None)


def follow(me: Any, player: Any, far: float) -> dict[str, Any]:
    """Steer towards a player while far away, and round it when near."""
    dx, dy = shortest(player.x - me.x, SIZE), shortest(player.y - me.y, SIZE)
    distance = math.hypot(dx, dy)
    wanted = math.atan2(dy, dx) + (0 if distance > far else math.pi / 2)
    off = shortest(wanted - me.heading, 2 * math.pi)
    return {"turn": max(-1.0, min(1.0, off)), "thrust": abs(off) < 1.2 and distance > far * 0.7}


def browser() -> Any:
    """Start Chromium without a window."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    return webdriver.Chrome(options, webdriver.ChromeService(require("chromedriver")))


def show_as(driver: Any, width: int, height: int, phone: bool) -> None:
    """Make the page as large as a screen, with a mouse or a finger on it."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    hover = {"name": "hover", "value": "none" if phone else "hover"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [hover]})


def wait_for(driver: Any, condition: str, seconds: int) -> bool:
    """Wait until a condition of the page's holds."""
    for _ in range(seconds * 10):
        if driver.execute_script(f"return Boolean({condition})"):
            return True
        time.sleep(0.1)
    return False


def save(driver: Any, name: str, width: int, height: int, scale: float) -> None:
    """Keep what the page shows, at a part of its size so that the file is small."""
    IMAGES.mkdir(exist_ok=True)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
    shown = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "clip": clip})
    (IMAGES / name).write_bytes(base64.b64decode(shown["data"]))
    print(f"docs/images/{name}", flush=True)


def take(url: str) -> None:
    """Open the page, play until there is something to see, and take the pictures."""
    driver = browser()
    try:
        show_as(driver, *DESKTOP, phone=False)
        driver.get(f"{url}drift.css")  # of the page's origin, and joins no room
        driver.execute_script("sessionStorage.setItem('drift:name', arguments[0])", PLAYER)
        driver.get(url)
        if not wait_for(driver, "window.meteor && meteor.me", 20):
            raise RuntimeError("the page did not join")
        time.sleep(9)
        driver.execute_script(CHASE)
        wait_for(driver, "!document.getElementById('found').hidden", 60)
        driver.execute_script("document.querySelector('#found textarea').value = 'Hello from the other side of the big one!'")
        time.sleep(1)
        save(driver, "drift.png", *DESKTOP, 0.75)
        show_as(driver, *PHONE, phone=True)
        driver.execute_script("meteor.act('Toss')")
        time.sleep(7)
        save(driver, "drift-phone.png", *PHONE, 1)
    finally:
        driver.quit()


def take_crowd(url: str) -> None:
    """Look at the crowd of docs/examples once it has found its ways."""
    driver = browser()
    try:
        show_as(driver, *DESKTOP, phone=False)
        driver.get(url)
        if not wait_for(driver, "window.meteor && meteor.world.agent.size", 20):
            raise RuntimeError("the page did not join")
        time.sleep(40)
        save(driver, "crowd.png", *DESKTOP, 0.6)
    finally:
        driver.quit()


def main() -> int:
    """Run it.

    Returns:
        The exit status.
    """
    if sys.argv[1:2] == ["crew"]:
        from meteor_net.client import run

        run(fly, sys.argv[2])
        return 0
    from benchmarks.server import running

    with running() as server:
        crew = subprocess.Popen([sys.executable, "-m", "docs.screenshots", "crew", f"ws://127.0.0.1:{server.port}"])
        try:
            take(f"http://127.0.0.1:{server.port}/")
        finally:
            crew.terminate()
            crew.wait()
    with running("--python-path", "docs/examples/crowd", "--game", "crowd.Crowd", "--database", "memory") as server:
        take_crowd(f"http://127.0.0.1:{server.port}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
