#!/usr/bin/python3
"""`kill -9` in mid-window under load: nothing lost, nothing double.

    kill_under_load.py --leat build/release/leat [--kills 5] [--seed N]

Readings come in over MQTT at QoS 1, windows go out over HTTP. The daemon is killed at random moments and started again.
The receiver notes every request, those that come a second time too, so that two things can be checked: the bodies under one
Idempotency-Key are equal, byte for byte; and the first bodies of all keys are the windows that `leat run` computes from a
file with the same messages in the same order.
"""

import argparse
import base64
import json
import os
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from leat import Daemon, run  # noqa: E402
from mosquitto import Mosquitto  # noqa: E402
from mqtt_publisher import Publisher  # noqa: E402
from pipeline_text import file_readings, windows_over_http  # noqa: E402
from processes import Failure, eventually  # noqa: E402
from readings import WINDOW_QUERY, closing, lines, readings  # noqa: E402
from receiver import Receiver, rows_of  # noqa: E402

PER_SECOND = 2000
SECONDS_PER_KILL = 1.2
# The upstream takes its time, so that some kills fall between a request and its answer.
SLOW_ANSWERS = ",".join(["200;delay=0.04"] * 2000)
STEP_MILLIS = 5  # Of event time: windows of a second hold 200 readings and close ten times a second.


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", required=True, type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=50 if os.environ.get("LEAT_TEST_LONG") == "1" else 5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    return parser.parse_args()


def uninterrupted(leat: pathlib.Path, folder: pathlib.Path, texts: list[str]) -> list[dict]:
    """The windows as `leat run` gives them; the open ones of the closing readings are not in it."""
    path = folder / "same-messages.jsonl"
    path.write_text("\n".join(texts) + "\n")
    done = run(leat, "run", "--output", "jsonl", "-e", file_readings(path) + WINDOW_QUERY + ";")
    if done.returncode != 0:
        raise Failure(f"leat run ended with {done.returncode}: {done.stderr}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [row for row in rows if not row["device"].startswith("closing")]


def kill_again_and_again(daemon: Daemon, kills: int, seed: int) -> None:
    moments = random.Random(seed)
    for number in range(1, kills + 1):
        time.sleep(moments.uniform(0.02, SECONDS_PER_KILL))
        daemon.kill()
        print(f"kill {number} of {kills}", flush=True)
        daemon.start()


def shipments(receiver: Receiver) -> list[dict]:
    """One body per key, in the order of first arrival. Bodies of one key must be equal."""
    bodies: dict[str, str] = {}
    for request in receiver.requests():
        key = dict(request["headers"])["Idempotency-Key"]
        body = base64.b64decode(request["body"]).decode()
        if bodies.setdefault(key, body) != body:
            raise Failure(f"two bodies under one Idempotency-Key, {key}:\n{bodies[key]}\n{body}")
    return [row for body in bodies.values() for row in rows_of(body)]


def compare(got: list[dict], want: list[dict]) -> None:
    """The same windows, each once, in the same order."""
    if got == want:
        return
    got_texts, want_texts = [json.dumps(row) for row in got], [json.dumps(row) for row in want]
    doubled = sorted({text for text in got_texts if got_texts.count(text) > 1})
    lost = [text for text in want_texts if text not in set(got_texts)]
    extra = [text for text in got_texts if text not in set(want_texts)]
    raise Failure(
        f"{len(got)} windows in place of {len(want)}\n"
        f"lost or wrong ({len(lost)}): {lost[:3]}\nunknown ({len(extra)}): {extra[:3]}\ndouble ({len(doubled)}): {doubled[:3]}"
    )


def settle(daemon: Daemon, receiver: Receiver, want: int) -> None:
    """Until the receiver has as many windows as it must get, and nothing waits to be delivered."""
    eventually(lambda: len(shipments(receiver)) >= want, f"{want} windows at the receiver", 60)
    daemon.wait_delivered()


def report(daemon: Daemon, receiver: Receiver, published: int) -> str:
    status = daemon.pipeline("windows")
    counts = status["sources"][0]["messages"]
    if status["accounting_violations"] or counts["dropped"] or counts["dead"]:
        raise Failure(f"the accounting is off: {status['accounting_violations']} {counts}")
    if counts["received"] - counts["redelivered"] != published:
        raise Failure(f"{published} messages were published, the daemon counts {counts}")
    again = len(receiver.requests()) - len({dict(r["headers"])["Idempotency-Key"] for r in receiver.requests()})
    return f"{published} messages, {counts['redelivered']} redelivered and skipped, {again} shipments sent again"


def exercise(
    options: argparse.Namespace, folder: pathlib.Path, broker: Mosquitto, receiver: Receiver, daemon: Daemon
) -> str:
    rows = readings(int(PER_SECOND * SECONDS_PER_KILL * (options.kills + 1)), step=STEP_MILLIS, seed=options.seed)
    last = closing(rows, step=STEP_MILLIS)
    texts = lines(rows)
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    publisher = Publisher(broker.port)
    sender = threading.Thread(target=publisher.send_paced, args=([("site/all", text) for text in texts], PER_SECOND))
    sender.start()
    kill_again_and_again(daemon, options.kills, options.seed)
    sender.join()
    for text in lines(last):
        publisher.send("site/all", text)
    publisher.flush()
    publisher.close()
    want = uninterrupted(options.leat, folder, texts + lines(last))
    settle(daemon, receiver, len(want))
    compare(shipments(receiver), want)
    return f"{len(want)} windows, " + report(daemon, receiver, len(rows) + len(last))


def main() -> int:
    options = arguments()
    options.leat = options.leat.resolve()
    print(f"seed {options.seed}, {options.kills} kills", flush=True)
    with tempfile.TemporaryDirectory(prefix="leat-crash-") as name:
        folder = pathlib.Path(name)
        broker, receiver = Mosquitto(folder / "broker"), Receiver(folder / "receiver", SLOW_ANSWERS)
        daemon = Daemon(options.leat, folder / "leat")
        try:
            print("ok: " + exercise(options, folder, broker, receiver, daemon))
            daemon.stop()
        except Failure as failure:
            print(f"FAILED (seed {options.seed}): {failure}\n--- leat.log\n{daemon.log()[-4000:]}", file=sys.stderr)
            return 1
        finally:
            daemon.kill()
            receiver.stop()
            broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
