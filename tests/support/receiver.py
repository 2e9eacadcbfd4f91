"""The HTTP receiver (http_receiver.py) as a process, and what it has taken."""

import json
import pathlib
import sys
import urllib.request

from processes import Program

SCRIPT = pathlib.Path(__file__).with_name("http_receiver.py")


class Receiver:
    """Starts at construction on a free port. After `stop`, `start` takes the same port and remembers the keys.

    `arguments` are more ones for the program, such as `--max-body`, for every start.
    """

    def __init__(self, folder: pathlib.Path, script: str = "", arguments: tuple[str, ...] = (), **options):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.journal = folder / "received.jsonl"
        self.port = 0
        self.arguments = arguments
        self.scheme = "https" if "--tls-certificate" in arguments else "http"
        self.options = options  # For the process.
        self.running: Program | None = None
        self.start(script)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def start(self, script: str = "") -> None:
        command = [sys.executable, SCRIPT, "--port", self.port, "--log", self.journal, "--script", script]
        command += self.arguments
        self.running = Program("http_receiver", command, self.folder / "receiver.log", **self.options)
        self.port = int(self.running.wait_for_line("port ").split()[1])

    def stop(self) -> None:
        if self.running:
            self.running.stop()
        self.running = None

    def taken(self, path: str = "") -> list[dict]:
        """The requests that were accepted for the first time, in order: time, path, key, sha256, body, …"""
        if not self.journal.exists():
            return []
        entries = [json.loads(line) for line in self.journal.read_text().splitlines(keepends=True) if line[-1] == "\n"]
        return [entry for entry in entries if not path or entry["path"] == path]

    def rows(self, path: str = "") -> list[dict]:
        """The records of those requests: JSON lines or JSON arrays."""
        return [row for entry in self.taken(path) for row in rows_of(entry["body"])]

    def requests(self) -> list[dict]:
        """Every request since the start, refused ones and replays too."""
        with urllib.request.urlopen(f"{self.url}/-/requests", timeout=10) as answer:
            return json.load(answer)

    def summary(self) -> dict:
        with urllib.request.urlopen(f"{self.url}/-/summary", timeout=10) as answer:
            return json.load(answer)

    def script(self, steps: str) -> None:
        request = urllib.request.Request(f"{self.url}/-/script", data=steps.encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()


def rows_of(body: str) -> list[dict]:
    if body.startswith("["):
        return json.loads(body)
    return [json.loads(line) for line in body.splitlines() if line]
