"""Disks that are slow, or refuse: what the kernel answers to a running process is changed by strace, until it lets go."""

import os
import pathlib
import shutil
import signal
import subprocess

from processes import Program, eventually


def can_trace() -> bool:
    """strace is there, and the machine allows it."""
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


class DiskTrouble:
    """While it is entered, the `calls` of the process are answered as `change` says (strace's `inject`).

    DiskTrouble(pid, "fsync,fdatasync", "delay_enter=200000", folder) makes every sync take 200 ms longer.
    """

    def __init__(self, pid: int, calls: str, change: str, folder: pathlib.Path):
        self.log = folder / f"strace-{pid}.log"
        self.calls = calls
        self.command = ["strace", "-f", "-p", pid, "-e", f"trace={calls}", "-e", f"inject={calls}:{change}"]
        self.running: Program | None = None

    def __enter__(self) -> "DiskTrouble":
        self.running = Program("strace", self.command, self.log)
        self.running.wait_for_line(" attached")
        return self

    def met(self) -> int:
        """How many calls have been changed so far."""
        return self.running.output().count("(INJECTED)") + self.running.output().count("(DELAYED)")

    def __exit__(self, *_) -> None:
        self.running.send(signal.SIGINT)
        eventually(lambda: not self.running.running, "strace lets go")
