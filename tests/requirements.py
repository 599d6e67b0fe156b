"""What some tests need beyond Python: a browser, a program, a package.

`require("chromium")` answers where it is. Where it is missing the running test is skipped and says
what to install; with METEOR_TEST_REQUIRE=all, as .ci/run sets, it fails instead.
"""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from unittest import SkipTest

REPOSITORY = Path(__file__).parent.parent


def _newest(program: str) -> list[str]:
    found = Path("/usr/lib/postgresql").glob(f"*/bin/{program}")
    return sorted(map(str, found), key=lambda path: int(path.split("/")[4]), reverse=True)


# The names a program goes by, the first found is taken; and what to say where none is.
PROGRAMS: dict[str, tuple[tuple[str, ...], str]] = {
    "chromium": (
        (
            "chromium",
            "chromium-browser",
            "google-chrome",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        ),
        "install Chromium (Debian: chromium)",
    ),
    "chromedriver": (("chromedriver",), "install ChromeDriver (Debian: chromium-driver)"),
    "ip": (("ip",), "install iproute2"),
    # Debian keeps it where only root's path leads.
    "haproxy": (("haproxy", "/usr/sbin/haproxy"), "install HAProxy (Debian: haproxy)"),
    "kosoku": (("kosoku",), "pip install kosoku"),
    "make": (("make",), "install GNU make"),
    "mount": (("mount",), "install mount"),
    "node": (("node",), "install Node.js"),
    # Debian keeps the server's programs off the path; the newest is taken.
    "initdb": (("initdb", *_newest("initdb")), "install PostgreSQL (Debian: postgresql)"),
    "postgres": (("postgres", *_newest("postgres")), "install PostgreSQL (Debian: postgresql)"),
    "strace": (("strace",), "install strace"),
    "umount": (("umount",), "install mount"),
}


class Missing(AssertionError):
    """Something that a test needs is not here, and METEOR_TEST_REQUIRE says that it must be."""


def require(name: str) -> str:
    """Find what the running test needs.

    Args:
        name: A key of PROGRAMS, or else a Python module.

    Returns:
        The path of the program, or the name of the module.

    Raises:
        SkipTest: If it is missing.
        Missing: If it is missing and METEOR_TEST_REQUIRE is `all`.
    """
    if name in PROGRAMS:
        names, advice = PROGRAMS[name]
        found = next(filter(None, map(_which, names)), None)
    else:
        found = name if find_spec(name) else None
        advice = "pip install 'meteor-net[test]'"
    if found:
        return found
    reason = f"{name} is missing: {advice}"
    raise (Missing if os.environ.get("METEOR_TEST_REQUIRE") == "all" else SkipTest)(reason)


def _which(name: str) -> str | None:
    """Look beside this Python first: what pip installed is not always on the path."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(name, path=os.pathsep.join((beside, os.environ.get("PATH", ""))))
