"""Token buckets."""

from __future__ import annotations

from math import inf

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.session.bucket import TokenBucket


class BucketTests(SynchronousTestCase):
    """How much of something a peer may do."""

    def test_burst_then_rate(self) -> None:
        """So many at once, then so many a second; what was refused costs nothing."""
        bucket = TokenBucket(2.0, 3)
        self.assertEqual([bucket.take(100.0) for _ in range(5)], [True, True, True, False, False])
        self.assertEqual(bucket.excuse(), "too fast; again in 0.50 s")
        self.assertEqual([bucket.take(100.25), bucket.take(100.5), bucket.take(100.5)], [False, True, False])

    def test_rest(self) -> None:
        """A pause fills it up to the burst, not further."""
        bucket = TokenBucket(2.0, 3)
        self.assertTrue(bucket.take(100.0))
        self.assertEqual(bucket.wait_s(), 0.0)
        self.assertEqual([bucket.take(900.0) for _ in range(4)], [True, True, True, False])

    def test_clock_goes_back(self) -> None:
        """A clock that is put back neither gives tokens nor takes them for long."""
        bucket = TokenBucket(1.0, 1)
        self.assertTrue(bucket.take(100.0))
        self.assertFalse(bucket.take(50.0))
        self.assertTrue(bucket.take(51.0))

    def test_nothing_allowed(self) -> None:
        """An operator may allow nothing at all; then no time is promised."""
        for bucket in (TokenBucket(0.0, 0), TokenBucket(0.0, 1), TokenBucket(5.0, 0)):
            bucket.take(100.0)
            self.assertFalse(bucket.take(200.0))
            self.assertEqual((bucket.wait_s(), bucket.excuse()), (inf, "too fast"))
