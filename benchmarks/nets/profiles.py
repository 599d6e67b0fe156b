"""The networks that are tried, by the names that the command line knows them by."""

from __future__ import annotations

from .run import Profile
from .way import Conditions


def _lossy(percent: float, delay_ms: float, jitter_ms: float) -> Conditions:
    return Conditions(loss=percent / 100, delay_s=delay_ms / 1000, jitter_s=jitter_ms / 1000)


#: A line that is good, if far away: what is cut off comes back to it.
_FAR = Conditions(delay_s=0.025, jitter_s=0.005)

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("none"),
        Profile("1%", _lossy(1, 25, 5)),
        Profile("2%", _lossy(2, 60, 30)),
        Profile("5%", _lossy(5, 80, 20)),
        Profile("10%", _lossy(10, 150, 50)),
        Profile("256k", Conditions(delay_s=0.025, rate_bps=256_000)),
        Profile("reorder", Conditions(delay_s=0.025, jitter_s=0.005, late=0.1, late_s=0.04)),
        Profile("cut-5", _FAR, cut_s=5),
        Profile("cut-30", _FAR, cut_s=30),
        Profile("cut-120", _FAR, cut_s=120),
        Profile("silent", _FAR, silent=True),
    )
}
