"""Bounds of one pipeline: it fails alone, says which bound, who passed it and by how much, and stays failed at last."""

import collections

from pipeline_text import mqtt_readings, often, with_options
from processes import eventually

RESTARTS = (
    "SET 'restart-strategy.exponential-delay.initial-backoff' = '100 ms';\n"
    "SET 'restart-strategy.exponential-delay.max-backoff' = '200 ms';\n"
    "SET 'restart-strategy.exponential-delay.attempts-before-reset-backoff' = '3';\n"
)


def counts(broker_url: str, receiver_url: str, path: str, settings: str = "") -> str:
    """One row of state per key, for ever."""
    out = with_options({"connector": "http", "url": f"{receiver_url}/{path}", "format": "json"})
    return (
        often()
        + settings
        + mqtt_readings(broker_url, columns="k STRING, seq BIGINT")
        + f"CREATE TABLE o (k STRING, l BIGINT) {out};\n"
        + "INSERT INTO o SELECT l.k, r.seq FROM readings l JOIN readings r ON l.seq = r.seq;"
    )


def test_a_pipeline_beyond_its_memory_fails_alone_and_says_who_and_how_much(broker, publisher, receiver, daemon):
    daemon.add("greedy", counts(broker.url, receiver.url, "greedy", RESTARTS + "SET 'leat.memory.max' = '300 kb';\n"))
    daemon.add("modest", counts(broker.url, receiver.url, "modest"))
    daemon.start().wait_connected("greedy", "modest")
    for seq in range(20_000):
        publisher.send("site/a", f'{{"k": "device-{seq % 1000}", "seq": {seq}}}')
    publisher.flush()
    failed = eventually(
        lambda: (p := daemon.pipeline("greedy"))["state"] == "failed" and p, "the greedy one fails", 60
    )
    for words in ("the state needs", "more than 'leat.memory.max' = 300 kb", "join 1 holds", "keys: give it more"):
        assert words in failed["error"], failed["error"]
    eventually(lambda: len(receiver.rows("/modest")) == 20_000, "the other goes on", 60)
    eventually(lambda: "pipeline stays failed" in daemon.log(), "it is given up", 60)
    assert daemon.pipeline("greedy")["restarts"] == 3
    ready = daemon.ask("/readyz")
    assert ready.status == 503 and "pipeline 'greedy' has failed: the state needs" in ready.text
    assert "modest" not in ready.text
    assert daemon.pipeline("modest")["accounting_violations"] == []

    # With more memory it goes on from its last commit: what it had not committed is in its journal and at the broker.
    daemon.stop()
    daemon.add("greedy", counts(broker.url, receiver.url, "greedy", "SET 'leat.memory.max' = '300 mb';\n"))
    daemon.start()
    eventually(lambda: len(receiver.rows("/greedy")) >= 20_000, "every row", 60)
    assert publisher.connections == 1
    rows = collections.Counter(row["l"] for row in receiver.rows("/greedy"))
    assert sorted(rows) == list(range(20_000))
    assert {number: times for number, times in rows.items() if times > 1} == {}, daemon.source("greedy")
