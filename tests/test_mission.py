"""The page docs/reference/mission.md is true: what it names exists, and every row of the plan is still there."""

import ast
import dis
import inspect
import re
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.requirements import REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "mission.md"
ROWS = 104
NOT_YET = "not yet"
CODE = re.compile(r"`([^`]+)`")
# `Class`, `Class(arguments)`, `Class.field` or `Class.method(arguments)`
NAME = re.compile(r"^(\w+)(?:\.(\w+))?(?:\((.*)\))?$")


@dataclass(frozen=True)
class Row:
    """One row: a name of the plan, what it became, where, and what proves it."""

    plan: str
    here: str
    file: str
    test: str

    @property
    def files(self) -> list[str]:
        """List the files that the row names."""
        return CODE.findall(self.file)

    @property
    def tests(self) -> list[str]:
        """List the tests that the row names."""
        return CODE.findall(self.test)


def read(text: str) -> list[Row]:
    """List the rows of the page's tables."""
    lines = (line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| Plan "))
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def code_problem(row: Row) -> str:
    """Tell what is wrong with the code that the row names; empty for nothing.

    Only what begins with a name in code is one of ours; anything else is prose.
    """
    if row.file == NOT_YET:
        return ""
    missing = [file for file in row.files if not (REPOSITORY / file).exists()]
    if missing or not row.files:
        return f"{row.plan}: no such file: {row.file}"
    code = CODE.match(row.here)
    name = NAME.match(code[1]) if code else None
    if not name or not row.files[0].endswith(".py"):
        return ""
    module = import_module(row.files[0].removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return name_problem(module, *name.groups())


def name_problem(module: Any, name: str, member: str | None, arguments: str | None) -> str:
    """Tell whether the module lacks the name, or its member, or it does not take the arguments."""
    thing = getattr(module, name, None)
    if thing is None:
        return f"{module.__name__} has no {name}"
    if member and not has_member(thing, member):
        return f"{name} has no {member}"
    if arguments is None:
        return ""
    called = getattr(thing, member) if member else thing
    return signature_problem(called, re.findall(r"\w+", arguments))


def has_member(thing: type, member: str) -> bool:
    """Tell whether a class has the member: declared, or given to `self` by one of its methods."""
    if hasattr(thing, member):
        return True
    classes = inspect.getmro(thing)
    steps = (dis.get_instructions(each) for cls in classes for each in vars(cls).values() if inspect.isfunction(each))
    return any(member in inspect.get_annotations(cls) for cls in classes) or any(
        step.opname == "STORE_ATTR" and step.argval == member for step in chain.from_iterable(steps)
    )


def signature_problem(called: Any, arguments: list[str]) -> str:
    """Tell whether something cannot be called with just these arguments, by name."""
    parameters = inspect.signature(called).parameters
    self = {"self": None} if "self" in parameters else {}
    try:
        inspect.signature(called).bind(**self, **dict.fromkeys(arguments))
    except TypeError as error:
        return f"{called.__qualname__}({', '.join(arguments)}): {error}"
    return ""


def has_test(name: str) -> bool:
    """Tell whether a test exists, named as pytest names it; a file alone stands for all its tests."""
    file, *path = name.split("::")
    if not (REPOSITORY / file).exists():
        return False
    if not file.endswith(".py"):
        return all(word in (REPOSITORY / file).read_text(encoding="utf-8") for word in path)
    body = ast.parse((REPOSITORY / file).read_text(encoding="utf-8")).body
    for step in path:
        found = next((node for node in body if getattr(node, "name", None) == step), None)
        if found is None:
            return False
        body = getattr(found, "body", [])
    return True


class MissionTests(SynchronousTestCase):
    """The page as it stands."""

    def setUp(self) -> None:
        """Read the page."""
        self.rows = read(PAGE.read_text(encoding="utf-8"))

    def test_no_row_is_lost(self) -> None:
        """The plan has so many names and bullets; a row may change, but none goes."""
        self.assertEqual(len(self.rows), ROWS)

    def test_the_code_is_there(self) -> None:
        """Each class, method and field that a row names exists and takes the arguments that it shows."""
        self.assertEqual(list(filter(None, map(code_problem, self.rows))), [])

    def test_the_tests_are_there(self) -> None:
        """Each test that a row names exists, and a row says so where there is none yet."""
        for row in self.rows:
            self.assertTrue(row.tests or row.test == NOT_YET, row)
            self.assertEqual([test for test in row.tests if not has_test(test)], [], row)
            self.assertFalse(row.file == NOT_YET and row.tests, row)


class Probe:
    """What the checks are tried on."""

    rate: float

    def __init__(self, size: int) -> None:
        self.size = size

    def send(self, message: str, urgent: bool = False) -> None: ...


class CheckTests(SynchronousTestCase):
    """The checks themselves find what is wrong."""

    def test_fitting_names(self) -> None:
        """A class, a field, a method and a call of each pass."""
        for here in ("Row", "Row(plan, here, file, test)", "Row.tests", "Row.plan"):
            self.assertEqual(code_problem(Row("x", f"`{here}`", "`tests/test_mission.py`", NOT_YET)), "")
        self.assertEqual(signature_problem(Probe.send, ["message"]), "")

    def test_names_that_do_not_fit(self) -> None:
        """A name that is not there, a wrong argument, and a file that is not there are told."""
        for here, file, problem in (
            ("Rows", "tests/test_mission.py", "tests.test_mission has no Rows"),
            ("Row.ours", "tests/test_mission.py", "Row has no ours"),
            ("Row(plan)", "tests/test_mission.py", "missing a required argument"),
            ("Probe.send(text)", "tests/test_mission.py", "missing a required argument"),
            ("Row", "tests/mission.py", "no such file"),
        ):
            self.assertIn(problem, code_problem(Row("x", f"`{here}`", f"`{file}`", NOT_YET)))

    def test_members_given_in_methods_count(self) -> None:
        """A field is there if the class declares it, or a method gives it to self."""
        self.assertEqual([has_member(Probe, name) for name in ("rate", "size", "send", "weight")], [True] * 3 + [False])

    def test_tests_by_name(self) -> None:
        """A test is looked up by file, class and method, as pytest names it."""
        this = "tests/test_mission.py"
        found = map(has_test, (this, f"{this}::CheckTests::test_tests_by_name", f"{this}::CheckTests::test_x", "tests/x.py"))
        self.assertEqual(list(found), [True, True, False, False])
