"""Exactly once into a real Kafka, through the whole daemon: kills, a broker that dies, stores put back and copied."""

import os
import random
import shutil
import sqlite3
import time

import pytest
from leat import Daemon
from pipeline_text import mqtt_readings, often, with_options
from processes import eventually
from readings import WINDOW_COLUMNS, WINDOW_QUERY, check_windows, closing, expected_windows, lines, readings

KILLS = 40 if os.environ.get("LEAT_TEST_LONG") else 6


@pytest.fixture
def real_kafka(kafka):
    if not kafka.real:
        pytest.skip("the mock neither hides aborted records nor fences")
    return kafka


def kafka_table(kafka, topic, columns, **more):
    options = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": kafka.address,
        "format": "json",
        "sink.delivery-guarantee": "exactly-once",
        "sink.retry.initial-backoff": "50 ms",
        "sink.retry.max-backoff": "200 ms",
        "properties.reconnect.backoff.max.ms": "500",
        **more,
    }
    return f"CREATE TABLE upstream ({columns}) {with_options(options)};\n"


def windows(broker, kafka, topic):
    table = kafka_table(kafka, topic, WINDOW_COLUMNS, **{"sink.batch.max-rows": 7})
    return often("20 ms") + mqtt_readings(broker.url) + table + f"INSERT INTO upstream {WINDOW_QUERY};\n"


def numbers(broker, kafka, topic):
    """Each reading becomes a message."""
    table = kafka_table(kafka, topic, "seq BIGINT")
    return often("20 ms") + mqtt_readings(broker.url) + table + "INSERT INTO upstream SELECT seq FROM readings;\n"


def send(publisher, *seqs):
    rows = readings(len(seqs))
    for seq, row in zip(seqs, rows):
        row["seq"] = seq
    for line in lines(rows):
        publisher.send("site/mill/any", line)
    publisher.flush()


def arrived(kafka, topic):
    return [message["value"]["seq"] for message in kafka.messages(topic)]


def wait_arrived(kafka, topic, seqs):
    eventually(lambda: len(arrived(kafka, topic)) >= len(seqs), f"{seqs} in {topic}", 60)
    assert arrived(kafka, topic) == seqs


def sink(daemon):
    """The only sink; without a pipeline it has no delivery yet."""
    one = daemon.outbox()[0]
    return {**one, "hold": "", "shipments": {}, **(one["delivery"] or {})}


def test_each_window_arrives_once_across_kills_of_the_daemon(broker, publisher, real_kafka, daemon):
    rows = readings(400 * KILLS)
    random_moments = random.Random(11)
    daemon.add("kills", windows(broker, real_kafka, "kills"))
    daemon.start().wait_connected("kills")
    share = len(rows) // KILLS
    for kill in range(KILLS):
        for line in lines(rows[kill * share : (kill + 1) * share]):
            publisher.send("site/mill/any", line)
        publisher.flush()
        time.sleep(random_moments.random() * 0.4)  # A moment of the test's own choice, not a wait for anything.
        daemon.kill()
        daemon.start().wait_connected("kills")
    for line in lines(closing(rows)):
        publisher.send("site/mill/closing", line)
    publisher.flush()
    want = len(expected_windows(rows))
    eventually(lambda: len(real_kafka.messages("kills")) >= want, f"{want} windows in Kafka", 120)
    daemon.wait_delivered()
    check_windows([message["value"] for message in real_kafka.messages("kills")], rows)


def test_each_window_arrives_once_across_kills_of_the_broker(broker, publisher, real_kafka, daemon):
    rows = readings(2000)
    daemon.add("outage", windows(broker, real_kafka, "outage"))
    daemon.start().wait_connected("outage")
    for line in lines(rows[:1000]):
        publisher.send("site/mill/any", line)
    publisher.flush()
    eventually(lambda: daemon.outbox() and sink(daemon)["records"]["delivered"] > 0, "the first windows in Kafka", 60)
    real_kafka.kill()
    for line in lines(rows[1000:] + closing(rows)):
        publisher.send("site/mill/any", line)
    publisher.flush()
    real_kafka.start()
    want = len(expected_windows(rows))
    eventually(lambda: sink(daemon)["records"]["delivered"] >= want, f"{want} windows delivered", 120)
    check_windows([message["value"] for message in real_kafka.messages("outage")], rows)


