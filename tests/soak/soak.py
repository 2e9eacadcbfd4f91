#!/usr/bin/python3
"""The daemon under a steady load for a while: its memory and its files stay flat, and nothing is lost.

    soak.py --leat build/release/leat [--minutes 2] [--rate 20000]

Readings come in over MQTT at QoS 1, windows go out over HTTP. The time is cut into parts: in the middle of each the
upstream is restarted under load, behind each the broker, while nobody publishes, so that every message is known to be
with a broker that keeps it. Memory and file sizes are sampled from the second part on, and the accounting is looked
at with each sample. In the end the windows that were delivered count every message.

With neither --minutes nor LEAT_TEST_LONG=1 nothing runs, and the exit status 77 says so.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import folders  # noqa: E402
from leat import Daemon  # noqa: E402
from mosquitto import Mosquitto  # noqa: E402
from mqtt_publisher import Publisher  # noqa: E402
from pipeline_text import mqtt_readings, often, with_options  # noqa: E402
from processes import Failure, eventually  # noqa: E402
from receiver import Receiver  # noqa: E402

SKIPPED = 77
DEVICES = 100
MOST_PART_SECONDS = 60
FEWEST_PARTS = 4
# What may come on top of the first quarter of the samples: the store's pages and the allocator's slack.
RSS_SLACK_KIB = 8 * 1024
FILE_SLACK = 16 << 20

COLUMNS = """
  device STRING, ts TIMESTAMP(3), temperature DOUBLE, humidity INT, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
"""
QUERY = """
SELECT device, window_start, COUNT(*) AS n, AVG(temperature) AS mean, MAX(humidity) AS top
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND))
GROUP BY device, window_start, window_end
"""
CLOSING = {"device": "closing", "ts": "2026-01-02 00:00:00", "temperature": 0.0, "humidity": 0}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", required=True, type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=2 if os.environ.get("LEAT_TEST_LONG") == "1" else 0)
    parser.add_argument("--rate", type=int, default=20_000, help="messages per second")
    return parser.parse_args()


def pipeline(broker_url: str, receiver_url: str) -> str:
    keys = {
        "connector": "http",
        "url": f"{receiver_url}/windows",
        "format": "json",
        "body": "json-lines",
        "sink.retry.initial-backoff": "50 ms",
        "sink.retry.max-backoff": "200 ms",
    }
    columns = "device STRING, window_start TIMESTAMP(3), n BIGINT, mean DOUBLE, top INT"
    return (
        often("1 s")
        + mqtt_readings(broker_url, columns=COLUMNS, topic="bench/#")
        + f"CREATE TABLE windows ({columns}) {with_options(keys)};\nINSERT INTO windows {QUERY};\n"
    )


class Load:
    """Publishes a part's messages with the programs of tests/bench: Python would be what is measured."""

    def __init__(self, programs: pathlib.Path, port: int, rate: int, first: int, count: int):
        self.count = count
        lines = [programs / "leat_bench_lines", str(count), str(DEVICES), str(first)]
        publish = [programs / "leat_bench_publish", f"127.0.0.1:{port}", "1", str(rate), "/dev/stdin"]
        self.lines = subprocess.Popen(lines, stdout=subprocess.PIPE)
        self.publisher = subprocess.Popen(publish, stdin=self.lines.stdout, stdout=subprocess.PIPE, text=True)
        self.lines.stdout.close()

    @property
    def running(self) -> bool:
        return self.publisher.poll() is None

    def finish(self) -> float:
        """The seconds that it took until the broker had acknowledged everything."""
        output = self.publisher.communicate(timeout=600)[0].split()
        self.lines.wait(60)
        if self.publisher.returncode != 0 or int(output[0]) != self.count:
            raise Failure(f"the publisher ended with {self.publisher.returncode} after {output} of {self.count} messages")
        return float(output[1])

    def stop(self) -> None:
        for process in (self.publisher, self.lines):
            if process.poll() is None:
                process.kill()
                process.wait()


