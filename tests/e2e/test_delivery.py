"""From a real broker through windows to each kind of sink."""

import json

import pytest
from pipeline_text import mqtt_readings, often, windows_over_http, with_options
from processes import eventually
from readings import WINDOW_COLUMNS, WINDOW_QUERY, check_windows, closing, expected_windows, lines, readings

ROWS = readings(3000)


def publish_all(publisher, rows=ROWS, qos=1):
    for row, line in zip(rows, lines(rows)):
        publisher.send(f"site/mill/{row['device']}", line, qos)
    for line in lines(closing(rows)):
        publisher.send("site/mill/closing", line, qos)
    publisher.flush()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_windows_from_mqtt_reach_the_http_receiver(broker, publisher, receiver, daemon, qos):
    daemon.add("windows", windows_over_http(broker.url, receiver.url, qos=qos))
    daemon.start().wait_connected("windows")
    publish_all(publisher, qos=qos)
    want = len(expected_windows(ROWS))
    eventually(lambda: len(receiver.rows("/windows")) >= want, "all windows at the receiver")
    daemon.wait_delivered()
    check_windows(receiver.rows("/windows"), ROWS)
    requests = receiver.requests()
    keys = [dict(request["headers"])["Idempotency-Key"] for request in requests]
    assert len(set(keys)) == len(keys), "two requests had one Idempotency-Key although none was repeated"
    assert {dict(request["headers"])["Leat-Gateway"] for request in requests} == {"gateway-7"}
    assert daemon.source("windows")["messages"]["received"] == len(ROWS) + 1


def test_windows_from_mqtt_reach_kafka_with_keys_and_headers(broker, publisher, kafka, daemon):
    options = {
        "connector": "kafka",
        "topic": "windows",
        "properties.bootstrap.servers": kafka.address,
        "key.fields": "device",
        "key.format": "raw",
        "format": "json",
        "sink.retry.initial-backoff": "50 ms",
    }
    table = f"CREATE TABLE windows ({WINDOW_COLUMNS}) {with_options(options)};\n"
    daemon.add("to-kafka", often() + mqtt_readings(broker.url) + table + f"INSERT INTO windows {WINDOW_QUERY};")
    daemon.start().wait_connected("to-kafka")
    publish_all(publisher)
    want = len(expected_windows(ROWS))
    eventually(lambda: daemon.outbox() and daemon.outbox()[0]["records"]["delivered"] >= want, "all delivered", 60)
    messages = kafka.messages("windows")
    check_windows([message["value"] for message in messages], ROWS)
    assert all(message["key"] == message["value"]["device"] for message in messages)
    assert {message["headers"]["leat-gateway"] for message in messages} == {"gateway-7"}
    store = daemon.ask("/api/v1/outbox").json()["store_id"]
    assert all(message["headers"]["leat-shipment"].startswith(f"{store}:to-kafka:windows:") for message in messages)


def test_windows_from_mqtt_reach_files(broker, publisher, daemon, tmp_path):
    options = {
        "connector": "filesystem",
        "path": tmp_path / "out",
        "format": "json",
        "sink.rolling-policy.file-size": "1 kb",
        "sink.rolling-policy.inactivity-interval": "500 ms",
        "sink.rolling-policy.check-interval": "100 ms",
    }
    table = f"CREATE TABLE windows ({WINDOW_COLUMNS}) {with_options(options)};\n"
    daemon.add("to-files", often() + mqtt_readings(broker.url) + table + f"INSERT INTO windows {WINDOW_QUERY};")
    daemon.start().wait_connected("to-files")
    # In two parts: a file is rolled when the next shipment finds it full.
    for line in lines(ROWS[:1500]):
        publisher.send("site/mill/first", line)
    eventually(lambda: daemon.outbox() and daemon.outbox()[0]["records"]["delivered"], "the first windows in a file")
    publish_all(publisher, ROWS[1500:])
    want = len(expected_windows(ROWS))
    eventually(lambda: daemon.outbox() and daemon.outbox()[0]["records"]["delivered"] == want, "all delivered")

    def growing():
        return [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]

    eventually(lambda: not growing(), "the last file is published when nothing comes any more")
    rolled = sorted((tmp_path / "out").iterdir())
    assert len(rolled) > 1
    check_windows([json.loads(line) for path in rolled for line in path.read_text().splitlines()], ROWS)


