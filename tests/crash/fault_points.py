#!/usr/bin/python3
"""Dies once at every fault point of the list, and compares what came out with the uninterrupted run.

    fault_points.py --leat build/faults/leat [--points REGEX] [--times 1] [--seed N] [--jobs 2]

For each point of pipelines/base/fault_point.h: the daemon is started with the point armed, gets messages until it dies
there, is started again without a fault, gets the rest, and must deliver exactly what `leat run` computes. A point that
is never reached is a failure: then the load below has to change, or the point is in vain.

Five pipelines see to it that all points are passed:
  main     a small journal; windows over HTTP, OVER into rolling files
  power    'journal' = 'power'; windows over HTTP
  trouble  windows over HTTP, of which the far side refuses some, so that shipments are sent in parts; and readings
           to a far side that is away, whose outbox drops the oldest
  clean    all readings into a stream
  chained  windows over what is in the stream, over HTTP
Points of a change (`deploy.…`, `rename.…`) have a pipeline of their own, `changing`, which is deployed, replaced and renamed
while messages come; it must run under one name, the old or the new one, and lose nothing.
Another one, `kafka`, sends windows into a topic by transactions; without a real broker it and its points are left out.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from kafka import Kafka  # noqa: E402
from leat import Daemon  # noqa: E402
from mosquitto import Mosquitto  # noqa: E402
from pipeline_text import often  # noqa: E402
from processes import Failure, Program, eventually  # noqa: E402
from readings import COLUMNS, WINDOW_COLUMNS, WINDOW_QUERY  # noqa: E402
from receiver import Receiver  # noqa: E402
from workload import (  # noqa: E402
    OVER_COLUMNS,
    OVER_QUERY,
    Messages,
    Output,
    Sender,
    Tally,
    check_accounting,
    compare,
    file_table,
    http_table,
    insert,
    kafka_table,
    over_output,
    print_table,
    source,
    stream_table,
    uninterrupted,
    wait_for,
    windows_output,
    without_closing,
)

LIST = pathlib.Path(__file__).resolve().parents[2] / "pipelines" / "base" / "fault_point.h"
PIPELINES = ("main", "power", "trouble", "clean", "chained")
MESSAGES = 1500
PER_SECOND = 1500
# Passed with every message, or once or twice in a run; the others at least three times.
CHANGES = re.compile(r"(deploy|rename)\..*")
OFTEN = re.compile(r"journal\.(before-write|written|stored|before-acknowledgement|power-synced)")
SELDOM = re.compile(r"trim\..*|sink-state\..*|journal\.lap-left|file\.(before-rename|renamed)")
DEATH_SECONDS = 10

POISON = "poison"
MARKED_COLUMNS = WINDOW_COLUMNS + ", mark STRING"
MARKED_QUERY = f"SELECT *, CASE WHEN device = 'device-3' THEN '{POISON}' ELSE 'fine' END AS mark FROM ({WINDOW_QUERY})"
# Of these the outbox of a far side that is away overflows.
AWAY_COLUMNS = "device STRING, seq BIGINT, padding STRING"
AWAY_QUERY = "SELECT device, seq, RPAD('', 100, 'x') FROM readings"
CLEAN_COLUMNS = "device STRING, ts TIMESTAMP(3), seq BIGINT, v DOUBLE"
CLEAN_QUERY = "SELECT device, ts, seq, v FROM readings"
FINE_QUERY = f"SELECT * FROM ({MARKED_QUERY}) WHERE mark = 'fine'"


def arguments() -> argparse.Namespace:
    long = os.environ.get("LEAT_TEST_LONG") == "1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", required=True, type=pathlib.Path)
    parser.add_argument("--points", default="", help="only those that match")
    parser.add_argument("--times", type=int, default=5 if long else 1, help="deaths per point")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def points(pattern: str) -> list[str]:
    names = re.findall(r'^    \{"([a-z.-]+)",', LIST.read_text(), re.MULTILINE)
    return [name for name in names if re.search(pattern, name)]


class Site:
    """The servers, shared by all runs, and what every run must deliver."""

    def __init__(self, leat: pathlib.Path, folder: pathlib.Path, seed: int):
        self.leat = leat
        self.folder = folder
        self.broker = Mosquitto(folder / "broker")
        self.receiver = Receiver(folder / "receiver", arguments=("--refuse", POISON))
        self.kafka = Kafka(folder)
        self.names = (*PIPELINES, "kafka") if self.kafka.real else PIPELINES
        self.messages = Messages(MESSAGES, seed)
        self.rows = {
            query: uninterrupted(leat, folder, self.messages.texts, query)
            for query in (WINDOW_QUERY, OVER_QUERY, FINE_QUERY, MARKED_QUERY)
        }

    def stop(self) -> None:
        self.receiver.stop()
        self.broker.stop()
        self.kafka.close()


class Trial:
    """One death at one point, in a folder and with topics of its own."""

    def __init__(self, site: Site, point: str, time_of_death: int, number: int):
        self.site = site
        self.fault = f"{point}:{time_of_death}"
        self.name = f"trial-{number}"
        self.topic = f"{self.name}/readings"
        self.folder = site.folder / self.name
        self.daemon = Daemon(site.leat, self.folder)
        self.recovery = 0.0
        for name, sql in self.pipelines().items():
            if sql and name in site.names:
                self.daemon.add(name, sql)

    def path(self, name: str) -> str:
        return f"/{self.name}/{name}"

    def pipelines(self) -> dict[str, str]:
        broker, receiver = self.site.broker.url, self.site.receiver.url
        small_batches = {"sink.batch.max-rows": 20}
        away = {"sink.buffer.max-bytes": "64 kb", "sink.buffer.on-full": "drop-oldest"}
        return {
            "main": source(broker, self.topic)
            + http_table("windows", WINDOW_COLUMNS, receiver + self.path("main"))
            + file_table("files", OVER_COLUMNS, self.folder / "files")
            + insert("windows", WINDOW_QUERY)
            + insert("files", OVER_QUERY),
            "power": source(broker, self.topic, journal="power")
            + http_table("windows", WINDOW_COLUMNS, receiver + self.path("power"))
            + insert("windows", WINDOW_QUERY),
            "trouble": source(broker, self.topic)
            + http_table("refused", MARKED_COLUMNS, receiver + self.path("refused"), **small_batches)
            + http_table("away", AWAY_COLUMNS, "http://127.0.0.1:9/", **away)
            + insert("refused", MARKED_QUERY)
            + insert("away", AWAY_QUERY),
            "clean": source(broker, self.topic) + stream_table("clean", CLEAN_COLUMNS) + insert("clean", CLEAN_QUERY),
            "chained": often("50 ms")
            + stream_table("readings", COLUMNS, stream="clean")
            + http_table("windows", WINDOW_COLUMNS, receiver + self.path("chained"))
            + insert("windows", WINDOW_QUERY),
            "kafka": source(broker, self.topic)
            + kafka_table("windows", WINDOW_COLUMNS, self.site.kafka.address, self.name, format="json", **small_batches)
            + insert("windows", WINDOW_QUERY),
        }

    def outputs(self) -> list[Output]:
        receiver, kafka = self.site.receiver, self.site.kafka
        outputs = [
            windows_output(receiver, self.path("main")),
            over_output(self.folder / "files"),
            windows_output(receiver, self.path("power")),
            windows_output(receiver, self.path("chained")),
            Output("refused", FINE_QUERY, lambda: without_closing(receiver.rows(self.path("refused")))),
        ]
        if kafka.real:
            topic = Output("topic", WINDOW_QUERY, lambda: without_closing([m["value"] for m in kafka.messages(self.name)]))
            outputs.append(topic)
        return outputs

    def run(self) -> Tally:
        begin = time.monotonic()
        try:
            sender = self.send_until_death()
            self.check_death()
            sender = self.restart(sender)
            sender.finish()
            result = self.settle()
            print(f"{self.fault}: {time.monotonic() - begin:.1f} s", flush=True)
            return result
        except (Failure, OSError, http.client.HTTPException) as failure:
            print(f"{self.fault}: FAILED, {time.monotonic() - begin:.1f} s", flush=True)
            raise Failure(f"{self.fault}: {failure}\n--- leat.log\n{self.daemon.log()[-3000:]}") from None
        finally:
            self.daemon.kill()

    def send_until_death(self) -> Sender | None:
        """The sender, unless the daemon died before it had a session at the broker."""
        dying = self.daemon.launch(env={**os.environ, "LEAT_FAULT": self.fault})
        if not self.connects(dying):
            return None
        sender = Sender(self.site.broker.port, self.topic, self.site.messages.texts, PER_SECOND)
        sender.thread.join(0)
        deadline = time.monotonic() + MESSAGES / PER_SECOND + DEATH_SECONDS
        while dying.running and time.monotonic() < deadline:
            time.sleep(0.02)
        return sender

    def connects(self, dying: Program) -> bool:
        """False if it dies before all its sources are connected."""
        try:
            self.daemon.wait_ready()
            self.daemon.wait_connected(*self.site.names)
            return True
        except (Failure, OSError, http.client.HTTPException):  # The last: in the middle of an answer.
            try:
                dying.process.wait(2)
            except subprocess.TimeoutExpired:
                raise Failure("it neither dies nor connects") from None
            return False

    def check_death(self) -> None:
        process = self.daemon.running.process
        if process.poll() is None:
            raise Failure("the point was not reached")
        if process.returncode != -signal.SIGKILL or f"leat: fault {self.fault}\n" not in self.daemon.running.output():
            raise Failure(f"it ended with {process.returncode}, not at the point")

    def restart(self, sender: Sender | None) -> Sender:
        begin = time.monotonic()
        self.daemon.start()
        self.recovery = time.monotonic() - begin
        if sender is not None:
            return sender
        self.daemon.wait_connected(*self.site.names)
        return Sender(self.site.broker.port, self.topic, self.site.messages.texts, PER_SECOND)

    def settle(self) -> Tally:
        for name in self.site.names:
            check_accounting(self.daemon, name, len(self.site.messages))
        outputs = self.outputs()
        wanted = {output.name: self.site.rows[output.query] for output in outputs}
        wait_for(outputs, wanted, 20)
        self.check_outboxes()
        return compare(outputs, wanted)

    def check_outboxes(self) -> None:
        """All is delivered, rejected or dropped, and nothing twice."""
        marked = self.site.rows[MARKED_QUERY]
        poisoned = sum(1 for row in marked if row["mark"] == POISON)

        def records(sink: str) -> dict:
            return next(each["records"] for each in self.daemon.outbox() if each["sink"] == sink)

        def settled() -> bool:
            return all(each["records"]["waiting"] == 0 for each in self.daemon.outbox() if each["sink"] != "away")

        eventually(settled, "the outboxes are empty")
        refused, away = records("refused"), records("away")
        if refused["rejected"] != poisoned or refused["emitted"] != len(marked):
            raise Failure(f"{poisoned} of {len(marked)} records are refused, the outbox counts {refused}")
        readings = len(self.site.messages)
        if away["emitted"] != readings or away["emitted"] != away["dropped"] + away["waiting"]:
            raise Failure(f"{readings} records are dropped or wait, the outbox counts {away}")


class Change(Trial):
    """A death in the midst of a deployment or a renaming: one pipeline over HTTP, deployed through the API."""

    def __init__(self, site: Site, point: str, time_of_death: int, number: int):
        super().__init__(site, point, time_of_death, number)
        self.renames = point.startswith("rename.")

    def pipelines(self) -> dict[str, str]:
        return {}

    def text(self, version: int) -> str:
        broker, receiver = self.site.broker.url, self.site.receiver.url
        other = f"CREATE TABLE version_{version} (device STRING) WITH ('connector' = 'blackhole');\n"
        return (
            source(broker, self.topic)
            + http_table("windows", WINDOW_COLUMNS, receiver + self.path("changing"))
            + other
            + insert("windows", WINDOW_QUERY)
            + insert(f"version_{version}", "SELECT device FROM readings")
        )

    def names_there(self) -> list[str]:
        return [each["name"] for each in self.daemon.ask("/api/v1/pipelines").json()["pipelines"]]

    def send(self, method: str, path: str, body: dict) -> None:
        """A change; the daemon may die of it."""
        asked = urllib.request.Request(
            self.daemon.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
        )
        try:
            urllib.request.urlopen(asked, timeout=30).read()
        except urllib.error.HTTPError as refused:
            raise Failure(f"{method} {path}: {refused.code} {refused.read().decode()}") from None
        except (OSError, http.client.HTTPException):
            self.daemon.running.process.wait(10)

    def deploy(self, version: int) -> None:
        self.send("PUT", "/api/v1/pipelines/changing", {"sql": self.text(version)})

    def rename(self) -> None:
        self.send("POST", "/api/v1/pipelines/changing/rename", {"to": "changed"})

    @property
    def dead(self) -> bool:
        return not self.daemon.running.running

    def send_until_death(self) -> Sender | None:
        self.daemon.launch(env={**os.environ, "LEAT_FAULT": self.fault})
        self.daemon.wait_ready()
        self.deploy(1)
        if self.dead:
            return None
        self.daemon.wait_connected("changing")
        sender = Sender(self.site.broker.port, self.topic, self.site.messages.texts, PER_SECOND)
        time.sleep(MESSAGES / PER_SECOND / 3)
        self.rename() if self.renames else self.deploy(2)
        return sender

    def restart(self, sender: Sender | None) -> Sender:
        begin = time.monotonic()
        self.daemon.start()
        self.recovery = time.monotonic() - begin
        there = self.names_there()
        if len(there) > 1 or (sender is not None and len(there) != 1):
            raise Failure(f"after a death in a change there are {there}")
        if sender is None:
            self.deploy(1)
            self.daemon.wait_connected("changing")
            sender = Sender(self.site.broker.port, self.topic, self.site.messages.texts, PER_SECOND)
        if not self.renames:
            self.deploy(2)
        elif there == ["changing"]:
            self.rename()
        return sender

    def settle(self) -> Tally:
        name = "changed" if self.renames else "changing"
        if self.names_there() != [name]:
            raise Failure(f"there should be {name}, there are {self.names_there()}")
        check_accounting(self.daemon, name, len(self.site.messages))
        output = windows_output(self.site.receiver, self.path("changing"))
        wanted = {output.name: self.site.rows[output.query]}
        wait_for([output], wanted, 20)
        return compare([output], wanted)


def trial_of(site: Site, point: str, time_of_death: int, number: int) -> Trial:
    return (Change if CHANGES.fullmatch(point) else Trial)(site, point, time_of_death, number)


def time_of_death(point: str, rng: random.Random) -> int:
    if point.startswith("deploy."):
        return rng.randint(1, 2)  # The first deployment, or the second, which replaces a version that runs.
    if point.startswith("rename."):
        return 1
    return rng.randint(1, 1000 if OFTEN.fullmatch(point) else 1 if SELDOM.fullmatch(point) else 3)


def run_all(site: Site, options: argparse.Namespace) -> list[str]:
    """Prints the table; what went wrong."""
    rng = random.Random(options.seed)
    names = [name for name in points(options.points) if site.kafka.real or not name.startswith("kafka.")]
    chosen = [(name, time_of_death(name, rng)) for name in names for _ in range(options.times)]
    trials = [trial_of(site, name, time, number) for number, (name, time) in enumerate(chosen)]
    results: dict[str, tuple[int, Tally, list[float]]] = {}
    problems = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (name, _), trial, done in zip(chosen, trials, [pool.submit(trial.run) for trial in trials]):
            try:
                result = done.result()
            except Failure as failure:
                problems.append(str(failure))
                continue
            times, total, recovery = results.setdefault(name, (0, Tally(), []))
            total.add(result)
            results[name] = (times + 1, total, recovery + [trial.recovery])
            if not result.good:
                problems.append(f"{trial.fault}: {result.example or 'the order is another one'}")
    if results:
        print_table("fault point", [(name, *result) for name, result in results.items()])
    return problems


def main() -> int:
    options = arguments()
    options.leat = options.leat.resolve()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="leat-faults-") as name:
        site = Site(options.leat, pathlib.Path(name), options.seed)
        try:
            problems = run_all(site, options)
            if site.receiver.summary()["changed"]:
                problems.append("requests came under a key that had come with other bytes")
        finally:
            site.stop()
    for problem in problems:
        print(f"FAILED (seed {options.seed}): {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
