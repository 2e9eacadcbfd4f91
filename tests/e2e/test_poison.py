"""Messages that nobody can use: each becomes one dead letter with its reason, topic and bytes, and stops nothing."""

import base64
import json

from pipeline_text import often, with_options
from processes import eventually

COLUMNS = "seq INT, name STRING, v DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, `at` TIMESTAMP(3), tags ARRAY<STRING>"


def document(**fields) -> bytes:
    return json.dumps({"seq": 1, "name": "pump", "v": 1.5, "ok": True, **fields}).encode()


# What is sent, and a word of the reason.
POISON = {
    "text": (b"hello", "expected an object"),
    "cut": (b'{"seq": 1, "name": "pu', "not JSON"),
    "trailing": (b'{"seq": 1} {"seq": 2}', "not JSON"),
    "number": (b"17", "expected an object"),
    "nul": (b"\x00", "expected an object"),
    "nul-inside": (b'{"seq": 1\x00}', "seq"),
    "nul-in-string": (b'{"seq": 1, "name": "a\x00b"}', "not JSON"),
    "random": (bytes(range(256)), "not JSON"),
    "utf8-cut": (b'{"seq": 1, "name": "\xe6\xb8"}', "UTF-8"),
    "utf8-overlong": (b'{"seq": 1, "name": "\xc0\xaf"}', "UTF-8"),
    "latin-1": (b'{"seq": 1, "name": "M\xfcller"}', "UTF-8"),
    "utf-16": ('{"seq": 1}'.encode("utf-16"), "not JSON"),
    "surrogate": (b'{"seq": 1, "name": "\\ud800"}', "ud800"),
    "wrong-int": (document(seq="seven"), "seq"),
    "int-too-large": (document(seq=2**31), "seq"),
    "40-digits": (b'{"seq": 1' + b"0" * 40 + b"}", "seq"),
    "int-1e400": (b'{"seq": 1e400}', "seq"),
    "wrong-double": (document(v="warm"), "v"),
    "wrong-bool": (document(ok=[1]), "ok"),
    "wrong-time": (document(at="yesterday"), "at"),
    "wrong-array": (document(tags="a"), "tags"),
    "object-for-int": (document(seq={"a": 1}), "seq"),
    "deep": (b'{"deep": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nested deeper"),
    "deep-open": (b"[" * 10_000, "expected an object"),
    "deep-objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested deeper"),
    "json-nan": (b'{"v": NaN}', "NaN"),
}

# Odd, but rows all the same: as in Flink.
GOOD = {
    "double-1e400": b'{"seq": 100, "v": 1e400}',
    "double-40-digits": b'{"seq": 101, "v": ' + b"9" * 40 + b"}",
    "decimal-too-large": b'{"seq": 102, "price": ' + b"9" * 40 + b"}",
    "escaped-nul": b'{"seq": 103, "name": "a\\u0000b"}',
    "unknown-fields": b'{"seq": 104, "\xf0\x9f\x98\x80": [[[]]]}',
    "nulls": b'{"seq": 105, "name": null, "v": null}',
    "quoted-number": b'{"seq": "106"}',
    "empty-object": b"{}",
}


def pipeline(broker_url: str, receiver_url: str, extra: dict | None = None) -> str:
    source = with_options(
        {"connector": "mqtt", "url": broker_url, "topic": "plant/#", "format": "json", **(extra or {})}
    )
    sink = with_options({"connector": "http", "url": f"{receiver_url}/rows", "format": "json"})
    return (
        often()
        + f"CREATE TABLE readings ({COLUMNS}, topic STRING METADATA) {source};\n"
        + f"CREATE TABLE o ({COLUMNS}, topic STRING) {sink};\nINSERT INTO o SELECT * FROM readings;"
    )


def letters(daemon) -> list[dict]:
    return daemon.ask("/api/v1/dead-letters?limit=1000").json()["dead_letters"]


def check_accounts(daemon, **counts) -> dict:
    status = daemon.pipeline("poison")
    assert status["accounting_violations"] == []
    messages = status["sources"][0]["messages"]
    assert {name: messages[name] for name in counts} == counts
    return status