def test_a_store_that_was_put_back_asks_and_is_told(broker, publisher, real_kafka, daemon, tmp_path):
    daemon.add("restored", numbers(broker, real_kafka, "restored"))
    daemon.start().wait_connected("restored")
    send(publisher, 1)
    wait_arrived(real_kafka, "restored", [1])
    daemon.wait_delivered()
    daemon.stop()
    shutil.copytree(daemon.folder / "data", tmp_path / "backup")
    daemon.start().wait_connected("restored")
    send(publisher, 2)
    wait_arrived(real_kafka, "restored", [1, 2])
    daemon.wait_delivered()
    daemon.kill()
    shutil.rmtree(daemon.folder / "data")
    shutil.copytree(tmp_path / "backup", daemon.folder / "data")
    daemon.start().wait_connected("restored")
    send(publisher, 3)
    eventually(lambda: sink(daemon)["hold"] == "undecided", "the sink asks", 60)
    assert "leat outbox resend restored upstream" in sink(daemon)["last_error"]
    ready = daemon.ask("/readyz")
    assert ready.status == 503 and "sink 'upstream' of pipeline 'restored' is paused" in ready.text
    listed = daemon.verb("outbox", "list")
    assert listed.returncode == 0 and "paused (undecided)" in listed.stdout
    shown = daemon.verb("outbox", "show", "restored", "upstream")
    assert "leat outbox skip restored upstream" in shown.stdout
    eventually(lambda: "sink is paused: it waits for a decision" in daemon.log(), "the log says so")
    daemon.kill()
    daemon.start()  # It comes to the same conclusion again.
    eventually(lambda: sink(daemon)["hold"] == "undecided", "the sink asks again", 60)
    resent = daemon.verb("outbox", "resend", "restored", "upstream")
    assert resent.returncode == 0, resent.stderr
    wait_arrived(real_kafka, "restored", [1, 2, 3])
    eventually(lambda: sink(daemon)["hold"] == "none", "the hold is over")
    assert "somebody commanded a sink" in daemon.log() and "command=resend" in daemon.log()
    eventually(lambda: sink(daemon)["shipments"] == {"resent": 1, "skipped": 0}, "it is counted")
    again = daemon.verb("outbox", "skip", "restored", "upstream")
    assert again.returncode == 1 and "waits for a decision" in again.stderr
    send(publisher, 4)
    wait_arrived(real_kafka, "restored", [1, 2, 3, 4])


def test_what_waited_in_a_copied_store_is_delivered_by_one_of_the_two(
    broker, publisher, real_kafka, daemon, tmp_path
):
    daemon.add("copied", numbers(broker, real_kafka, "copied"))
    daemon.start().wait_connected("copied")
    send(publisher, 1)
    wait_arrived(real_kafka, "copied", [1])
    assert daemon.verb("outbox", "pause", "copied", "upstream").returncode == 0
    send(publisher, 2)
    eventually(lambda: sink(daemon)["records"]["waiting"] == 1, "a record waits")
    daemon.stop()
    copy = Daemon(daemon.leat, tmp_path / "copy")
    shutil.copytree(daemon.folder / "data", copy.folder / "data")
    with sqlite3.connect(copy.folder / "data" / "leat.db") as store:
        store.execute("UPDATE store SET machine_id = 'another machine'")
    copy.add("copied", numbers(broker, real_kafka, "copied"))
    try:
        copy.start()
        eventually(lambda: sink(copy)["hold"] == "by user", "the pause outlives the copy")
        assert copy.verb("outbox", "resume", "copied", "upstream").returncode == 0
        wait_arrived(real_kafka, "copied", [1, 2])
        copy.wait_delivered()
        daemon.start()
        assert daemon.verb("outbox", "resume", "copied", "upstream").returncode == 0
        eventually(lambda: sink(daemon)["hold"] == "undecided", "the original asks", 60)
        assert daemon.verb("outbox", "skip", "copied", "upstream").returncode == 0
        daemon.wait_delivered()
        assert arrived(real_kafka, "copied") == [1, 2]
    finally:
        copy.stop()


def test_a_sink_that_is_paused_delivers_nothing(broker, publisher, real_kafka, daemon):
    daemon.add("paused", numbers(broker, real_kafka, "paused"))
    daemon.start().wait_connected("paused")
    send(publisher, 1)
    wait_arrived(real_kafka, "paused", [1])
    assert daemon.post("/api/v1/outbox/paused/upstream/pause").status == 200
    eventually(lambda: sink(daemon)["hold"] == "by user", "it is paused")
    assert daemon.ask("/readyz").status == 200, "whoever paused it knows"
    send(publisher, 2, 3)
    eventually(lambda: sink(daemon)["records"]["waiting"] == 2, "they wait")
    assert arrived(real_kafka, "paused") == [1]
    assert daemon.post("/api/v1/outbox/paused/upstream/resume").status == 200
    wait_arrived(real_kafka, "paused", [1, 2, 3])


def test_commands_to_sinks_that_are_not_there(daemon):
    daemon.start()
    for command in ("pause", "resume", "resend", "skip"):
        assert daemon.post(f"/api/v1/outbox/nobody/upstream/{command}").status == 404
    unknown = daemon.verb("outbox", "show", "nobody", "upstream")
    assert unknown.returncode == 1 and "no such sink" in unknown.stderr


def test_what_a_page_in_a_browser_sends_is_refused(daemon):
    daemon.start()
    path = "/api/v1/outbox/nobody/upstream/skip"
    assert daemon.post(path, headers={"Origin": "http://evil.example"}).status == 403
    assert daemon.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert daemon.post(path, headers={"Host": "evil.example:8463"}).status == 403
    assert daemon.post(path, headers={"Content-Type": "text/plain"}).status == 415
    assert daemon.ask("/healthz").status == 200
