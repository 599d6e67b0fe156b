"""Tests that the grammar of the wire page admits what is really said, and nothing else."""

from __future__ import annotations

import json
import re

import cbor2
from pycddl import Schema as Grammar
from pycddl import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.codec import encode_packet
from meteor_net.messages import BY_CODE, Joined, Message
from meteor_net.state import Data, Fixed, Quaternion, Schema, Table

from ..requirements import REPOSITORY
from . import make_documents
from .make_packets import PATH
from .state_story import Crate, Note, Ship, Steer


def _spelt_out(grammar: str) -> str:
    """Write an array with optional last items as one rule for each length, `line-8` to `line-15`: pycddl does not know them."""

    def by_length(rule: re.Match[str]) -> str:
        name, (always, *optional) = rule[1], rule[2].split(", ? ")
        least = always.count(",") + 1
        shapes = [", ".join([always, *optional[:more]]) for more in range(len(optional) + 1)]
        return "\n".join(f"{name}-{least + more} = [{shape}]" for more, shape in enumerate(shapes))

    return re.sub(r"^(\S+) *= \[(.*, \? .*)\]", by_length, grammar, flags=re.MULTILINE)


_GRAMMAR = _spelt_out((REPOSITORY / "docs" / "reference" / "wire.cddl").read_text())
_RULES = {kind: kind.__name__.removesuffix("Message").lower() for kind in BY_CODE.values()}


class Body(Table):
    """What the other tables do not have."""

    turn = Quaternion(9)
    speed = Fixed(step=1 / 8, low=0, high=100, unit="m/s")
    blob = Data(16)


def check(rule: str, value: object) -> None:
    """Check a value against a rule; messages one by one, as pycddl takes only the first choice inside an array.

    Raises:
        ValidationError: If it is none.
    """
    if isinstance(value, list) and re.search(rf"^{rule}-\d", _GRAMMAR, re.MULTILINE):
        rule = f"{rule}-{len(value)}"
    if f"\n{rule} " not in _GRAMMAR:
        raise ValidationError(f"there is no {rule}")
    Grammar(f"start = {rule}\n{_GRAMMAR}").validate_cbor(cbor2.dumps(value))


def check_packet(packet: bytes) -> None:
    """Check every message of a packet against the rule of its code."""
    for message in cbor2.loads(packet):
        rule = _RULES[BY_CODE[message[0]]]
        if rule in ("history", "page"):
            for line in message.pop():
                check("old-line", line)
            message.append([])
        check(rule, message)


class GrammarTests(SynchronousTestCase):
    """The grammar against packets."""

    def test_admits_every_packet(self) -> None:
        """Each packet of the vectors is one of the grammar's."""
        for vector in json.loads(PATH.read_text())["packets"]:
            try:
                check_packet(bytes.fromhex(vector["hex"]))
            except ValidationError as error:
                self.fail(f"{vector['name']}: {error}")

    def test_admits_schemas(self) -> None:
        """A world's schema, with a field of every kind, is one of the grammar's."""
        schema = Schema(tables=[Ship, Crate, Note, Body], actions=[Steer], events=[])
        joined: Message = Joined(0, "a", 1, 0, 0, 50_000, 0, [], schema.hash, schema.describe(), [], 0, 0)
        check_packet(encode_packet([joined]))
        for record in schema.describe()["tables"] + schema.describe()["actions"]:
            for field in record["fields"]:
                check("field", field)

    def test_documents(self) -> None:
        """A schema with documents, and patches as far as pycddl goes: not maps in maps, and it has no `undefined`."""
        vectors = json.loads(make_documents.PATH.read_text())
        check("schema", vectors["worlds"][0]["schema"])
        patches = [cbor2.loads(bytes.fromhex(case["patch"])) for case in vectors["patches"] if "refused" not in case]
        flat = [patch for patch in patches if not any(isinstance(item, dict) for item in patch.values())]
        self.assertGreater(len(flat), 5)
        for patch in flat:
            check("map-patch", patch)
        for wrong in (5, [1], {1: 2}):
            with self.assertRaises(ValidationError, msg=repr(wrong)):
                check("map-patch", wrong)

    def test_refuses_what_is_no_message(self) -> None:
        """Messages of wrong shape, which a decoder refuses, are none of the grammar's either."""
        shapes = {
            "no such state",
            "a page of none",
            "a page too long",
            "negative number",
            "too few items",
            "no version",
            "a float for a number",
            "a boolean for a number",
        }
        for vector in json.loads(PATH.read_text())["refused"]:
            if vector["name"] in shapes:
                with self.assertRaises(ValidationError, msg=vector["name"]):
                    check_packet(bytes.fromhex(vector["hex"]))
        with self.assertRaises(ValidationError):
            check("field", {"name": "x", "kind": "angle", "bits": 40})