class Samples:
    """Memory and files of the daemon over time; the first part is for warming up."""

    def __init__(self, daemon: Daemon):
        self.daemon = daemon
        self.taken: list[tuple[int, int]] = []

    def take(self) -> None:
        status = self.daemon.pipeline("windows")
        if status["accounting_violations"]:
            raise Failure(f"the accounting is off: {status['accounting_violations']}")
        self.taken.append((self.rss_kib(), self.file_bytes()))

    def rss_kib(self) -> int:
        text = pathlib.Path(f"/proc/{self.daemon.running.process.pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])

    def file_bytes(self) -> int:
        return sum(folders.of_files(self.daemon.folder / "data", lambda path: path.stat().st_size))

    def check_flat(self) -> str:
        """The last quarter is no larger than the first, beyond some slack."""
        quarter = max(1, len(self.taken) // 4)
        first = [max(sample[i] for sample in self.taken[:quarter]) for i in (0, 1)]
        last = [max(sample[i] for sample in self.taken[-quarter:]) for i in (0, 1)]
        if last[0] > first[0] + RSS_SLACK_KIB:
            raise Failure(f"memory grows: {first[0]} KiB at first, {last[0]} KiB at last")
        if last[1] > first[1] + FILE_SLACK:
            raise Failure(f"the files grow: {first[1]} bytes at first, {last[1]} bytes at last")
        return f"RSS {first[0] / 1024:.1f} → {last[0] / 1024:.1f} MiB, files {first[1] >> 20} → {last[1] >> 20} MiB"


class Soak:
    def __init__(self, options: argparse.Namespace, broker: Mosquitto, receiver: Receiver, daemon: Daemon):
        self.options = options
        self.broker = broker
        self.receiver = receiver
        self.daemon = daemon
        self.samples = Samples(daemon)
        self.published = 0
        self.publishing_seconds = 0.0

    def run(self) -> str:
        self.daemon.add("windows", pipeline(self.broker.url, self.receiver.url))
        self.daemon.start().wait_connected("windows")
        seconds = self.options.minutes * 60
        parts = max(FEWEST_PARTS, round(seconds / MOST_PART_SECONDS))
        for part in range(parts):
            self.run_part(part, seconds / parts)
            print(f"part {part + 1} of {parts}: {self.published} messages", flush=True)
        self.close_windows()
        return self.check()

    def run_part(self, part: int, seconds: float) -> None:
        count = int(seconds * self.options.rate)
        load = Load(
            self.options.leat.parent / "tests", self.broker.port, self.options.rate, self.published, count
        )
        try:
            middle, restarted = time.monotonic() + seconds / 2, False
            while load.running:
                time.sleep(1)
                if part > 0:
                    self.samples.take()
                if not restarted and time.monotonic() > middle:
                    restart(self.receiver)
                    restarted = True
            self.publishing_seconds += load.finish()
        finally:
            load.stop()
        self.published += count
        restart(self.broker)

    def close_windows(self) -> None:
        publisher = Publisher(self.broker.port)
        publisher.send("bench/00", json.dumps(CLOSING))
        publisher.flush()
        publisher.close()
        self.published += 1

    def check(self) -> str:
        def taken() -> int:
            messages = self.daemon.source("windows")["messages"]
            return messages["received"] - messages["redelivered"] if messages.get("queued") == 0 else 0

        eventually(lambda: taken() >= self.published, f"{self.published} messages are taken", 120)
        self.daemon.wait_delivered(60)
        self.samples.take()
        counts = self.daemon.source("windows")["messages"]
        if taken() != self.published or counts["dropped"] or counts["dead"]:
            raise Failure(f"{self.published} messages were published, the daemon counts {counts}")
        eventually(lambda: self.counted() >= self.published - 1, "the windows arrive", 60)
        if self.counted() != self.published - 1:
            raise Failure(f"the windows count {self.counted()} of {self.published - 1} messages")
        rate = self.published / self.publishing_seconds
        return f"{self.published} messages at {rate:.0f}/s, none lost or double, " + self.samples.check_flat()

    def counted(self) -> int:
        """Messages in the windows that have been delivered; the closing one is in none."""
        return sum(row["n"] for row in self.receiver.rows("/windows"))


def restart(server: Mosquitto | Receiver) -> None:
    server.stop()
    time.sleep(1)
    server.start()


def main() -> int:
    options = arguments()
    if options.minutes == 0:
        print("skipped: it takes minutes; LEAT_TEST_LONG=1 or --minutes N runs it")
        return SKIPPED
    options.leat = options.leat.resolve()
    with tempfile.TemporaryDirectory(prefix="leat-soak-") as name:
        folder = pathlib.Path(name)
        broker, receiver = Mosquitto(folder / "broker", persistence=True), Receiver(folder / "receiver")
        daemon = Daemon(options.leat, folder / "leat")
        try:
            print("ok: " + Soak(options, broker, receiver, daemon).run())
            daemon.stop()
        except Failure as failure:
            print(f"FAILED: {failure}\n--- leat.log\n{daemon.log()[-4000:]}", file=sys.stderr)
            return 1
        finally:
            daemon.kill()
            receiver.stop()
            broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
