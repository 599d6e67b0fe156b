"""The pictures of the pages that are drawn from data."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.state.scene import tumbling
from docs import pictures
from tests.requirements import REPOSITORY


class PicturesTests(SynchronousTestCase):
    """Each is drawn from any scene of bodies."""

    def setUp(self) -> None:
        """Make a small scene, 20 frames a second."""
        self.frames = tumbling(60, 700)[::3]

    def test_each_is_well_formed(self) -> None:
        """They are SVG, and name what they show."""
        for draw in (pictures.prediction, pictures.active, pictures.sizes):
            drawn = ElementTree.fromstring(draw(self.frames))
            words = " ".join(drawn.itertext())
            self.assertIn("frame" if draw is not pictures.active else "60 do so", words)

    def test_a_flight_moves_in_every_frame(self) -> None:
        """What the picture of prediction shows is no row that rests."""
        heights = pictures.flight(self.frames)
        self.assertEqual(len(heights), pictures.FLIGHT_FRAMES + 2)
        self.assertTrue((np.diff(heights[2:]) != 0).all())

    def test_the_pages_have_theirs(self) -> None:
        """Those in the repository are small and well formed, and a page shows each."""
        page = (REPOSITORY / "docs" / "explanation" / "state.md").read_text("utf-8")
        for name in ("prediction", "active", "sizes"):
            path = REPOSITORY / "docs" / "images" / f"state-{name}.svg"
            ElementTree.parse(path)
            self.assertLess(path.stat().st_size, 40_000)
            self.assertIn(f"../images/{path.name}", page)
