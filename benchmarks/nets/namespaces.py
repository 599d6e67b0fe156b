"""Two network namespaces with a TUN device in each: a network of our own, which touches nothing of the host's.

They are named by the process that makes them, `meteor-PID-1-players` and `meteor-PID-1-server`, and are removed at the end,
with all processes in them. What a killed process left is removed by its relay, or else by the next who makes some.
"""

from __future__ import annotations

import ctypes
import fcntl
import itertools
import os
import re
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

#: Where `ip netns` keeps the names.
NAMES = Path("/run/netns")
TUN = Path("/dev/net/tun")
#: Addresses of the two ends, in a range that is for tests of networks (RFC 2544).
PLAYERS_ADDRESS, SERVER_ADDRESS = "198.18.77.1", "198.18.77.2"
DEVICE = "relayed"

_NAME = re.compile(r"meteor-(\d+)-\d+-(?:players|server)")
#: A process may make several.
_numbers = itertools.count(1)
_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
#: `ip` may take so long, in seconds, and processes in a namespace to be gone.
IP_S, GONE_S = 10.0, 5.0

T = TypeVar("T")


class NoNamespaces(Exception):
    """There can be no namespaces here; the text says why."""


def ip(*arguments: str) -> str:
    """Run `ip`, and give what it prints.

    Raises:
        NoNamespaces: If it fails; with what it said.
    """
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=IP_S)
    if done.returncode:
        raise NoNamespaces(f"ip {' '.join(arguments)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def check() -> None:
    """Look whether namespaces can be made here.

    Raises:
        NoNamespaces: If not; the text says what is missing.
    """
    if not TUN.exists():
        raise NoNamespaces(f"{TUN} is missing: this needs Linux with TUN devices (in a container: --device {TUN})")
    if os.geteuid():
        raise NoNamespaces("only root may make network namespaces: run it as root")
    if not shutil.which("ip"):
        raise NoNamespaces("ip is missing: install iproute2")


class Namespaces:
    """Both namespaces, from `with` to its end.

    Attributes:
        players, server: Their names.
    """

    def __init__(self) -> None:
        both = f"meteor-{os.getpid()}-{next(_numbers)}"
        self.players, self.server = f"{both}-players", f"{both}-server"

    def __enter__(self) -> Namespaces:
        """Make them, after removing what killed processes left.

        Raises:
            NoNamespaces: If they cannot be made.
        """
        check()
        sweep()
        try:
            for name in (self.players, self.server):
                ip("netns", "add", name)
                ip("-n", name, "link", "set", "lo", "up")
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.remove()

    def remove(self) -> None:
        """End what runs in them, and remove them."""
        for name in (self.players, self.server):
            remove(name)


def within(namespace: str, command: Sequence[str]) -> list[str]:
    """The command that runs a command in a namespace."""
    return ["ip", "netns", "exec", namespace, *command]


def remove(namespace: str) -> None:
    """End by force what runs in a namespace, and remove it; nothing happens if there is none."""
    end = time.monotonic() + GONE_S
    while (NAMES / namespace).exists() and (inside := _processes(namespace)) and time.monotonic() < end:
        for process in inside:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    with suppress(NoNamespaces):  # another removes it too, such as the relay
        if (NAMES / namespace).exists():
            ip("netns", "delete", namespace)


def _processes(namespace: str) -> list[int]:
    """Those in a namespace, but for the dead whose parents have not looked yet: these are in none."""
    try:
        return [process for process in map(int, ip("netns", "pids", namespace).split()) if process != os.getpid()]
    except NoNamespaces:  # it is gone
        return []


def sweep() -> None:
    """Remove the namespaces of processes that are no more."""
    for path in sorted(NAMES.glob("meteor-*")):
        name = _NAME.fullmatch(path.name)
        if name and not Path("/proc", name[1]).exists():
            remove(path.name)


def open_tun(namespace: str, address: str, peer: str) -> int:
    """Make a TUN device in a namespace, with an address and one peer.

    Returns:
        A file descriptor: a read takes a packet that the namespace sends, a write gives it one. Non-blocking; with the last
        copy of it the device goes.

    Raises:
        OSError: If it cannot be made.
        NoNamespaces: If it can, but not have its address.
    """

    def make() -> int:
        tun = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
        except OSError:
            os.close(tun)
            raise
        return tun

    tun = _inside(namespace, make)
    ip("-n", namespace, "address", "add", address, "peer", peer, "dev", DEVICE)
    ip("-n", namespace, "link", "set", DEVICE, "up")
    return tun


def _inside(namespace: str, make: Callable[[], T]) -> T:
    """Call something in a namespace; this process has one thread."""
    with _entered(NAMES / namespace):
        return make()


@contextmanager
def _entered(target: Path) -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)  # Python has os.setns from 3.12 on

    def enter(descriptor: int) -> None:
        if libc.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(target))

    ours = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        theirs = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
        try:
            enter(theirs)
        finally:
            os.close(theirs)
        try:
            yield
        finally:
            enter(ours)
    finally:
        os.close(ours)
