"""The `leat` binary as tests use it: `leat serve` in a folder of its own with a REST client, and the other verbs."""

import json
import pathlib
import subprocess
import urllib.error
import urllib.request

from processes import Failure, Program, eventually


class Answer:
    """Status and body of one request."""

    def __init__(self, status: int, text: str):
        self.status = status
        self.text = text

    def json(self) -> dict:
        return json.loads(self.text)


class Daemon:
    """`leat serve`. The folder holds leat.toml, pipelines/, data/ and leat.log; the API takes a port of its own choice.

    Not started at construction: a test first puts its pipelines in. `start` after `stop` or `kill` is a restart on the
    same data.
    """

    def __init__(
        self, leat: pathlib.Path, folder: pathlib.Path, config: str = "", gateway: str = "gateway-7", **options
    ):
        self.leat = leat
        self.options = options  # For the process.
        self.folder = folder
        self.pipelines = folder / "pipelines"
        self.pipelines.mkdir(parents=True, exist_ok=True)
        self.url = ""
        self.running: Program | None = None
        self.config = folder / "leat.toml"
        self.arguments: list[object] = ["serve", "--config", self.config]
        self.config.write_text(
            f'data_dir = "{folder}/data"\npipelines_dir = "{self.pipelines}"\nstop_timeout = "10 s"\n{config}\n'
            f'[gateway]\nid = "{gateway}"\n[api]\nlisten = "127.0.0.1:0"\n'
        )

    def add(self, name: str, sql: str) -> None:
        (self.pipelines / f"{name}.sql").write_text(sql)

    def launch(self, **options) -> Program:
        """Starts the process and does not wait; `options` are for this one."""
        self.running = Program("leat serve", [self.leat, *self.arguments], self.folder / "leat.log", **{**self.options, **options})
        return self.running

    def start(self) -> "Daemon":
        self.launch()
        return self.wait_ready()

    def wait_ready(self) -> "Daemon":
        line = self.running.wait_for_line(" ready ")
        self.url = line.split("api=")[1].split()[0].strip('"')
        return self

    def stop(self) -> None:
        """SIGTERM; anything but exit code 0 is a failure."""
        if self.running is None:
            return
        running, self.running = self.running, None
        code = running.stop()
        if code != 0:
            raise Failure(f"leat serve ended with code {code}:\n{running.output()[-2000:]}")

    def kill(self) -> None:
        if self.running:
            self.running.kill()
        self.running = None

    def log(self) -> str:
        return (self.folder / "leat.log").read_text()

    def ask(self, path: str) -> Answer:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.read().decode())

    def post(self, path: str, body: str = "{}", headers: dict[str, str] | None = None) -> Answer:
        sent = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, body.encode(), sent, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.read().decode())

    def verb(self, *arguments: object) -> subprocess.CompletedProcess:
        """A verb that asks this daemon."""
        return run(self.leat, *arguments, "--api", self.url)

    def pipeline(self, name: str) -> dict:
        return self.ask(f"/api/v1/pipelines/{name}").json()

    def source(self, name: str, index: int = 0) -> dict:
        """The status of a pipeline's source; an empty one while there is none."""
        sources = self.pipeline(name).get("sources", [])
        return sources[index] if sources else {"link": "none", "messages": {}}

    def outbox(self) -> list[dict]:
        answer = self.ask("/api/v1/outbox").json()
        if "sinks" not in answer:
            raise Failure(f"/api/v1/outbox answers {answer}")
        return answer["sinks"]

    def wait_connected(self, *names: str) -> None:
        for name in names:
            eventually(lambda name=name: self.source(name)["link"] == "connected", f"the source of {name} connects")

    def wait_received(self, name: str, count: int, seconds: float = 30) -> None:
        def received() -> bool:
            return self.source(name)["messages"].get("received", 0) >= count

        eventually(received, f"{name} receives {count} messages", seconds)

    def wait_delivered(self, seconds: float = 30) -> None:
        """Until nothing waits in any outbox and no commit is due that would put something into it."""

        def empty() -> bool:
            return all(sink["records"]["waiting"] == 0 for sink in self.outbox())

        eventually(empty, "the outbox is empty", seconds)


def run(leat: pathlib.Path, *arguments: object, seconds: float = 60, **options) -> subprocess.CompletedProcess:
    """Any verb, to its end."""
    command = [str(leat), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, **options)
