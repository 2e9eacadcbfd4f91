"""Avro against Apache's own implementation, in both directions, over MQTT."""

import datetime
import decimal
import io
import json
import re
import subprocess

import avro.io
import avro.schema
import paho.mqtt.client as paho
import pytest
from pipeline_text import often, with_options
from processes import eventually

# What a device sends: other fields, another order, and names that are used again.
GIVEN = {
    "type": "record",
    "name": "Reading",
    "namespace": "plant",
    "fields": [
        {"name": "junk", "type": {"type": "map", "values": {"type": "array", "items": ["null", "double"]}}},
        {"name": "place", "type": ["null", {"type": "record", "name": "Place", "fields": [{"name": "row", "type": "long"}, {"name": "hall", "type": "string"}]}]},
        {"name": "before", "type": ["null", "Place"]},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["COLD", "HOT"]}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "samples", "type": {"type": "array", "items": "int"}},
        {"name": "totals", "type": {"type": "map", "values": "long"}},
        {"name": "raw", "type": {"type": "fixed", "name": "Two", "size": 2}},
        {"name": "value", "type": ["double", "null"]},
        {"name": "device", "type": "string"},
    ],
}
COLUMNS = (
    "device STRING, `value` DOUBLE, kind STRING, price DECIMAL(10, 2), `day` DATE, `at` TIMESTAMP(6), samples ARRAY<INT>, "
    "totals MAP<STRING, BIGINT>, place ROW<hall STRING, `row` BIGINT>, `raw` BYTES"
)
UTC = datetime.timezone.utc
MOMENT = datetime.datetime(2026, 1, 5, 6, 0, 0, 123456, tzinfo=UTC)
READING = {
    "junk": {"k": [None, 1.5]},
    "place": {"row": -3, "hall": "A"},
    "before": {"row": 1, "hall": "B"},
    "kind": "HOT",
    "price": decimal.Decimal("-123.45"),
    "day": datetime.date(1969, 12, 31),
    "at": MOMENT,
    "samples": [-1, 0, 2**31 - 1],
    "totals": {"a": 2**63 - 1},
    "raw": b"\x00\xff",
    "value": -1.5,
    "device": "press ä",
}
EMPTY = {**READING, "junk": {}, "place": None, "samples": [], "totals": {}, "value": None, "device": ""}


def encoded(schema: dict, record: dict) -> bytes:
    out = io.BytesIO()
    avro.io.DatumWriter(avro.schema.parse(json.dumps(schema))).write(record, avro.io.BinaryEncoder(out))
    return out.getvalue()


def decoded(schema: dict, data: bytes) -> dict:
    stream = io.BytesIO(data)
    record = avro.io.DatumReader(avro.schema.parse(json.dumps(schema))).read(avro.io.BinaryDecoder(stream))
    assert stream.read() == b""
    return record


@pytest.fixture
def inbox(broker):
    """What comes to the topic `out`."""
    messages: list[bytes] = []
    subscribed: list[bool] = []
    client = paho.Client("inbox", protocol=paho.MQTTv5)
    client.on_message = lambda _client, _data, message: messages.append(message.payload)
    client.on_subscribe = lambda *_: subscribed.append(True)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.subscribe("out", qos=1)
    eventually(lambda: subscribed, "the inbox is subscribed")
    yield messages
    client.disconnect()
    client.loop_stop()


def pipeline(url: str, read: dict, write: dict) -> str:
    source = with_options({"connector": "mqtt", "url": url, "topic": "in", "qos": "1", **read})
    sink = with_options({"connector": "mqtt", "url": url, "topic": "out", "qos": "1", **write})
    return often() + f"CREATE TABLE i ({COLUMNS}) {source};\nCREATE TABLE o ({COLUMNS}) {sink};\nINSERT INTO o SELECT * FROM i;\n"


def union(avro_type: object) -> list:
    return ["null", avro_type]