def test_each_poisoned_message_is_one_dead_letter_with_reason_topic_and_bytes(broker, publisher, receiver, daemon):
    daemon.add("poison", pipeline(broker.url, receiver.url))
    daemon.start().wait_connected("poison")
    for number, (name, (payload, _)) in enumerate(POISON.items()):
        publisher.send(f"plant/{name}", payload)
        publisher.send("plant/fine", document(seq=1000 + number))
    for name, payload in GOOD.items():
        publisher.send(f"plant/{name}", payload)
    publisher.send("plant/empty", b"")
    publisher.flush()
    good = len(POISON) + len(GOOD)
    eventually(lambda: len(receiver.rows("/rows")) >= good, "every good row")
    eventually(lambda: len(letters(daemon)) >= len(POISON), "every dead letter")
    found = {letter["metadata"]["topic"].removeprefix("plant/"): letter for letter in letters(daemon)}
    assert set(found) == set(POISON)
    for name, (payload, word) in POISON.items():
        assert word in found[name]["reason"], (name, found[name]["reason"])
        whole = daemon.ask(f"/api/v1/dead-letters/{found[name]['id']}").json()
        assert base64.b64decode(whole["payload_base64"]) == payload, name
        assert whole["origin"] == "source readings" and whole["payload_bytes"] == len(payload)
    check_accounts(daemon, dead=len(POISON), decoded=good, empty=1, queued=0, dropped=0)
    assert daemon.pipeline("poison")["state"] == "running"


def test_a_payload_of_20_mb_leaves_the_broker_or_becomes_a_dead_letter_cut_short(broker, publisher, receiver, daemon):
    """MQTT 5 tells the broker the largest packet, and it keeps more to itself; with 3.1.1 Leat must refuse it."""
    daemon.add("poison", pipeline(broker.url, receiver.url, {"protocol-version": "3.1.1"}))
    daemon.add("other", pipeline(broker.url, receiver.url).replace("/rows", "/other"))
    large = {"max-packet-size": "32 mb", "journal.size": "256 mb"}
    daemon.add("large", pipeline(broker.url, receiver.url, large).replace("/rows", "/large"))
    daemon.start().wait_connected("poison", "other", "large")
    payload = b"#" * 20_000_000
    publisher.send("plant/huge", payload)
    publisher.send("plant/large", document(seq=1, name="x" * 20_000_000))
    publisher.send("plant/fine", document(seq=2))
    publisher.flush()
    eventually(lambda: len(receiver.rows("/rows")) == 1 and len(receiver.rows("/other")) == 1, "the small row", 60)
    eventually(lambda: len(receiver.rows("/large")) == 2, "the large row", 60)
    eventually(lambda: len(letters(daemon)) == 3, "three dead letters")
    of = {(letter["pipeline"], letter["metadata"]["topic"]): letter for letter in letters(daemon)}
    refused = of["poison", "plant/huge"]
    assert "20000000 bytes is larger than 'max-packet-size' (1 mb)" in refused["reason"]
    assert refused["payload_bytes"] == 20_000_000 and refused["kept_bytes"] == 64 * 1024
    assert ("poison", "plant/large") in of
    undecodable = of["large", "plant/huge"]
    assert undecodable["payload_bytes"] == 20_000_000 and undecodable["kept_bytes"] == 256 * 1024
    check_accounts(daemon, dead=2, decoded=1, dropped=0)
    assert daemon.source("other")["messages"]["received"] == 1


def test_a_flood_of_poison_is_bounded_in_number_and_bytes(broker, publisher, receiver, leat, tmp_path):
    from leat import Daemon

    config = '[dead_letters]\nmax_bytes = "200 kb"\nmax_count = 100\n'
    daemon = Daemon(leat, tmp_path / "bounded", config)
    try:
        daemon.add("poison", pipeline(broker.url, receiver.url))
        daemon.start().wait_connected("poison")
        for _ in range(5000):
            publisher.send("plant/flood", b"\xff" * 500)
        publisher.send("plant/fine", document(seq=1))
        publisher.flush()
        eventually(lambda: receiver.rows("/rows"), "the good row behind them", 60)
        totals = eventually(
            lambda: (t := daemon.ask("/api/v1/dead-letters").json()["totals"])["written"] == 5000 and t,
            "5,000 letters were written",
        )
        assert totals["letters"] <= 100 and totals["bytes"] <= 200 * 1024
        assert totals["letters"] + totals["pushed_out"] == 5000
        check_accounts(daemon, dead=5000, decoded=1)
        assert "leat_dead_letters_pushed_out_total" in daemon.ask("/metrics").text
        daemon.stop()
    finally:
        daemon.kill()
