"""The page of the interfaces names all of them, with every member and its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import getmembers

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface
from zope.interface.interface import InterfaceClass, Method

from meteor_net import interfaces
from tests.requirements import REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "interfaces.md"


def declared() -> Iterator[tuple[str, str]]:
    """Yield (interface, member) as the code has them, a method with its arguments."""
    for name, interface in getmembers(interfaces, lambda value: isinstance(value, InterfaceClass)):
        if interface is Interface:
            continue
        for member, description in interface.namesAndDescriptions():
            arguments = ""
            if isinstance(description, Method):
                arguments = f"({', '.join(description.getSignatureInfo()['positional'])})"
            yield name, member + arguments


def described() -> Iterator[tuple[str, str]]:
    """Yield them as the page has them."""
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        name, _, text = section.partition("\n")
        for member in re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE):
            yield name, member


class InterfacesPageTests(SynchronousTestCase):
    """Code and page say the same."""

    def test_all_are_described(self) -> None:
        """Nothing is missing, and nothing is there that the code does not have."""
        self.assertEqual(set(described()), set(declared()))
