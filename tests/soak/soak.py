#!/usr/bin/python3
"""The daemon under a steady load for a while: its memory and its files stay flat, and nothing is lost.

    soak.py --leat build/release/leat [--seconds 300] [--rate 3000]

Readings come in over MQTT at QoS 1, windows go out over HTTP; every fifth of the time the upstream or the broker is
restarted in turn. After a first fifth for warming up, memory and file sizes are sampled. With neither --seconds nor
LEAT_TEST_LONG=1 nothing runs, and the exit status 77 says so.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from leat import Daemon  # noqa: E402
from mosquitto import Mosquitto  # noqa: E402
from mqtt_publisher import Publisher  # noqa: E402
from pipeline_text import windows_over_http  # noqa: E402
from processes import Failure, eventually  # noqa: E402
from readings import closing, lines, readings  # noqa: E402
from receiver import Receiver  # noqa: E402

SKIPPED = 77
STEP_MILLIS = 5  # Of event time.
PARTS = 5
# What may come on top of the first sample: the store's pages and the allocator's slack.
RSS_SLACK_KIB = 4 * 1024
FILE_SLACK = 16 << 20


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=300 if os.environ.get("LEAT_TEST_LONG") == "1" else 0)
    parser.add_argument("--rate", type=int, default=3000, help="messages per second")
    return parser.parse_args()


def rss_kib(daemon: Daemon) -> int:
    text = pathlib.Path(f"/proc/{daemon.running.process.pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])


def file_bytes(daemon: Daemon) -> int:
    return sum(path.stat().st_size for path in (daemon.folder / "data").rglob("*") if path.is_file())


def sample_until(end: float, daemon: Daemon, samples: list[tuple[int, int]]) -> None:
    while time.monotonic() < end:
        samples.append((rss_kib(daemon), file_bytes(daemon)))
        time.sleep(1)


def check_flat(samples: list[tuple[int, int]]) -> str:
    """The last quarter is no larger than the first, beyond some slack."""
    quarter = max(1, len(samples) // 4)
    first = [max(sample[i] for sample in samples[:quarter]) for i in (0, 1)]
    last = [max(sample[i] for sample in samples[-quarter:]) for i in (0, 1)]
    if last[0] > first[0] + RSS_SLACK_KIB:
        raise Failure(f"memory grows: {first[0]} KiB at first, {last[0]} KiB at last")
    if last[1] > first[1] + FILE_SLACK:
        raise Failure(f"the files grow: {first[1]} bytes at first, {last[1]} bytes at last")
    return f"RSS {first[0] / 1024:.1f} → {last[0] / 1024:.1f} MiB, files {first[1] >> 20} → {last[1] >> 20} MiB"


def restart(number: int, broker: Mosquitto, receiver: Receiver) -> None:
    server = receiver if number % 2 == 0 else broker
    server.stop()
    time.sleep(1)
    server.start()


def taken(daemon: Daemon) -> int:
    counts = daemon.source("windows")["messages"]
    return counts["received"] - counts["redelivered"]


def check_counts(daemon: Daemon, published: int) -> None:
    status = daemon.pipeline("windows")
    counts = status["sources"][0]["messages"]
    if status["accounting_violations"] or counts["dropped"] or counts["dead"]:
        raise Failure(f"the accounting is off: {status['accounting_violations']} {counts}")
    if taken(daemon) != published:
        raise Failure(f"{published} messages were published, the daemon counts {counts}")


def exercise(options: argparse.Namespace, broker: Mosquitto, receiver: Receiver, daemon: Daemon) -> str:
    rows = readings(options.seconds * options.rate, step=STEP_MILLIS)
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    publisher = Publisher(broker.port)
    messages = [("site/all", text) for text in lines(rows)]
    sender = threading.Thread(target=publisher.send_paced, args=(messages, options.rate))
    begin = time.monotonic()
    sender.start()
    samples: list[tuple[int, int]] = []
    for part in range(PARTS):
        into = samples if part > 0 else []
        sample_until(begin + (part + 1) * options.seconds / PARTS, daemon, into)
        if part + 1 < PARTS:
            restart(part, broker, receiver)
    sender.join()
    last = closing(rows, step=STEP_MILLIS)
    for text in lines(last):
        publisher.send("site/all", text)
    publisher.flush()
    publisher.close()
    published = len(rows) + len(last)
    eventually(lambda: taken(daemon) >= published, f"{published} messages arrive", 60)
    eventually(lambda: daemon.source("windows")["messages"]["queued"] == 0, "the journal is read", 60)
    daemon.wait_delivered(60)
    check_counts(daemon, published)
    return f"{published} messages at {options.rate}/s, " + check_flat(samples)


def main() -> int:
    options = arguments()
    if options.seconds == 0:
        print("skipped: it takes minutes; LEAT_TEST_LONG=1 or --seconds N runs it")
        return SKIPPED
    options.leat = options.leat.resolve()
    with tempfile.TemporaryDirectory(prefix="leat-soak-") as name:
        folder = pathlib.Path(name)
        broker, receiver = Mosquitto(folder / "broker", persistence=True), Receiver(folder / "receiver")
        daemon = Daemon(options.leat, folder / "leat")
        try:
            print("ok: " + exercise(options, broker, receiver, daemon))
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