def test_topic_parts_and_metadata_are_columns(broker, publisher, receiver, daemon):
    columns = """
      v DOUBLE, site STRING METADATA VIRTUAL, machine STRING METADATA VIRTUAL, topic STRING METADATA VIRTUAL,
      qos INT METADATA VIRTUAL, retained BOOLEAN METADATA VIRTUAL, received TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
    """
    source = mqtt_readings(
        broker.url, columns, extra={"topic": "site/+/+/+", "topic.pattern": "site/{site}/+/{machine}"}
    )
    out = {"connector": "http", "url": f"{receiver.url}/rows", "format": "json"}
    table = (
        "CREATE TABLE o (v DOUBLE, site STRING, machine STRING, topic STRING, qos INT, retained BOOLEAN, late BOOLEAN) "
    )
    query = "INSERT INTO o SELECT v, site, machine, topic, qos, retained, received < TIMESTAMPADD(MINUTE, -1, NOW()) FROM readings;"
    publisher.send("site/mill/line-1/fan-9", '{"v": 1.5}', retain=True)
    publisher.flush()
    daemon.add("topics", often() + source + table + with_options(out) + ";\n" + query)
    daemon.start().wait_connected("topics")
    publisher.send("site/quarry/line-2/pump-1", '{"v": 2.5}')
    rows = eventually(lambda: len(receiver.rows()) >= 2 and receiver.rows(), "both rows at the receiver")
    first, second = sorted(rows, key=lambda row: row["v"])
    assert first == {"v": 1.5, "site": "mill", "machine": "fan-9", "topic": "site/mill/line-1/fan-9", "qos": 1,
                     "retained": True, "late": False}  # fmt: skip
    assert second == {"v": 2.5, "site": "quarry", "machine": "pump-1", "topic": "site/quarry/line-2/pump-1", "qos": 1,
                      "retained": False, "late": False}  # fmt: skip


def test_a_quiet_source_closes_its_last_windows(broker, publisher, receiver, daemon):
    daemon.add("idle", windows_over_http(broker.url, receiver.url, extra={"scan.watermark.idle-timeout": "300 ms"}))
    daemon.start().wait_connected("idle")
    rows = ROWS[:200]
    for line in lines(rows):
        publisher.send("site/mill/x", line)
    publisher.flush()
    eventually(lambda: len(receiver.rows()) >= len(expected_windows(rows)), "all windows, the last ones too")
    check_windows(receiver.rows(), rows)


def test_undecodable_messages_are_dead_letters(broker, publisher, receiver, daemon):
    daemon.add("letters", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("letters")
    publisher.send("site/mill/bad", '{"device": "d", "ts": "not a time"}')
    publisher.send("site/mill/bad", b"\xff\xfe no JSON at all")
    publisher.send("site/mill/empty", b"")
    publish_all(publisher, ROWS[:100])

    def letters() -> list[dict]:
        return daemon.ask("/api/v1/dead-letters").json()["dead_letters"]

    eventually(lambda: len(letters()) == 2, "two dead letters")
    text = json.dumps(letters())
    assert "not a time" in text and "no JSON at all" in text
    assert all(letter["metadata"] == {"topic": "site/mill/bad"} for letter in letters())
    assert all(letter["pipeline"] == "letters" and letter["reason"] for letter in letters())
    messages = daemon.source("letters")["messages"]
    assert (messages["dead"], messages["empty"]) == (2, 1)
    assert daemon.pipeline("letters")["accounting_violations"] == []
    eventually(lambda: len(receiver.rows()) >= len(expected_windows(ROWS[:100])), "the good rows' windows")
