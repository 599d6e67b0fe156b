"""Every test runs by pytest and by trial alike."""

from __future__ import annotations

import ast

from twisted.trial.unittest import SynchronousTestCase

from .requirements import REPOSITORY

#: What pytest and unittest know, and trial does not call.
NOT_TRIALS = {"setUpClass", "tearDownClass", "setUpModule", "tearDownModule", "setup_method", "teardown_method"}


class RunnerTests(SynchronousTestCase):
    """The tests themselves."""

    def test_nothing_that_trial_does_not_call(self) -> None:
        """No test relies on a hook that only one of the two runners calls."""
        found = [
            f"{path.relative_to(REPOSITORY)}: {node.name}"
            for path in sorted((REPOSITORY / "tests").rglob("*.py"))
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef) and node.name in NOT_TRIALS
        ]
        self.assertEqual(found, [])
