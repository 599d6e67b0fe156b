"""Run a command so that Ctrl-C ends it, and not the make that started it.

Make dies of a Ctrl-C that reaches it, and says so, whatever its recipe did. So the command gets the
terminal's foreground to itself, as a shell's job does: the keys reach it alone, its end by the signal
is a good end, and make goes on to its own.
"""

import os
import signal
import subprocess
import sys

STOPPED_BY_USER = {-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP}


def has_foreground() -> bool:
    """Tell whether the keys typed at standard input's terminal come to this process."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def main(command: list[str]) -> int:
    """Run the command to its end; answer its exit status, 0 for one that the user stopped."""
    own_terminal = has_foreground()
    # To hand the terminal over and take it back is for the foreground only, unless this is ignored.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    # A stopped command would leave make waiting with nobody at the keys.
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    with subprocess.Popen(command, process_group=0 if own_terminal else None) as child:
        signal.signal(signal.SIGTERM, lambda number, frame: child.send_signal(number))
        signal.signal(signal.SIGINT, lambda number, frame: None)
        if own_terminal:
            os.tcsetpgrp(0, child.pid)
        status = child.wait()
        if own_terminal:
            os.tcsetpgrp(0, os.getpgrp())
    return 0 if status in STOPPED_BY_USER else abs(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
