"""The browser client in a browser: each test of `tests/browser/*.test.js` is a test here, of the same name."""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from tests.browser import chromium

NAME = re.compile(r'^test\("(.+?)", ', re.MULTILINE)
Method = Callable[[SynchronousTestCase], None]


def one(module: str, name: str) -> Method:
    """Make the method that tells how one test of a module went."""

    def run(self: SynchronousTestCase) -> None:
        failure = chromium.results(module).get(name, "it did not run")
        if failure:
            self.fail(f"{module}: {name}\n{failure}")

    run.__doc__ = f"{name[0].upper()}{name[1:]}."
    return run


def all_of(module: str, names: list[str]) -> Method:
    """Make the method that tells whether Python knows all tests of a module."""

    def run(self: SynchronousTestCase) -> None:
        self.assertEqual(sorted(chromium.results(module)), sorted(names))

    run.__doc__ = f"Every test of {module} ran, and each has a result here."
    return run


def case(module: str, source: str) -> type[SynchronousTestCase]:
    """Make the test case of a module."""
    names = NAME.findall(source)
    methods = {"test_" + re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"): one(module, name) for name in names}
    about = {"test_all_ran": all_of(module, names), "__module__": __name__, "__doc__": f"The tests of {module}."}
    return type(f"{module.partition('.')[0].capitalize()}Tests", (SynchronousTestCase,), {**methods, **about})


for _path in sorted(chromium.TESTS.glob("*.test.js")):
    _case = case(_path.name, _path.read_text("utf-8"))
    globals()[_case.__name__] = _case
del _case, _path
