"""Tests of `meteor_net.client.config`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.client import NetworkConfig
from meteor_net.errors import ConfigError
from meteor_net.messages import Role


class NetworkConfigTests(SynchronousTestCase):
    """Options are checked when they are given."""

    def test_addresses(self) -> None:
        """The page's address does as well as the WebSocket's; path and port have defaults."""
        for url, address in {
            "ws://play.example": "ws://play.example:80/ws",
            "wss://play.example": "wss://play.example:443/ws",
            "http://127.0.0.1:8080/": "ws://127.0.0.1:8080/ws",
            "https://play.example:444/game/ws?x=1": "wss://play.example:444/game/ws?x=1",
            "ws://[::1]:8080": "ws://[::1]:8080/ws",
        }.items():
            config = NetworkConfig(url=url)
            self.assertEqual(config.address, address)
            self.assertEqual(config.addresses[0].secure, address.startswith("wss"))
            http = address.replace("ws", "http", 1).partition("?")[0].replace("/ws", "/http")
            self.assertEqual(config.addresses[0].http, http)

    def test_several(self) -> None:
        """Other addresses come behind the first, each once."""
        config = NetworkConfig(url="ws://a", urls=["ws://b:81/x", "ws://a:80/ws"])
        self.assertEqual([address.websocket for address in config.addresses], ["ws://a:80/ws", "ws://b:81/x"])

    def test_defaults(self) -> None:
        """A guest plays in the server's first room."""
        config = NetworkConfig(url="ws://play.example")
        self.assertEqual((config.room, config.token, config.role_number), ("", None, Role.PLAY))
        self.assertEqual(NetworkConfig(url="ws://a", role="watch").role_number, Role.WATCH)

    def test_token_is_not_shown(self) -> None:
        """A token stays out of logs."""
        self.assertNotIn("secret", repr(NetworkConfig(url="ws://a", token="secret")))

    def test_bad(self) -> None:
        """What is wrong is named."""
        cases: list[tuple[str, dict[str, Any]]] = [
            ("url: .*begin with ws", {"url": "play.example"}),
            ("url: .*begin with ws", {"url": "ftp://play.example"}),
            ("url: .*names no host", {"url": "ws://"}),
            ("url: .*port 0", {"url": "ws://a:0"}),
            ("url: .*Port", {"url": "ws://a:x"}),
            ("url: .*Port", {"url": "ws://a:70000"}),
            ("url: .*user", {"url": "ws://me:pass@a"}),
            ("url: .*fragment", {"url": "ws://a/#b"}),
            ("url: .*characters", {"url": "ws://a/b c"}),
            ("url: .*characters", {"url": "ws://ä"}),
            ("url: .*begin with ws", {"urls": ["ws://b", "play.example"]}),
            ("urls: more than 16", {"urls": [f"ws://b{number}" for number in range(16)]}),
            ("transports: ", {"transports": []}),
            ("transports: ", {"transports": ["websocket", "websocket"]}),
            ("transports: ", {"transports": ["pigeon"]}),
            ("role: 'fly'", {"role": "fly"}),
            ("name: ", {"name": ""}),
            ("name: ", {"name": "x" * 65}),
            ("room: ", {"room": "x" * 130}),
            ("connect_s: ", {"connect_s": 0}),
            ("connect_s: ", {"connect_s": float("inf")}),
            ("trust_root: .*no file", {"trust_root": "/nowhere.pem"}),
        ]
        for text, options in cases:
            with self.assertRaisesRegex(ConfigError, text):
                NetworkConfig(**({"url": "ws://a"} | options))
