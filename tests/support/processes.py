"""Programs that a test or the quick start runs, and waiting for what they do.

A `Program` writes its output to a file, so that no pipe fills up while nobody reads; whoever is interested reads the
file. Waiting is always for a condition with a deadline, never for a time.
"""

import os
import pathlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.02


class Failure(Exception):
    """Something that should have happened did not; the message is for people."""


def eventually(condition: Callable[[], T], what: str, seconds: float = 30) -> T:
    """The first true value of `condition`; `Failure` with the last value when none came in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds:g} s; last seen: {value!r}")
        time.sleep(POLL_SECONDS)


def takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Program:
    """A running program; its output goes to `log`."""

    def __init__(self, name: str, command: Sequence[object], log: pathlib.Path, **options):
        self.name = name
        self.log = log
        self.begin = log.stat().st_size if log.exists() else 0
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                [os.fspath(word) if isinstance(word, os.PathLike) else str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                **options,
            )

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        """What this run of the program has written so far."""
        with open(self.log, "rb") as log:
            log.seek(self.begin)
            return log.read().decode("utf-8", "replace")

    def wait_for_line(self, marker: str, seconds: float = 30) -> str:
        """The first line with `marker` in it."""

        def find() -> str:
            ended = not self.running
            for line in self.output().splitlines(keepends=True):
                if marker in line and line.endswith("\n"):
                    return line.rstrip("\n")
            if ended:
                raise Failure(f"{self.name} ended with code {self.process.returncode}:\n{self.output()[-2000:]}")
            return ""

        return eventually(find, f"'{marker}' from {self.name}", seconds)

    def send(self, number: int) -> None:
        if self.running:
            self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """Sends the signal and waits; a program that does not end in time is killed and a `Failure`."""
        self.send(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"{self.name} did not end within {seconds:g} s of signal {number}") from None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)
