"""What runs while the daemon is killed, and what must have come out of it in the end.

Messages come in over MQTT at QoS 1, from a broker that keeps the session. What goes out is a list of `Output`s: the
query that makes it, the rows that `leat run` computes by the same query from a file with the same messages in the same
order, and the rows that the far side holds.
"""

import collections
import dataclasses
import json
import pathlib
import threading
import time
from collections.abc import Callable

import folders
from leat import Daemon, run
from mqtt_publisher import Publisher
from pipeline_text import file_readings, mqtt_readings, often, with_options
from processes import Failure, eventually
from readings import WINDOW_COLUMNS, WINDOW_QUERY, closing, lines, readings
from receiver import Receiver, rows_of

STEP_MILLIS = 5  # Of event time: windows of a second hold 200 readings.

OVER_COLUMNS = "device STRING, ts TIMESTAMP(3), seq BIGINT, n BIGINT, total BIGINT"
OVER_QUERY = """
SELECT device, ts, seq, n, total FROM (
  SELECT device, ts, seq, COUNT(*) OVER last10 AS n, SUM(seq) OVER last10 AS total FROM readings
  WINDOW last10 AS (PARTITION BY device ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW))
WHERE MOD(seq, 5) = 0
"""

MATCH_COLUMNS = "device STRING, first_seq BIGINT, last_seq BIGINT, n BIGINT"
MATCH_QUERY = """
SELECT * FROM readings MATCH_RECOGNIZE (
  PARTITION BY device ORDER BY ts
  MEASURES FIRST(HOT.seq) AS first_seq, COOL.seq AS last_seq, COUNT(HOT.seq) AS n
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (HOT{2,} COOL)
  DEFINE HOT AS HOT.v > 22.5, COOL AS COOL.v <= 22.5)
"""

TOTALS_COLUMNS = "device STRING, n BIGINT, total BIGINT, PRIMARY KEY (device) NOT ENFORCED"
TOTALS_QUERY = """
SELECT device, COUNT(*) AS n, SUM(seq) AS total FROM readings WHERE MOD(seq, 5) = 0 OR device LIKE 'closing%' GROUP BY device
"""


@dataclasses.dataclass
class Tally:
    """The difference between what came and what should have."""

    rows: int = 0
    lost: int = 0
    double: int = 0
    wrong: int = 0
    in_order: bool = True
    example: str = ""

    @property
    def good(self) -> bool:
        return not (self.lost or self.double or self.wrong) and self.in_order

    def add(self, other: "Tally") -> None:
        self.rows += other.rows
        self.lost += other.lost
        self.double += other.double
        self.wrong += other.wrong
        self.in_order &= other.in_order
        self.example = self.example or other.example


@dataclasses.dataclass
class Output:
    """A query and where its rows go."""

    name: str
    query: str
    collect: Callable[[], list[dict]]
    updates: bool = False  # Each update is a row of what comes out, not the last one of each key alone.


def tally(name: str, got: list[dict], want: list[dict]) -> Tally:
    """The same rows, each once, in the same order."""
    got_texts, want_texts = [json.dumps(row) for row in got], [json.dumps(row) for row in want]
    got_counts, want_counts = collections.Counter(got_texts), collections.Counter(want_texts)
    lost, more = want_counts - got_counts, got_counts - want_counts
    double = {text: count for text, count in more.items() if text in want_counts}
    wrong = {text: count for text, count in more.items() if text not in want_counts}
    result = Tally(len(want), sum(lost.values()), sum(double.values()), sum(wrong.values()), got_texts == want_texts)
    if not result.good:
        first = {"lost": list(lost)[:2], "double": list(double)[:2], "wrong": list(wrong)[:2]}
        result.example = f"{name}: {len(got)} rows for {len(want)}, {first}"
    return result


def uninterrupted(
    leat: pathlib.Path, folder: pathlib.Path, texts: list[str], query: str, updates: bool = False
) -> list[dict]:
    """The rows as `leat run` gives them; those of the closing readings are not in it."""
    path = folder / "same-messages.jsonl"
    if not path.exists():
        path.write_text("\n".join(texts) + "\n")
    if not updates:
        done = run(leat, "run", "--output", "jsonl", "-e", file_readings(path) + query + ";", seconds=600)
        text = done.stdout
    else:
        done = run(leat, "run", "--output", "changelog", "-e", file_readings(path) + query + ";", seconds=600)
        text = "".join(json_of(line) for line in done.stdout.splitlines() if not line.startswith("-U"))
    if done.returncode != 0:
        raise Failure(f"leat run ended with {done.returncode}: {done.stderr}")
    return without_closing([json.loads(line) for line in text.splitlines()])


def json_of(change: str) -> str:
    """Of a line of TOTALS_QUERY's changelog: +U[device-1, 3, 45]."""
    device, n, total = change[3:-1].split(", ")
    return json.dumps({"device": device, "n": int(n), "total": int(total)}) + "\n"


def without_closing(rows: list[dict]) -> list[dict]:
    return [row for row in rows if not row["device"].startswith("closing")]


class Messages:
    """The readings of a run and the one behind them that closes their windows."""

    def __init__(self, count: int, seed: int):
        rows = readings(count, step=STEP_MILLIS, seed=seed)
        # Of many sizes, as messages are: of one only, a lap of the journal would always end in the same way.
        texts = lines(rows) + lines(closing(rows, step=STEP_MILLIS))
        self.texts = [text + " " * (number * 7 % 41) for number, text in enumerate(texts)]

    def __len__(self) -> int:
        return len(self.texts)


