#!/usr/bin/python3
"""A long outage: a large backlog gathers and drains; memory does not follow it, order is kept, the file shrinks again.

    backlog.py --leat build/release/leat [--megabytes 200] [--limit-mb 0] [--order oldest-first]

Numbered rows of a kilobyte gather in the outbox of a sink whose receiver is away, until the outbox is full and blocks. Then
a receiver that only counts takes all of it. `--limit-mb 512` bounds the daemon's address space, as `ulimit -v` does.
"""

import argparse
import pathlib
import re
import resource
import socketserver
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from leat import Daemon  # noqa: E402
from pipeline_text import with_options  # noqa: E402
from ports import free_port  # noqa: E402
from processes import Failure, eventually  # noqa: E402

MEGABYTE = 1 << 20
NUMBER = re.compile(rb'"seq":(\d+),')
ROW_BYTES = 1000
WARM_MEGABYTES = 20
# What may come on top of the first megabytes: SQLite's index of its log, the allocator's slack.
RSS_SLACK_KIB = 20 * 1024
# What a file that has been emptied may keep: the free pages that stay, the tables, and the log beside it.
FILE_LEFT = 24 * MEGABYTE


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", required=True, type=pathlib.Path)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--limit-mb", type=int, default=0, help="address space of the daemon; 0: no limit")
    parser.add_argument("--order", default="oldest-first", choices=("oldest-first", "newest-first"))
    parser.add_argument("--folder", type=pathlib.Path, help="where the store lies; default: a temporary folder")
    return parser.parse_args()


class Counter(socketserver.ThreadingTCPServer):
    """Takes every request and keeps which rows came, and what was wrong."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, rows: int, order: str):
        super().__init__(("127.0.0.1", port), Taker)
        self.order = order
        self.keys: set[str] = set()
        self.seen = bytearray(rows)
        self.last = -1
        self.wrong: list[str] = []

    def take(self, key: str, body: bytes) -> None:
        if key in self.keys:
            self.wrong.append(f"{key} came twice although it was never refused")
        self.keys.add(key)
        numbers = [int(number) for number in NUMBER.findall(body)]
        if numbers != sorted(numbers):
            self.wrong.append(f"{key}: rows out of order inside")
        if self.order == "oldest-first" and numbers[0] != self.last + 1:
            self.wrong.append(f"{key}: begins with row {numbers[0]} behind {self.last}")
        self.last = numbers[-1]
        for number in numbers:
            self.seen[number] += 1

    def check(self) -> None:
        if self.wrong:
            raise Failure("; ".join(self.wrong[:5]))
        if self.seen.count(1) != len(self.seen):
            raise Failure(f"{self.seen.count(0)} rows are missing of {len(self.seen)}, some are double otherwise")


class Taker(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        while self.rfile.readline():
            headers = {}
            while (line := self.rfile.readline().strip()) != b"":
                name, value = line.split(b":", 1)
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers[b"content-length"]))
            self.server.take(headers[b"idempotency-key"].decode(), body)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def pipeline(port: int, options: argparse.Namespace, rows: int) -> str:
    source = {
        "connector": "datagen",
        "rows-per-second": 25_000,
        "fields.seq.kind": "sequence",
        "fields.seq.start": 0,
        "fields.seq.end": rows - 1,
        "fields.text.length": ROW_BYTES,
    }
    sink = {
        "connector": "http",
        "url": f"http://127.0.0.1:{port}/",
        "format": "json",
        "body": "json-lines",
        "sink.buffer.max-bytes": f"{options.megabytes} mb",
        "sink.delivery.order": options.order,
        "sink.retry.initial-backoff": "100 ms",
        "sink.retry.max-backoff": "500 ms",
    }
    return (
        f"CREATE TABLE made (seq BIGINT, text STRING) {with_options(source)};\n"
        f"CREATE TABLE upstream (seq BIGINT, text STRING) {with_options(sink)};\n"
        "INSERT INTO upstream SELECT seq, text FROM made;\n"
    )


def rss_kib(daemon: Daemon) -> int:
    text = pathlib.Path(f"/proc/{daemon.running.process.pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])


def file_bytes(daemon: Daemon) -> int:
    """The database and its log; the ballast beside them is always there."""
    return sum(path.stat().st_size for path in (daemon.folder / "data").glob("leat.db*") if path.suffix != ".ballast")


class Watch:
    """Samples the daemon's memory until it is told to stop; the peak of each phase."""

    def __init__(self, daemon: Daemon):
        self.daemon = daemon
        self.peak = 0
        self.running = True
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()

    def sample(self) -> None:
        while self.running:
            try:
                self.peak = max(self.peak, rss_kib(self.daemon))
            except (OSError, AttributeError, StopIteration):
                pass
            time.sleep(0.1)

    def take(self) -> int:
        peak, self.peak = self.peak, 0
        return peak

    def stop(self) -> None:
        self.running = False
        self.thread.join()


