"""Tests of `meteor_net.monitor`."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.monitor import NetworkMonitor, NetworkReport


class NetworkMonitorTests(SynchronousTestCase):
    """Counters that others keep become rates, latencies and a report."""

    def setUp(self) -> None:
        self.now = 10.0
        self.link: dict[str, float] = {"bytes_in": 100, "round_trip_ms": 20.0}
        self.room: dict[str, float] = {}
        self.monitor = NetworkMonitor({"link": lambda: self.link, "room": lambda: self.room}, lambda: self.now)

    def test_bandwidth(self) -> None:
        """Growth per second since the last measurement; a counter that is new counts from 0."""
        self.now += 2
        self.link["bytes_in"] = 300
        self.room["frames"] = 10
        self.monitor.measure_bandwidth()
        self.assertEqual(self.monitor.metrics["link.bytes_in/s"], 100)
        self.assertEqual(self.monitor.metrics["room.frames/s"], 5)
        self.assertEqual(self.monitor.metrics["link.bytes_in"], 300)
        self.assertNotIn("link.round_trip_ms/s", self.monitor.metrics)

    def test_at_the_same_time(self) -> None:
        """A second measurement in the same moment changes nothing."""
        self.now += 1
        self.link["bytes_in"] = 200
        self.monitor.measure_bandwidth()
        self.monitor.measure_bandwidth()
        self.assertEqual(self.monitor.metrics["link.bytes_in/s"], 100)

    def test_latency(self) -> None:
        """Least, mean and greatest of the samples."""
        self.monitor.track_latency()
        self.link["round_trip_ms"] = 40.0
        report = self.monitor.generate_report()
        self.assertEqual(report.latency["link.round_trip_ms"], {"least": 20.0, "mean": 30.0, "most": 40.0})
        self.assertEqual(self.monitor.metrics["link.round_trip_ms"], 40.0)

    def test_report(self) -> None:
        """The report says the same as text and as a dict that JSON takes."""
        self.now += 2
        self.link["bytes_in"] = 2_000_100
        self.room["load"] = 0.5
        report = self.monitor.generate_report()
        self.assertIsInstance(report, NetworkReport)
        plain = json.loads(json.dumps(report.as_dict()))
        self.assertEqual(plain["seconds"], 2.0)
        self.assertEqual(plain["totals"]["link"]["bytes_in"], 2_000_100)
        text = report.text()
        self.assertIn("after 2.0 s", text)
        self.assertIn("2,000,100  (1,000,000.0/s)", text)
        self.assertIn("load", text)
        self.assertIn("0.5", text)
        self.assertIn("link.round_trip_ms: least 20.0, mean 20.0, greatest 20.0", text)
