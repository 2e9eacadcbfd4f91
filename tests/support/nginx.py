"""A real nginx on a free loopback port, in a folder of its own."""

import getpass
import pathlib
import shutil
import signal
from collections.abc import Sequence

from ports import free_port
from processes import Failure, Program, eventually, takes_connections

ATTEMPTS = 10


def program() -> str:
    """The server's program; Debian puts it where only root's PATH looks."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise Failure("nginx is not installed (Debian package: nginx-light)")
    return found


class Nginx:
    """Starts at construction. `server`: lines of its only server block; `http`: lines before it.

    `log`: the access log's format, one line per request.
    """

    def __init__(self, folder: pathlib.Path, server: Sequence[str], http: Sequence[str] = (), log: str = "$status", tls: bool = False):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.server, self.http, self.log, self.tls = server, http, log, tls
        self.port = 0
        self.running: Program | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        for _ in range(ATTEMPTS):
            self.port = self.port or free_port()
            self.running = Program("nginx", [program(), "-p", self.folder, "-c", self._configuration()], self.folder / "nginx.log")
            try:
                eventually(lambda: not self.running.running or takes_connections(self.port), "nginx listens")
                if self.running.running:
                    return
            except Failure:
                pass
            self.port = 0
            self.running.stop()
        raise Failure(f"nginx does not start: {self.running.output()[-1000:]}")

    def _configuration(self) -> pathlib.Path:
        path = self.folder / "nginx.conf"
        places = [
            f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ]
        lines = [
            f"daemon off; worker_processes 1; user {getpass.getuser()};",
            f"pid {self.folder}/nginx.pid; error_log {self.folder}/error.log notice;",
            "events { worker_connections 256; }",
            "http {",
            *places,
            f"log_format line '{self.log}'; access_log {self.folder}/access.log line;",
            *self.http,
            f"server {{ listen 127.0.0.1:{self.port}{' ssl' if self.tls else ''};",
            *self.server,
            "} }",
        ]
        path.write_text("\n".join(lines) + "\n")
        return path

    def reconfigure(self, server: Sequence[str]) -> None:
        """New workers with these lines; the old ones have ended, and with them the connections they had."""
        self.server = server
        self._configuration()
        before = self._workers()
        self.running.process.send_signal(signal.SIGHUP)
        eventually(lambda: self._workers() and not before & self._workers(), "the old workers have ended")

    def _workers(self) -> set[str]:
        master = self.running.process.pid
        return set(pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split())

    def lines(self) -> list[str]:
        """Of the access log."""
        path = self.folder / "access.log"
        return path.read_text().splitlines() if path.exists() else []

    def stop(self) -> None:
        if self.running:
            self.running.stop()
