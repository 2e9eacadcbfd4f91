"""A real HTTP proxy, tinyproxy, on a free loopback port, in a folder of its own."""

import getpass
import pathlib
import shutil

from ports import free_port
from processes import Failure, Program, eventually, takes_connections

ATTEMPTS = 10


class Tinyproxy:
    """Starts at construction; `user` and `password`: what it wants of its clients."""

    def __init__(self, folder: pathlib.Path, user: str = "", password: str = ""):
        program = shutil.which("tinyproxy") or shutil.which("tinyproxy", path="/usr/sbin:/usr/local/sbin")
        if not program:
            raise Failure("tinyproxy is not installed (Debian package: tinyproxy)")
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(ATTEMPTS):
            self.port = free_port()
            lines = [f"Port {self.port}", "Listen 127.0.0.1", "Timeout 60", "LogLevel Connect", f"User {getpass.getuser()}"]
            lines += [f"BasicAuth {user} {password}"] if user else []
            (folder / "tinyproxy.conf").write_text("\n".join(lines) + "\n")
            self.running = Program("tinyproxy", [program, "-d", "-c", folder / "tinyproxy.conf"], folder / "tinyproxy.log")
            eventually(lambda: not self.running.running or takes_connections(self.port), "the proxy listens")
            if self.running.running:
                return
        raise Failure(f"tinyproxy does not start: {self.running.output()[-1000:]}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def requests(self) -> list[str]:
        """What it was asked for: "POST http://127.0.0.1:1/rows HTTP/1.1", "CONNECT 127.0.0.1:1 HTTP/1.1"."""
        return [line.split("): ", 1)[1] for line in self.running.output().splitlines() if "Request (file descriptor" in line]

    def stop(self) -> None:
        if self.running.running:
            self.running.stop()
