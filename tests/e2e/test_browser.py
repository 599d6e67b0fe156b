"""The browser client in a browser: each test of `tests/browser/*.test.js` is a test here, of the same name."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.browser import chromium

NAME = re.compile(r'^test\("(.+?)", ', re.MULTILINE)


class ModuleTests(SynchronousTestCase):
    """The tests of one JavaScript module."""

    module: ClassVar[str]
    names: ClassVar[list[str]]

    def ran_all(self) -> None:
        """Every test of the module ran: none was forgotten, none has a name that Python cannot see."""
        self.assertEqual(sorted(chromium.results(self.module)), sorted(self.names))


def _test(module: str, name: str) -> Any:
    def run(self: ModuleTests) -> None:
        failure = chromium.results(module).get(name, "it did not run")
        if failure:
            self.fail(f"{module}: {name}\n{failure}")

    run.__doc__ = f"{name[0].upper()}{name[1:]}."
    return run


def _case(module: str, source: str) -> type[ModuleTests]:
    names = NAME.findall(source)
    methods = {f"test_{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')}": _test(module, name) for name in names}
    stem = module.partition(".")[0].capitalize()
    about = {"module": module, "names": names, "test_ran_all": ModuleTests.ran_all, "__module__": __name__}
    return type(f"{stem}Tests", (ModuleTests,), {**methods, **about, "__doc__": f"The tests of {module}."})


for _path in sorted(chromium.TESTS.glob("*.test.js")):
    _made = _case(_path.name, _path.read_text("utf-8"))
    globals()[_made.__name__] = _made
del ModuleTests
