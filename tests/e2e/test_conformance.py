"""The server's protocol keeps to RFC 6455, as the cases of the Autobahn test suite ask it, run by kosoku."""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.requirements import require

ECHO_SERVER = Path(__file__).with_name("echo_server.py")
# All but the slow ones: 9 measures large messages, 12 and 13 compression, which is off.
SLOW_CASES = ("9.*", "12.*", "13.*")
CASES = 247
RUN_S = 300


class ConformanceTests(SynchronousTestCase):
    """Bytes that keep the RFC, and bytes that break it."""

    def test_every_quick_case_passes(self) -> None:
        """None of the 247 cases fails: framing, pings, reserved bits, fragments, UTF-8, closing."""
        kosoku = require("kosoku")
        server = subprocess.Popen([sys.executable, str(ECHO_SERVER)], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        assert server.stdout is not None
        self.addCleanup(server.stdout.close)
        url = f"ws://127.0.0.1:{server.stdout.readline().strip()}"
        left_out = [word for case in SLOW_CASES for word in ("--exclude", case)]
        run = subprocess.run(
            [kosoku, url, "--parallelism", "4", "--outdir", self.mktemp(), *left_out],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_S,
        )
        self.assertIn(f"{CASES} cases passed", run.stdout)
        self.assertEqual(run.returncode, 0)
