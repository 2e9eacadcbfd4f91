"""A real mosquitto on a free loopback port, with a configuration of its own in a folder of its own."""

import getpass
import os
import pathlib
import shutil
import signal
from collections.abc import Sequence

from ports import free_port
from processes import Failure, Program

ATTEMPTS = 10


def program() -> str:
    """The broker's program; Debian puts it where only root's PATH looks."""
    found = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise Failure("mosquitto is not installed (Debian package: mosquitto)")
    return found


class Mosquitto:
    """Starts at construction. `stop` and `start` keep the port, and with `persistence` also the sessions.

    `extra`: lines of the configuration that follow the listener's.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        persistence: bool = False,
        port: int = 0,
        extra: Sequence[str] = (),
        **options,
    ):
        self.folder = folder
        self.persistence = persistence
        self.extra = extra
        self.port = port
        self.options = options  # For the process.
        self.running: Program | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Between the choice of a port and listening another program may take it: then with another one."""
        for _ in range(1 if self.port else ATTEMPTS):
            port = self.port or free_port()
            command = [program(), "-c", self._configuration(port)]
            self.running = Program("mosquitto", command, self.folder / "broker.log", **self.options)
            try:
                # Written when all listeners are open.
                self.running.wait_for_line(" running")
                self.port = port
                return
            except Failure as failure:
                self.running.stop()
                reason = failure
        raise reason

    def _configuration(self, port: int) -> pathlib.Path:
        path = self.folder / "mosquitto.conf"
        lines = [
            f"listener {port} 127.0.0.1",
            *([] if any(line.startswith("allow_anonymous") for line in self.extra) else ["allow_anonymous true"]),
            *self.extra,
            "max_queued_messages 0",
            "max_inflight_messages 1000",
            "set_tcp_nodelay true",
            "log_dest stderr",
            f"persistence {'true' if self.persistence else 'false'}",
            f"user {getpass.getuser()}",
        ]
        if self.persistence:
            lines.append(f"persistence_location {self.folder}/")  # Written when it is stopped, not when it is killed.
        path.write_text("\n".join(lines) + "\n")
        return path

    def stop(self) -> None:
        if self.running:
            self.running.stop()
        self.running = None

    def kill(self) -> None:
        if self.running:
            self.running.stop(signal.SIGKILL)
        self.running = None
