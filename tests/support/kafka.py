"""A Kafka broker for tests: a real one (kafka_broker.py), or librdkafka's mock cluster where Java or Maven is missing."""

import ctypes
import json
import pathlib
import shutil
import subprocess
import sys

from processes import Failure

SCRIPT = pathlib.Path(__file__).with_name("kafka_broker.py")
NO_JAVA = 3
PRODUCER = 0


def fetch_broker() -> None:
    """Fetches the broker where it is not there yet: for tests that start one where nothing can be fetched."""
    subprocess.run([sys.executable, SCRIPT, "--prepare"], check=False)


class Kafka:
    """Topics come into being when they are first written to. Messages are read with kcat."""

    def __init__(self, folder: pathlib.Path):
        self.address = ""
        self.mock = None
        log = open(folder / "kafka.log", "ab")
        self.process = subprocess.Popen(
            [sys.executable, SCRIPT, "--auto-create-topics"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        self.sasl_address = self._hear("sasl")
        if self.sasl_address:
            self.address = self._hear("address")
        elif self.process.wait() == NO_JAVA:
            self._start_mock()
        else:
            raise Failure(f"the Kafka broker did not start: see {folder}/kafka.log")

    def _start_mock(self) -> None:
        """The cluster lives in this process, on threads of the library."""
        print(
            "\n*** NO REAL KAFKA: these tests use librdkafka's mock cluster. Install Java and Maven. ***",
            file=sys.stderr,
        )
        library = ctypes.CDLL("librdkafka.so.1")
        for name in ("rd_kafka_new", "rd_kafka_conf_new", "rd_kafka_mock_cluster_new"):
            getattr(library, name).restype = ctypes.c_void_p
        library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        error = ctypes.create_string_buffer(512)
        owner = library.rd_kafka_new(PRODUCER, ctypes.c_void_p(library.rd_kafka_conf_new()), error, len(error))
        self.mock = library.rd_kafka_mock_cluster_new(ctypes.c_void_p(owner), 1)
        self.address = library.rd_kafka_mock_cluster_bootstraps(ctypes.c_void_p(self.mock)).decode()

    def messages(self, topic: str) -> list[dict]:
        """What a `read_committed` consumer sees of the topic, oldest first: key, value and headers (name to text)."""
        kcat = shutil.which("kcat")
        assert kcat, "kcat is not installed (Debian package: kcat)"
        command = [kcat, "-b", self.address, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            return []  # The topic is not there yet.
        return [_message(json.loads(line)) for line in done.stdout.splitlines()]

    @property
    def real(self) -> bool:
        return self.mock is None

    def kill(self) -> None:
        """SIGKILL; `start` brings it back with what it had."""
        self._command("kill", "stopped")

    def start(self) -> None:
        self._command("start", "address")

    def _command(self, word: str, answer: str) -> None:
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        if self._hear(answer) is None:
            raise Failure(f"the Kafka broker has ended instead of {word}")

    def _hear(self, word: str) -> str | None:
        """The rest of the next line that begins with `word`; None: the program has ended."""
        for line in iter(self.process.stdout.readline, ""):
            if line.startswith(word):
                return line[len(word) :].strip()
        return None

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(60)


def _message(envelope: dict) -> dict:
    pairs = envelope.get("headers") or []
    headers = dict(zip(pairs[::2], pairs[1::2]))
    payload = envelope["payload"]
    return {"key": envelope["key"], "value": payload and json.loads(payload), "headers": headers}
