"""The pictures of a benchmark."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.state.growth import exponent
from benchmarks.state.plot import Axis, Line, log_plot


class PlotTests(SynchronousTestCase):
    """A plot over two logarithmic axes."""

    def test_is_well_formed_and_shows_each_line(self) -> None:
        """An SVG file with a line and its points for each; names are escaped."""
        text = log_plot("a < b", "rows", "ms", [Line("one & two", [10, 100], [0.1, 1]), Line("three", [10, 50], [2, 4])])
        ElementTree.fromstring(text)
        self.assertEqual(text.count("<circle"), 4)
        self.assertIn("one &amp; two", text)
        self.assertEqual(re.findall(r">([\d,.]+)</text>", text), ["10", "100", "0.1", "1", "10"])

    def test_an_axis_holds_whole_powers_of_ten(self) -> None:
        """Values lie between its ends, their logarithms evenly."""
        axis = Axis.of([20, 500], 0, 200)
        self.assertEqual(axis.ticks(), [10, 100, 1000])
        self.assertEqual([axis.at(value) for value in axis.ticks()], [0, 100, 200])
        self.assertEqual(Axis.of([10, 10], 0, 100).ticks(), [10, 100])


class GrowthTests(SynchronousTestCase):
    """How growth is told."""

    def test_the_exponent_of_a_power(self) -> None:
        """The best fit finds the exponent of times that are a power of the rows."""
        counts = [1_000, 2_000, 20_000]
        self.assertAlmostEqual(exponent(counts, [count**1.1 for count in counts]), 1.1)
