#!/usr/bin/python3
"""`kill -9` at random moments under load: nothing lost, nothing double.

    kill_under_load.py --leat build/release/leat [--kills 20] [--seed N]

Readings come in over MQTT at QoS 1; windows go out over HTTP and into Kafka, OVER into files, MATCH_RECOGNIZE into Kafka,
and every update of a regular aggregate into a compacted topic.
The daemon is killed at random moments and started again. In the end every output holds exactly the rows that `leat run`
computes from a file with the same messages in the same order:

- HTTP: each key counts once, as for any receiver that honours Idempotency-Key; what comes under one key is always the
  same bytes, whether it was taken or not;
- Kafka: exactly once, as a `read_committed` consumer sees the topic. (The mock cluster of a machine without Java
  shows what was aborted, too: there each row counts once per shipment, by the header `leat-shipment`);
- files: exactly once, as they lie there.
"""

import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from kafka import Kafka  # noqa: E402
from leat import Daemon  # noqa: E402
from mosquitto import Mosquitto  # noqa: E402
from processes import Failure  # noqa: E402
from readings import WINDOW_COLUMNS, WINDOW_QUERY  # noqa: E402
from receiver import Receiver  # noqa: E402
from workload import (  # noqa: E402
    MATCH_COLUMNS,
    MATCH_QUERY,
    OVER_COLUMNS,
    OVER_QUERY,
    TOTALS_COLUMNS,
    TOTALS_QUERY,
    Messages,
    Output,
    Sender,
    check_accounting,
    compare,
    file_table,
    http_table,
    insert,
    kafka_table,
    over_output,
    print_table,
    source,
    uninterrupted,
    wait_for,
    windows_output,
    without_closing,
)

PER_SECOND = 1500
SECONDS_PER_KILL = 1.2
# The upstream takes its time, so that some kills fall between a request and its answer.
SLOW_ANSWERS = ("--delay", "0.04")
PIPELINES = ("http", "kafka")
FEW_KILLS = 50
UPSERTS = {"connector": "upsert-kafka", "key.format": "raw", "value.format": "json"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", required=True, type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=500 if os.environ.get("LEAT_TEST_LONG") == "1" else 20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    return parser.parse_args()


class Site:
    """The servers around the daemon."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.broker = Mosquitto(folder / "broker", persistence=True)
        self.receiver = Receiver(folder / "receiver", arguments=SLOW_ANSWERS)
        self.kafka = Kafka(folder)

    def stop(self) -> None:
        self.receiver.stop()
        self.broker.stop()
        self.kafka.close()

    def rows_in_topic(self, topic: str) -> list[dict]:
        if self.kafka.real:
            return without_closing([message["value"] for message in self.kafka.messages(topic)])
        seen, rows = set(), []
        for message in self.kafka.messages(topic):
            identity = (message["headers"]["leat-shipment"], json.dumps(message["value"]))
            if identity not in seen:
                rows.append(message["value"])
            seen.add(identity)
        return without_closing(rows)

    def outputs(self) -> list[Output]:
        return [
            windows_output(self.receiver, "/windows"),
            over_output(self.folder / "files"),
            Output("topic windows", WINDOW_QUERY, lambda: self.rows_in_topic("windows")),
            Output("topic hits", MATCH_QUERY, lambda: self.rows_in_topic("hits")),
            Output("topic totals", TOTALS_QUERY, lambda: self.rows_in_topic("totals"), updates=True),
        ]

    def pipelines(self, kills: int) -> dict[str, str]:
        # The least journal is full all the time, and each pause has mosquitto 2.0 send its whole backlog into the connection
        # that ends with the next: what is left after hundreds of kills would drain for an hour.
        journal = {"journal.size": "4 mb"} if kills > FEW_KILLS else {}
        take_in = source(self.broker.url, "site/#", **journal)
        return {
            "http": take_in
            + http_table("windows", WINDOW_COLUMNS, f"{self.receiver.url}/windows")
            + file_table("files", OVER_COLUMNS, self.folder / "files")
            + insert("windows", WINDOW_QUERY)
            + insert("files", OVER_QUERY),
            "kafka": take_in
            + kafka_table("windows", WINDOW_COLUMNS, self.kafka.address, "windows")
            + kafka_table("hits", MATCH_COLUMNS, self.kafka.address, "hits")
            + kafka_table("totals", TOTALS_COLUMNS, self.kafka.address, "totals", **UPSERTS)
            + insert("windows", WINDOW_QUERY)
            + insert("hits", MATCH_QUERY)
            + insert("totals", TOTALS_QUERY),
        }


def kill_again_and_again(daemon: Daemon, kills: int, seed: int) -> list[float]:
    """The seconds from each start to the daemon's word that it is ready: its state is restored by then."""
    moments = random.Random(seed)
    recovery = []
    for number in range(1, kills + 1):
        time.sleep(moments.uniform(0.02, SECONDS_PER_KILL))
        daemon.kill()
        begin = time.monotonic()
        daemon.start()
        recovery.append(time.monotonic() - begin)
        if number % 20 == 0:
            print(f"{number} of {kills} kills", flush=True)
    return recovery


def exercise(options: argparse.Namespace, site: Site, daemon: Daemon) -> str:
    messages = Messages(int(PER_SECOND * SECONDS_PER_KILL * 0.6 * (options.kills + 1)), options.seed)
    for name, sql in site.pipelines(options.kills).items():
        daemon.add(name, sql)
    daemon.start().wait_connected(*PIPELINES)
    sender = Sender(site.broker.port, "site/all", messages.texts, PER_SECOND)
    recovery = kill_again_and_again(daemon, options.kills, options.seed)
    sender.finish()
    outputs = site.outputs()
    wanted = {
        output.name: uninterrupted(options.leat, site.folder, messages.texts, output.query, output.updates)
        for output in outputs
    }
    counts = [check_accounting(daemon, name, len(messages)) for name in PIPELINES]
    wait_for(outputs, wanted, 60)
    daemon.wait_delivered(60)
    result = compare(outputs, wanted)
    print_table("fault", [("SIGKILL at random", options.kills, result, recovery)])
    summary = site.receiver.summary()
    if summary["changed"]:
        raise Failure(f"{summary['changed']} requests came under a key that had come with other bytes")
    if not result.good:
        raise Failure(f"the outputs are not those of the uninterrupted run: {result}")
    redelivered = sum(count["redelivered"] for count in counts)
    return f"{len(messages)} messages, {redelivered} redelivered and skipped, {summary['replayed']} shipments sent again"


def main() -> int:
    options = arguments()
    options.leat = options.leat.resolve()
    print(f"seed {options.seed}, {options.kills} kills", flush=True)
    with tempfile.TemporaryDirectory(prefix="leat-crash-") as name:
        site = Site(pathlib.Path(name))
        daemon = Daemon(options.leat, site.folder / "leat")
        try:
            print("ok: " + exercise(options, site, daemon))
            daemon.stop()
        except Failure as failure:
            print(f"FAILED (seed {options.seed}): {failure}\n--- leat.log\n{daemon.log()[-4000:]}", file=sys.stderr)
            return 1
        finally:
            daemon.kill()
            site.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