def outbox(daemon: Daemon) -> dict:
    for _ in range(5):
        try:
            sinks = daemon.outbox()
            break
        except OSError:  # A look that takes long is cut; the next one is not.
            time.sleep(1)
    else:
        raise Failure("the daemon's API does not answer")
    return sinks[0] if sinks else {"bytes": 0, "blocks": 0, "records": {"waiting": -1, "emitted": 0}}


def fill(daemon: Daemon, watch: Watch, options: argparse.Namespace) -> tuple[int, float]:
    """Until the outbox is full; the peak of the first megabytes and the rate."""
    begin = time.monotonic()
    eventually(lambda: outbox(daemon)["bytes"] >= WARM_MEGABYTES * MEGABYTE, "the first megabytes", 120)
    warm = watch.take()
    patience = 120 + options.megabytes / 4
    eventually(lambda: outbox(daemon)["bytes"] >= options.megabytes * MEGABYTE, "the outbox is full", patience)
    return warm, options.megabytes / (time.monotonic() - begin)


def limits(options: argparse.Namespace) -> dict:
    if not options.limit_mb:
        return {}
    size = options.limit_mb * MEGABYTE
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))}


def run(options: argparse.Namespace, folder: pathlib.Path) -> str:
    rows = options.megabytes * MEGABYTE // ROW_BYTES + 20_000  # More than fits: it becomes full.
    port = free_port()
    daemon = Daemon(options.leat.resolve(), folder / "leat", **limits(options))
    daemon.add("backlog", pipeline(port, options, rows))
    daemon.start()
    watch = Watch(daemon)
    try:
        warm, fill_rate = fill(daemon, watch, options)
        filled = watch.take()
        blocks, full_file = outbox(daemon)["blocks"], file_bytes(daemon)
        counter = Counter(port, rows, options.order)
        threading.Thread(target=counter.serve_forever, daemon=True).start()
        begin = time.monotonic()
        eventually(lambda: outbox(daemon)["records"]["delivered"] == rows, "all is delivered", 120 + options.megabytes / 4)
        drain_rate = rows * ROW_BYTES / MEGABYTE / (time.monotonic() - begin)
        drained = watch.take()
        counter.check()
        begin = time.monotonic()
        eventually(lambda: file_bytes(daemon) <= FILE_LEFT, "the file shrinks", 60 + options.megabytes / 10)
        shrinking = time.monotonic() - begin
        peak = max(filled, drained)
        if peak > warm + RSS_SLACK_KIB:
            raise Failure(f"memory followed the backlog: {warm} KiB at {WARM_MEGABYTES} MB, {peak} KiB at most")
        return (
            f"{options.megabytes} MB in {blocks} blocks, {options.order}: filled at {fill_rate:.0f} MB/s, drained at "
            f"{drain_rate:.0f} MB/s; RSS {warm} KiB at {WARM_MEGABYTES} MB, at most {filled} filling and {drained} draining; "
            f"file {full_file // MEGABYTE} MB, {file_bytes(daemon) // MEGABYTE} MB {shrinking:.1f} s after the last row"
        )
    finally:
        watch.stop()
        daemon.kill()


def main() -> int:
    options = arguments()
    try:
        if options.folder:
            options.folder.mkdir(parents=True, exist_ok=True)
            print(run(options, options.folder))
            return 0
        with tempfile.TemporaryDirectory(prefix="leat-backlog-") as folder:
            print(run(options, pathlib.Path(folder)))
        return 0
    except Failure as failure:
        print(f"backlog: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
