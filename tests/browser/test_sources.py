"""What can be said of the browser client without a browser: what it must not use, and that its parts are there."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import codec, limits
from tests.requirements import REPOSITORY

BROWSER = REPOSITORY / "meteor_net" / "browser"
IMPORT = re.compile(r'(?:from|import\() ?"([./][^"]+)"')
# Markup made of text, code made of text, what needs a secure page, and what another tab could read.
FORBIDDEN = re.compile(
    r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write"
    r"|crypto\.subtle|randomUUID|localStorage|\.cookie"
)


def sources() -> list[Path]:
    """Give the client's modules, the page's too."""
    return sorted(BROWSER.rglob("*.js"))


class SourcesTests(SynchronousTestCase):
    """What a reader of the sources can rely on."""

    def test_nothing_dangerous_is_used(self) -> None:
        """No text from the network can become markup or code, and the client works on plain http."""
        for path in sources():
            self.assertIsNone(FORBIDDEN.search(path.read_text("utf-8")), path.name)

    def test_every_import_is_there(self) -> None:
        """Modules import only each other: there is no dependency and no build step."""
        for path in sources():
            for name in IMPORT.findall(path.read_text("utf-8")):
                target = BROWSER / "meteor-net.js" if name == "/meteor-net.js" else (path.parent / name)
                self.assertTrue(target.is_file(), f"{path.name} imports {name}")

    def test_the_page_has_no_inline_script_or_style(self) -> None:
        """The plain page works under the content-security policy."""
        page = (BROWSER / "plain" / "index.html").read_text("utf-8")
        self.assertNotRegex(page, r"<style|style=|<script>|\son\w+=|javascript:|data:")
        for name in re.findall(r'(?:src|href)="/meteor-net/([^"]+)"', page):
            self.assertTrue((BROWSER / name).is_file(), name)

    def test_limits_are_those_of_the_server(self) -> None:
        """What a server may send, a page reads; what a page may send, a server reads."""
        text = (BROWSER / "limits.js").read_text("utf-8")
        found = {
            name: prod(int(factor) for factor in value.split("*"))
            for name, value in re.findall(r"^export const (\w+) = ([\d_* ]+);", text, re.MULTILINE)
        }
        ours = limits.Limits()
        expected = {
            "PACKET_OUT_BYTES": ours.packet_out_bytes,
            "PACKET_IN_BYTES": ours.packet_in_bytes,
            "PACKET_MESSAGES": ours.packet_messages,
            "PACKET_ITEMS": codec.SERVER_PACKET_ITEMS,
            "MAX_DEPTH": limits.MAX_DEPTH,
            "MAX_NAME_CHARS": limits.MAX_NAME_CHARS,
            "MAX_DOCUMENTS": limits.MAX_DOCUMENTS,
            "MAX_DOCUMENT_BYTES": limits.MAX_DOCUMENT_BYTES,
            "MAX_DOCUMENT_DEPTH": limits.MAX_DOCUMENT_DEPTH,
            "MAX_PATCH_ITEMS": limits.MAX_PATCH_ITEMS,
            "MAX_PATCH_DEPTH": limits.MAX_PATCH_DEPTH,
            "LINE_CHARS": ours.line_chars,
            "SILENT_MS": ours.silent_s * 1000,
        }
        self.assertEqual({name: found[name] for name in expected}, expected)