# What Flink makes of COLUMNS.
DERIVED = {
    "type": "record",
    "name": "record",
    "fields": [
        {"name": "device", "type": union("string")},
        {"name": "value", "type": union("double")},
        {"name": "kind", "type": union("string")},
        {"name": "price", "type": union({"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2})},
        {"name": "day", "type": union({"type": "int", "logicalType": "date"})},
        {"name": "at", "type": union({"type": "long", "logicalType": "timestamp-micros"})},
        {"name": "samples", "type": union({"type": "array", "items": union("int")})},
        {"name": "totals", "type": union({"type": "map", "values": union("long")})},
        {"name": "place", "type": union({"type": "record", "name": "record_place", "fields": [{"name": "hall", "type": union("string")}, {"name": "row", "type": union("long")}]})},
        {"name": "raw", "type": union("bytes")},
    ],
}


def wanted(record: dict) -> dict:
    return {field["name"]: record[field["name"]] for field in DERIVED["fields"]}


def test_what_apache_writes_is_read_and_what_leat_writes_apache_reads(tmp_path, broker, publisher, inbox, daemon):
    (tmp_path / "reading.avsc").write_text(json.dumps(GIVEN))
    read = {"format": "avro", "avro.schema-file": tmp_path / "reading.avsc"}
    daemon.add("rows", pipeline(broker.url, read, {"format": "avro"}))
    daemon.start().wait_connected("rows")
    good = encoded(GIVEN, READING)
    for message in (good, good[:-1], encoded(GIVEN, EMPTY), b'{"device": "x"}'):
        publisher.send("in", message)
    publisher.flush()
    eventually(lambda: len(inbox) == 2, "the records arrive")
    assert [decoded(DERIVED, data) for data in inbox] == [wanted(READING), wanted(EMPTY)]
    letters = eventually(
        lambda: len(found := daemon.ask("/api/v1/dead-letters").json()["dead_letters"]) == 2 and found, "the others are dead"
    )
    assert any("field 'device': the message ends too early" in letter["reason"] for letter in letters), letters
    assert daemon.pipeline("rows")["accounting_violations"] == []


def test_messages_of_a_schema_registry(broker, publisher, inbox, daemon):
    read = {"format": "avro-confluent", "avro-confluent.schema": json.dumps(GIVEN), "avro-confluent.schema-id": "258"}
    daemon.add("rows", pipeline(broker.url, read, {"format": "avro-confluent", "avro-confluent.schema-id": "7"}))
    daemon.start().wait_connected("rows")
    for header in (b"\x00\x00\x00\x01\x02", b"\x00\x00\x00\x01\x03", b""):
        publisher.send("in", header + encoded(GIVEN, READING))
    publisher.flush()
    eventually(lambda: len(inbox) == 1, "the record arrives")
    assert inbox[0][:5] == b"\x00\x00\x00\x00\x07" and decoded(DERIVED, inbox[0][5:]) == wanted(READING)
    letters = eventually(
        lambda: len(found := daemon.ask("/api/v1/dead-letters").json()["dead_letters"]) == 2 and found, "the others are dead"
    )
    assert any("schema 259, and 'avro-confluent.schema-id' is 258" in letter["reason"] for letter in letters), letters


def test_what_does_not_fit_is_said_by_check(run_leat, tmp_path):
    (tmp_path / "reading.avsc").write_text(json.dumps(GIVEN))

    def complaint(columns: str, options: dict, role: str = "source") -> str:
        table = f"CREATE TABLE t ({columns}) {with_options({'format': 'avro', **options})};\n"
        query = "INSERT INTO b SELECT 1 FROM t;" if role == "source" else "INSERT INTO t SELECT 'x';"
        (tmp_path / "p.sql").write_text(table + "CREATE TABLE b (n INT) WITH ('connector' = 'blackhole');\n" + query)
        done = run_leat("check", tmp_path / "p.sql")
        assert done.returncode == 78, done.stdout
        return done.stderr

    mqtt = {"connector": "mqtt", "url": "tcp://localhost:1", "topic": "t", "avro.schema-file": tmp_path / "reading.avsc"}
    assert "record plant.Reading has no field 'devise' (did you mean 'device'?)" in complaint("devise STRING", mqtt)
    assert "cannot hold array of int" in complaint("samples INT", mqtt)
    assert "is no file of at most 4 MiB" in complaint("device STRING", {**mqtt, "avro.schema-file": "/dev/zero"})
    assert "field 'junk' of record plant.Reading must be written" in complaint("device STRING NOT NULL", mqtt, "sink")
    files = {"connector": "filesystem", "path": "x"}
    assert "have no end that a file could be cut at" in complaint("device STRING", files)


def test_the_program_has_functions_of_its_own_for_the_errors_of_avro_c(leat):
    """The library's print into one buffer without a lock. A program's own come first only if the linker exports them."""
    names = subprocess.run(["nm", "-D", "--defined-only", leat], capture_output=True, text=True, check=True).stdout
    assert re.search(r" T avro_set_error$", names, re.MULTILINE) and re.search(r" T avro_prefix_error$", names, re.MULTILINE)
