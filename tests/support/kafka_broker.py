#!/usr/bin/env python3
"""A real Apache Kafka broker (KRaft, one node) on a free loopback port, for tests.

  kafka_broker.py [--data DIR] [--auto-create-topics]
  kafka_broker.py --prepare        only fetches what is needed

It fetches the broker from Maven Central once, into $LEAT_CACHE or ~/.cache/leat, and prints `sasl HOST:PORT`, where it
wants user "leat" with password "secret" (SASL PLAIN), and `address HOST:PORT` when the broker answers. It reads
commands from its standard input, one per line, each answered by one line:

  stop    `stopped`; the data stay      kill    `stopped`, by SIGKILL
  start   both lines again, the same as before

The end of its input, SIGTERM or SIGINT stop the broker. Exit code 3: no Java or no Maven here; the caller may
fall back to something less real, and must say so.
"""

import argparse
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import maven
from ports import free_port

KAFKA_VERSION = "3.9.1"
LOGGER_VERSION = "1.7.36"
NO_JAVA = 3
USER = "leat"  # Of the listener that wants a password.
PASSWORD = "secret"
READY_SECONDS = 120
HEAP = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


def fail(code, message):
    print(f"kafka_broker: {message}", file=sys.stderr, flush=True)
    sys.exit(code)


def libraries():
    """The folder with the broker's jars, fetched if need be."""
    try:
        return maven.libraries(
            "kafka",
            KAFKA_VERSION,
            f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
            f"org.slf4j:slf4j-simple:{LOGGER_VERSION}",
        )
    except maven.NoJava as missing:
        fail(NO_JAVA, missing)
    except maven.NotFetched as failure:
        fail(1, f"Maven could not fetch the broker:\n{failure}")


def answers(port):
    """True when the broker at `port` answers an ApiVersions request."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
            link.sendall(struct.pack(">i", len(request)) + request)
            head = link.recv(4)
            return len(head) == 4
    except OSError:
        return False


class Broker:
    def __init__(self, folder, jars, auto_create):
        self.folder = folder
        self.jars = jars
        self.port = free_port()
        self.sasl_port = free_port()
        self.controller_port = free_port()
        self.auto_create = auto_create
        self.process = None

    def java(self, *arguments):
        return ["java", *HEAP, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{self.jars}/*", *arguments]

    def prepare(self):
        (self.folder / "server.properties").write_text(
            f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller_port}
listeners=PLAINTEXT://127.0.0.1:{self.port},SASL://127.0.0.1:{self.sasl_port},CONTROLLER://127.0.0.1:{self.controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port},SASL://127.0.0.1:{self.sasl_port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
listener.name.sasl.sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";
log.dirs={self.folder}/data
auto.create.topics.enable={"true" if self.auto_create else "false"}
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.segment.bytes=16777216
log.cleaner.enable=false
controlled.shutdown.enable=false
"""
        )
        done = subprocess.run(
            self.java(
                "kafka.tools.StorageTool",
                "format",
                "-t",
                "bGVhdC10ZXN0cy1icm9rZQ",
                "-c",
                f"{self.folder}/server.properties",
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            fail(1, "the storage could not be formatted:\n" + done.stdout[-2000:])

    def start(self):
        log = open(self.folder / "broker.log", "ab")
        self.process = subprocess.Popen(
            self.java("kafka.Kafka", f"{self.folder}/server.properties"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        deadline = time.monotonic() + READY_SECONDS
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                text = (self.folder / "broker.log").read_text(errors="replace")
                self.stop(signal.SIGKILL)
                fail(1, "the broker did not start:\n" + text[-2000:])
            time.sleep(0.1)
        print(f"sasl 127.0.0.1:{self.sasl_port}", flush=True)
        print(f"address 127.0.0.1:{self.port}", flush=True)

    def stop(self, number=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def serve(broker):
    commands = {"start": broker.start, "stop": broker.stop, "kill": lambda: broker.stop(signal.SIGKILL)}
    for line in sys.stdin:
        word = line.strip()
        if word not in commands:
            print(f"unknown command '{word}'", flush=True)
            continue
        commands[word]()
        if word != "start":
            print("stopped", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepare", action="store_true", help="only fetch the broker")
    parser.add_argument("--data", metavar="DIR", help="empty folder for the broker's data; default: a temporary one")
    parser.add_argument("--auto-create-topics", action="store_true")
    options = parser.parse_args()
    jars = libraries()
    if options.prepare:
        return 0
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="leat-kafka-", ignore_cleanup_errors=True) as temporary:
        broker = Broker(pathlib.Path(options.data or temporary), jars, options.auto_create_topics)
        try:
            broker.prepare()
            broker.start()
            serve(broker)
        finally:
            broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
