"""The wheel, built and installed as a stranger gets it, far from this repository."""

import atexit
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from tempfile import mkdtemp
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.requirements import REPOSITORY, require

NOT_COPIED = shutil.ignore_patterns(".*", "_trial_temp*", "node_modules", "build", "dist", "*.egg-info", "__pycache__")
RUN_TWISTD = "from twisted.scripts.twistd import run; run()"


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command and answer what it printed; raise with that if it fails."""
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}")
    return done.stdout


class WheelTests(SynchronousTestCase):
    """One wheel and one clean venv for all of these."""

    wheel: ClassVar[Path]
    elsewhere: ClassVar[Path]
    bin: ClassVar[Path]

    def setUp(self) -> None:
        if not hasattr(self, "bin"):  # the first of these; trial knows no setUpClass
            self._build()

    @classmethod
    def _build(cls) -> None:
        """Build the wheel from a copy, so that nothing left by an earlier build gets in; install it alone."""
        require("setuptools")
        cls.elsewhere = Path(mkdtemp(prefix="wheel-test-"))
        atexit.register(shutil.rmtree, cls.elsewhere)
        shutil.copytree(REPOSITORY, cls.elsewhere / "source", ignore=NOT_COPIED)
        build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", cls.elsewhere, cls.elsewhere / "source")
        run(sys.executable, "-m", "pip", *build, cwd=cls.elsewhere)
        (cls.wheel,) = cls.elsewhere.glob("*.whl")
        shutil.rmtree(cls.elsewhere / "source")
        cls.bin = cls._clean_venv()

    @classmethod
    def _clean_venv(cls) -> Path:
        """Make a venv that borrows the dependencies of this one, but not its meteor_net."""
        place = cls.elsewhere / "venv"
        venv.create(place)
        paths = {"base": str(place), "platbase": str(place)}
        # A folder named by a .pth file lends its packages; its own .pth files, one of which names this
        # repository, are not read.
        borrowed = Path(sysconfig.get_path("purelib", "venv", vars=paths)) / "borrowed.pth"
        borrowed.write_text(sysconfig.get_path("purelib") + "\n")
        scripts = Path(sysconfig.get_path("scripts", "venv", vars=paths))
        install = ("--python", scripts / "python", "install", "--no-deps", "--no-index", cls.wheel)
        run(sys.executable, "-m", "pip", *install, cwd=cls.elsewhere)
        return scripts

    def test_is_the_wheel_that_runs(self) -> None:
        """The package comes from the clean venv, not from this repository."""
        where = run(self.bin / "python", "-c", "import meteor_net; print(meteor_net.__file__)", cwd=self.elsewhere)
        self.assertIn(str(self.elsewhere), where)

    def test_twistd_finds_the_plugin(self) -> None:
        """From any folder, twistd lists the plugin and runs it."""
        shown = run(self.bin / "python", "-c", RUN_TWISTD, "--help", cwd=self.elsewhere)
        self.assertRegex(shown, r"\n +meteor +\w")
        shown = run(self.bin / "python", "-c", RUN_TWISTD, "meteor", "--version", cwd=self.elsewhere)
        self.assertIn(self.wheel.name.split("-")[1], shown)

    def test_has_the_console_command(self) -> None:
        """`meteor-net` is there and says what it can do."""
        self.assertIn("run", run(self.bin / "meteor-net", "--help", cwd=self.elsewhere))

    def test_holds_what_is_served(self) -> None:
        """The browser client, the demo's page and the mark of a typed package are in it."""
        names = zipfile.ZipFile(self.wheel).namelist()
        for name in ("py.typed", "browser/meteor-net.js", "drift/page/index.html"):
            self.assertIn(f"meteor_net/{name}", names)
        self.assertIn("twisted/plugins/meteor_net_plugin.py", names)

    def test_holds_nothing_else(self) -> None:
        """Twisted's packages stay Twisted's own, its caches stay here, and so do our tests."""
        names = zipfile.ZipFile(self.wheel).namelist()
        tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
        self.assertEqual(tops, {"meteor_net", "twisted"})
        twisted = [name for name in names if name.startswith("twisted/")]
        self.assertEqual(twisted, ["twisted/plugins/meteor_net_plugin.py"])
        self.assertEqual([name for name in names if name.endswith((".pyc", "dropin.cache"))], [])