class Sender:
    """Publishes messages at an even rate, on a thread of its own."""

    def __init__(self, port: int, topic: str, texts: list[str], per_second: float):
        self.publisher = Publisher(port)
        messages = [(topic, text) for text in texts]
        self.thread = threading.Thread(target=self.publisher.send_paced, args=(messages, per_second))
        self.thread.start()

    @property
    def sending(self) -> bool:
        return self.thread.is_alive()

    def finish(self) -> None:
        self.thread.join()
        self.publisher.flush()
        self.publisher.close()


def source(url: str, topic: str, **extra: object) -> str:
    # The least journal, and often synced: its head goes round and round.
    keys = {"journal.size": "64 kb", "max-packet-size": "4 kb", "journal.sync-interval": "20 ms", **extra}
    return often("50 ms") + mqtt_readings(url, topic=topic, extra=keys)


def http_table(name: str, columns: str, url: str, **extra: object) -> str:
    keys = {
        "connector": "http",
        "url": url,
        "format": "json",
        "body": "json-lines",
        "sink.retry.initial-backoff": "20 ms",
        "sink.retry.max-backoff": "100 ms",
        **extra,
    }
    return f"CREATE TABLE {name} ({columns}) {with_options(keys)};\n"


def kafka_table(name: str, columns: str, address: str, topic: str, **extra: object) -> str:
    keys = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": address,
        "sink.retry.initial-backoff": "20 ms",
        "sink.retry.max-backoff": "100 ms",
        **(extra or {"format": "json"}),
    }
    return f"CREATE TABLE {name} ({columns}) {with_options(keys)};\n"


def file_table(name: str, columns: str, folder: pathlib.Path) -> str:
    keys = {
        "connector": "filesystem",
        "path": folder,
        "format": "json",
        "sink.rolling-policy.file-size": "16 kb",
        "sink.rolling-policy.inactivity-interval": "100 ms",
        "sink.rolling-policy.check-interval": "50 ms",
    }
    return f"CREATE TABLE {name} ({columns}) {with_options(keys)};\n"


def stream_table(name: str, columns: str, **extra: object) -> str:
    return f"CREATE TABLE {name} ({columns}) {with_options({'connector': 'stream', **extra})};\n"


def insert(table: str, query: str) -> str:
    return f"INSERT INTO {table} {query};\n"


def windows_output(receiver: Receiver, path: str) -> Output:
    return Output(path, WINDOW_QUERY, lambda: without_closing(receiver.rows(path)))


def over_output(folder: pathlib.Path) -> Output:
    return Output("files", OVER_QUERY, lambda: without_closing(rows_in_files(folder)))


def rows_in_files(folder: pathlib.Path) -> list[dict]:
    """Of published files and the hidden one, in the order of their numbers."""
    return [row for text in folders.texts(folder) for row in rows_of(text)]


def wait_for(outputs: list[Output], wanted: dict[str, list[dict]], seconds: float) -> None:
    """Until every output has as many rows as it must get, or none has come for so long; what is missing then is counted
    by the comparison."""
    for output in outputs:
        have, deadline = 0, time.monotonic() + seconds
        while have < len(wanted[output.name]) and time.monotonic() < deadline:
            time.sleep(0.1)
            before, have = have, len(output.collect())
            if have > before:
                deadline = time.monotonic() + seconds


def compare(outputs: list[Output], wanted: dict[str, list[dict]]) -> Tally:
    total = Tally()
    for output in outputs:
        total.add(tally(output.name, output.collect(), wanted[output.name]))
    return total


def wait_taken(daemon: Daemon, pipeline: str, published: int, seconds: float = 60) -> None:
    """Until the pipeline has decoded all that was published; `Failure` when nothing has come in for so long."""

    def taken() -> tuple[int, int]:
        messages = daemon.source(pipeline)["messages"]
        return (messages["received"] - messages["redelivered"], messages["queued"]) if messages else (0, 0)

    last = taken()
    while last != (published, 0):
        before = last
        last = eventually(
            lambda: (now := taken()) != before and now,  # noqa: B023
            f"{pipeline} takes {published} messages and stands at {before}",
            seconds,
        )
        if last[0] > published:
            return


def check_accounting(daemon: Daemon, pipeline: str, published: int) -> dict:
    """The equations hold, and every message that was published is counted. The source's counts."""
    wait_taken(daemon, pipeline, published)
    status = daemon.pipeline(pipeline)
    counts = status["sources"][0]["messages"]
    if status["accounting_violations"] or counts["dropped"] or counts["dead"]:
        raise Failure(f"the accounting of {pipeline} is off: {status['accounting_violations']} {counts}")
    if counts["received"] - counts["redelivered"] != published:
        raise Failure(f"{published} messages were published, {pipeline} counts {counts}")
    return counts


def print_table(title: str, rows: list[tuple[str, int, Tally, list[float]]]) -> None:
    """Fault, times, lost, double, recovery time."""
    width = max(len(name) for name, *_ in rows)
    print(f"\n{title:<{width}}  times    rows  lost  double  recovery p50      max", flush=True)
    for name, times, result, recovery in rows:
        ordered = sorted(recovery) or [0.0]
        median = ordered[len(ordered) // 2]
        print(
            f"{name:<{width}}  {times:5}  {result.rows:6}  {result.lost:4}  {result.double + result.wrong:6}"
            f"  {median:10.2f} s  {ordered[-1]:5.2f} s"
        )
