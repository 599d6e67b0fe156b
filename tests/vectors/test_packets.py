"""Tests that the codec and `packets.json` agree, so that a client in any language can be tested with the file."""

from __future__ import annotations

import json
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.codec import decode_from_client, decode_from_server
from meteor_net.errors import PacketError
from meteor_net.limits import Limits
from meteor_net.messages import BY_CODE, Message

from .make_packets import PATH, make, meaning

_VECTORS = json.loads(PATH.read_text())
_DECODERS: dict[str, list[Callable[[bytes, Limits], list[Message]]]] = {
    "client": [decode_from_client],
    "server": [decode_from_server],
    "both": [decode_from_client, decode_from_server],
}


class PacketVectorTests(SynchronousTestCase):
    """The vectors of packets."""

    def test_file_is_current(self) -> None:
        """The file is what its maker makes of today's codec."""
        self.assertEqual(_VECTORS, json.loads(json.dumps(make())))

    def test_meanings(self) -> None:
        """Each packet decodes to the messages that it is said to hold."""
        for vector in _VECTORS["packets"]:
            for decode in _DECODERS[vector["way"]]:
                messages = decode(bytes.fromhex(vector["hex"]), Limits())
                found = json.loads(json.dumps([meaning(message) for message in messages]))
                self.assertEqual(found, vector["messages"], vector["name"])

    def test_all_messages_have_one(self) -> None:
        """No message of the wire is left out."""
        codes = {message[0] for vector in _VECTORS["packets"] for message in vector["messages"]}
        self.assertEqual(codes, set(BY_CODE))

    def test_refused(self) -> None:
        """Bytes that are no packet are refused with the one promised error."""
        for vector in _VECTORS["refused"]:
            for decode in _DECODERS[vector["way"]]:
                with self.assertRaises(PacketError, msg=vector["name"]):
                    decode(bytes.fromhex(vector["hex"]), Limits())
