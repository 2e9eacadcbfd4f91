#!/usr/bin/python3
"""Requests to the REST API that no client would send, to a whole daemon: it answers or hangs up, and goes on.

    daemon.py --leat build/debug/leat [--requests 1000] [--seed 4]

Each request is one of corpus/rest with some bytes changed. None may be answered with 500, none may end the daemon or
keep it from answering the next one. What is sent is always the same for a seed.
"""

import argparse
import os
import pathlib
import random
import socket
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from leat import Daemon  # noqa: E402
from processes import Failure  # noqa: E402

TELLING = [b"\x00", b"\xff", b"%", b"%zz", b"?", b"&", b"=", b"/", b"..", b"\r\n", b" ", b":", b"9" * 30, b"A" * 9000]
ASK_EVERY = 50
# A request whose end does not come is waited for by the daemon for longer; then it hangs up by itself.
PATIENCE_SECONDS = 0.2


def arguments() -> argparse.Namespace:
    long = os.environ.get("LEAT_TEST_LONG") == "1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", required=True, type=pathlib.Path)
    parser.add_argument("--requests", type=int, default=50_000 if long else 1000)
    parser.add_argument("--seed", type=int, default=4)
    return parser.parse_args()


def changed(corpus: list[bytes], rng: random.Random) -> bytes:
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(data) + 1)
        how = rng.randrange(4)
        if how == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif how == 1:
            data[at:at] = rng.choice(TELLING)
        elif how == 2:
            del data[at : at + 1 + rng.randrange(8)]
        else:
            other = rng.choice(corpus)
            data[at:at] = other[rng.randrange(len(other)) :][:40]
    return bytes(data)


def ask(address: tuple[str, int], request: bytes) -> bytes:
    """The beginning of the answer; nothing when the daemon hangs up."""
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as client:
        try:
            client.sendall(request)
            return client.recv(64)
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            return b""


def exercise(options: argparse.Namespace, daemon: Daemon) -> str:
    corpus = [path.read_bytes() for path in sorted((HERE / "corpus" / "rest").iterdir())]
    host, port = daemon.url.removeprefix("http://").split(":")
    address = (host, int(port))
    rng = random.Random(options.seed)
    answers: dict[str, int] = {}
    for number in range(options.requests):
        request = corpus[number] if number < len(corpus) else changed(corpus, rng)
        answer = ask(address, request)
        status = answer.split(b" ")[1].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "none"
        answers[status] = answers.get(status, 0) + 1
        if status == "500" or not daemon.running.running:
            raise Failure(f"request {number} is answered with {status}: {request!r}")
        if number % ASK_EVERY == 0 and daemon.ask("/healthz").status != 200:
            raise Failure(f"after request {number} the daemon is not well: {request!r}")
    return ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))


def main() -> int:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="leat-rest-") as name:
        daemon = Daemon(options.leat.resolve(), pathlib.Path(name))
        # One pipeline that runs, and one that says why it does not.
        daemon.add("numbers", "CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');\n"
                   "CREATE TABLE out1 (a INT) WITH ('connector' = 'blackhole');\nINSERT INTO out1 SELECT a FROM t;\n")  # fmt: skip
        daemon.add("broken", "SELECT nothing;")
        try:
            daemon.start()
            print("ok: " + exercise(options, daemon))
            daemon.stop()
        except Failure as failure:
            print(f"FAILED (seed {options.seed}): {failure}\n--- leat.log\n{daemon.log()[-3000:]}", file=sys.stderr)
            return 1
        finally:
            daemon.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
