"""Compressed MQTT messages: rows of gzip, zstd and plain ones, and a bomb that is a dead letter."""

import gzip
import subprocess

from pipeline_text import often, with_options
from processes import eventually


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-c"], input=data, check=True, capture_output=True).stdout


def rss(daemon) -> int:
    with open(f"/proc/{daemon.running.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def pipeline(broker_url: str, receiver_url: str, options: dict) -> str:
    read = with_options({"connector": "mqtt", "url": broker_url, "topic": "in", "qos": "1", **options})
    write = with_options({"connector": "http", "url": f"{receiver_url}/rows", "format": "json"})
    return often() + f"CREATE TABLE i (n INT, s STRING) {read};\nCREATE TABLE o (n INT, s STRING) {write};\nINSERT INTO o SELECT n, s FROM i;\n"


def test_messages_are_decompressed_and_bombs_are_dead(broker, publisher, receiver, daemon):
    daemon.add("rows", pipeline(broker.url, receiver.url, {"format": "json", "payload.compression": "auto"}))
    daemon.start().wait_connected("rows")
    before = rss(daemon)
    messages = [b'{"n": 1, "s": "plain"}', gzip.compress(b'{"n": 2, "s": "gzip"}'), zstd(b'[{"n": 3, "s": "zstd"}, {"n": 4}]')]
    damaged = gzip.compress(b'{"n": 5}')[:-1]
    bomb = gzip.compress(b" " * 200_000_000)
    for message in (*messages, damaged, *[bomb] * 5, gzip.compress(b"{")):
        publisher.send("in", message)
    publisher.send("in", gzip.compress(b'{"n": 6}'))
    publisher.flush()
    eventually(lambda: len(receiver.rows("/rows")) == 5, "the good rows arrive")
    assert [row["n"] for row in receiver.rows("/rows")] == [1, 2, 3, 4, 6]
    assert [row["s"] for row in receiver.rows("/rows")] == ["plain", "gzip", "zstd", None, None]
    letters = eventually(
        lambda: len(found := daemon.ask("/api/v1/dead-letters").json()["dead_letters"]) == 7 and found, "the others are dead"
    )
    reasons = sorted(letter["reason"].split(",")[0] for letter in letters)
    assert reasons == ["decompressed"] * 5 + ["not JSON: the record ends too early", "not gzip: it ends too early"], reasons
    counts = daemon.pipeline("rows")["sources"][0]["messages"]
    assert (counts["received"], counts["decoded"], counts["dead"]) == (11, 4, 7), counts
    assert rss(daemon) - before < 64 << 20


def test_many_lines_in_one_compressed_message(broker, publisher, receiver, daemon):
    options = {"format": "influx", "payload.compression": "zstd", "payload.max-decompressed-size": "100 kb"}
    daemon.add("rows", pipeline(broker.url, receiver.url, options))
    daemon.start().wait_connected("rows")
    lines = "".join(f'm n={n}i,s="line {n}"\n' for n in range(2000)) + "m n=\n"
    publisher.send("in", zstd(lines.encode()))
    publisher.flush()
    eventually(lambda: len(receiver.rows("/rows")) == 2000, "the rows arrive")
    assert receiver.rows("/rows")[-1] == {"n": 1999, "s": "line 1999"}
    letters = eventually(lambda: daemon.ask("/api/v1/dead-letters").json()["dead_letters"], "the bad line is dead")
    assert letters[0]["payload"] == "m n="
