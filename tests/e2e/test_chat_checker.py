"""The checker of chat logs: it finds what is planted, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.requirements import REPOSITORY

from .chat_checker import MOST_TOLD, Verdict, check

EPOCH = 7
Log = list[list[Any]]


def heard(offset: int, sender: str, number: int) -> list[Any]:
    """Write what a client logs when it hears the `number`-th line of a sender."""
    return ["heard", EPOCH, offset, sender, f"{sender}-{number}", f"{sender} says {number}"]


def said(sender: str, number: int) -> list[Any]:
    """Write what a client logs when it says its `number`-th line."""
    return ["said", f"{sender}-{number}", f"{sender} says {number}"]


class CheckerTests(SynchronousTestCase):
    """Two senders and a reader; each line is heard by all."""

    def setUp(self) -> None:
        #: What stands: ann and bob in turn, three lines each.
        self.lines = [heard(offset, ("ann", "bob")[offset % 2], offset // 2) for offset in range(6)]
        self.logs: dict[str, Log] = {"history": self.lines[:], "reader": self.lines[:]}
        for first, sender in enumerate(("ann", "bob")):
            log = self.logs[sender] = []
            for number in range(3):
                log += [said(sender, number), ["kept", f"{sender}-{number}", first + 2 * number]]

    def check(self) -> Verdict:
        """Write the logs, and judge them."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir(parents=True)
        for name, log in self.logs.items():
            (folder / f"{name}.ndjson").write_text("".join(f"{json.dumps(record)}\n" for record in log), encoding="utf-8")
        self.folder = folder
        return check(folder)

    def finds(self, *faults: str) -> None:
        """Judge, and expect these faults and no others; each is given by a part of its text."""
        found = self.check().faults
        self.assertEqual(len(found), len(faults), found)
        for fault, text in zip(sorted(found), sorted(faults), strict=True):
            self.assertIn(text, fault)

    def test_clean(self) -> None:
        """Nothing is found, and all is counted."""
        self.logs["reader"].insert(3, ["back"])
        verdict = self.check()
        self.assertEqual(verdict, Verdict([], said=6, kept=6, refused=0, heard=12, gaps=0, back=1))

    def test_a_line_is_lost(self) -> None:
        """A line that was told to be kept is not in the history: a hole, or not even that when it was the last."""
        del self.logs["history"][2]
        self.finds(
            "lost: the history has 1 holes, the first at 2",
            "lost: ann's ann-1 was told to be kept at 2, and the history has it not",
            "lost: reader heard 'ann says 1' at 2, where the history has nothing",
            "lost: history heard offset 3 after 1, and was told of no gap",
        )

    def test_the_last_line_is_lost(self) -> None:
        """Nothing stands behind it that would show a hole."""
        del self.logs["history"][-1], self.logs["reader"][-1]
        self.finds("lost: bob's bob-2 was told to be kept at 5, and the history has it not")

    def test_a_heard_line_is_lost(self) -> None:
        """Nobody may hear what does not stand, even if its sender got no answer."""
        self.logs["reader"].append(heard(6, "ann", 3))
        self.finds("lost: reader heard 'ann says 3' at 6")

    def test_a_lost_offset_is_given_again(self) -> None:
        """Another line stands where an earlier one was heard."""
        self.logs["reader"][4] = heard(4, "bob", 9)
        self.finds("out of order: at 4 reader heard bob's 'bob says 9'")

    def test_a_line_is_doubled(self) -> None:
        """One line stands at two places, and all hear it twice."""
        again = heard(6, "ann", 1)
        self.logs["history"].append(again)
        self.logs["reader"].append(again)
        self.finds("doubled: ann's 'ann says 1' (ann-1) is kept at 2 and 6")

    def test_a_line_is_heard_twice(self) -> None:
        """A client gets one offset two times."""
        self.logs["reader"].insert(3, self.lines[2])
        self.finds("doubled: reader heard offset 2 twice")

    def test_an_offset_is_twice_in_the_history(self) -> None:
        """Pages overlap."""
        self.logs["history"].insert(3, self.lines[2])
        self.finds("doubled: offset 2", "doubled: ann's 'ann says 1'", "doubled: history heard offset 2 twice")

    def test_lines_are_swapped_for_a_reader(self) -> None:
        """A reader hears two lines the wrong way round."""
        log = self.logs["reader"]
        log[2], log[3] = log[3], log[2]
        self.finds(
            "lost: reader heard offset 3 after 1",
            "out of order: reader heard offset 2 after 3",
            "lost: reader heard offset 4 after 2",
        )

    def test_lines_of_a_sender_are_swapped(self) -> None:
        """What was said first stands behind what was said next."""
        for log in (self.logs["history"], self.logs["reader"]):
            log[2], log[4] = heard(2, "ann", 2), heard(4, "ann", 1)
        self.logs["ann"][3], self.logs["ann"][5] = ["kept", "ann-1", 4], ["kept", "ann-2", 2]
        self.finds("out of order: ann's 'ann says 2' stands at 2")

    def test_a_wrong_offset_is_told(self) -> None:
        """A sender is told another place than the line has."""
        self.logs["ann"][1] = ["kept", "ann-0", 5]
        self.finds("out of order: ann's ann-0 was told to be kept at 5, and stands at 0")

    def test_a_gap_is_told(self) -> None:
        """A hole is none where the client was told of it, and only there."""
        self.logs["reader"][2:4] = [["gap"]]
        self.assertEqual(self.check().gaps, 1)
        self.finds()
        del self.logs["reader"][2]
        self.finds("lost: reader heard offset 4 after 1, and was told of no gap")

    def test_a_reader_hears_no_more(self) -> None:
        """It misses the last lines; one that left before misses nothing."""
        del self.logs["reader"][4:]
        self.finds("lost: reader heard nothing after offset 3")
        self.logs["reader"].append(["left"])
        self.finds()

    def test_another_epoch(self) -> None:
        """A restart began a new epoch, or a reader believes so."""
        self.logs["reader"][5] = ["heard", EPOCH + 1, *self.lines[5][2:]]
        self.finds("out of order: at 5 reader heard")
        self.logs["history"][5] = self.logs["reader"][5]
        self.finds("out of order: the history has more than one epoch")

    def test_no_answer(self) -> None:
        """A sender was left without any."""
        del self.logs["bob"][5]
        self.finds("lost: bob's 'bob says 2' (bob-2) was never answered")

    def test_a_refused_line(self) -> None:
        """It is counted, and must not stand; where nobody knew, it may."""
        self.logs["ann"] += [said("ann", 3), ["refused", "ann-3", "slow-down"]]
        self.assertEqual(self.check().refused, 1)
        self.finds()
        self.logs["ann"][5] = ["refused", "ann-2", "failed"]
        self.finds("doubled: ann's ann-2 was refused (failed), and the history has it at 4")
        self.logs["ann"][5] = ["refused", "ann-2", "unknown"]
        self.finds()

    def test_answers_that_nobody_waits_for(self) -> None:
        """One line is answered once, and only if it was said."""
        self.logs["ann"].append(["kept", "ann-2", 4])
        self.finds("doubled: ann was answered ann-2 twice")
        self.logs["ann"][-1] = ["kept", "bob-0", 1]
        self.finds("out of order: ann was answered bob-0")

    def test_another_text(self) -> None:
        """What stands is not what was said."""
        for log in (self.logs["history"], self.logs["reader"]):
            log[0] = [*log[0][:-1], "ann says nothing"]
        self.finds("lost: ann said 'ann says 0', and the history has 'ann says nothing'")

    def test_nobody_read_the_history(self) -> None:
        """Without it nothing can be said."""
        del self.logs["history"]
        self.finds("there is no history.ndjson")

    def test_the_command(self) -> None:
        """It prints the verdict, a bounded number of faults, and fails if there is one."""
        self.check()
        command = [sys.executable, "-m", "tests.e2e.chat_checker"]
        good = subprocess.run([*command, self.folder], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertEqual(good.stdout.splitlines()[-1], "0 returns, 0 gaps told; 0 faults")
        self.logs["reader"] *= 2 * MOST_TOLD
        self.check()
        bad = subprocess.run([*command, self.folder], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        self.assertEqual(bad.returncode, 1)
        self.assertEqual(bad.stdout.splitlines()[-1], f"and {MOST_TOLD - 1} more")
