"""Brokers and upstreams that are absent, come late, go away and come back: nothing lost, nothing double, order kept."""

import threading

from mosquitto import Mosquitto
from mqtt_publisher import Publisher
from pipeline_text import mqtt_readings, often, windows_over_http, with_options
from ports import free_port
from processes import eventually
from readings import check_windows, closing, expected_windows, lines, readings
from receiver import Receiver

ROWS = readings(4000)


def messages(rows):
    return [(f"site/mill/{row['device']}", line) for row, line in zip(rows, lines(rows))]


def close_windows(publisher, rows):
    for line in lines(closing(rows)):
        publisher.send("site/mill/closing", line)
    publisher.flush()


def wait_for_windows(receiver, rows, seconds=60):
    want = len(expected_windows(rows))
    eventually(lambda: len(receiver.rows("/windows")) >= want, f"{want} windows at the receiver", seconds)
    check_windows(receiver.rows("/windows"), rows)


def test_a_broker_that_is_absent_at_start_may_come_later(tmp_path, receiver, daemon):
    port = free_port()
    daemon.add("windows", windows_over_http(f"tcp://127.0.0.1:{port}", receiver.url))
    daemon.start()
    lost = eventually(
        lambda: daemon.source("windows")["link"] == "lost" and daemon.source("windows"), "the link is lost"
    )
    assert f"127.0.0.1:{port}" in lost["detail"]
    eventually(lambda: "source cannot connect, trying again" in daemon.log(), "the log says that nobody is there")
    assert "lost its connection" not in daemon.log()
    assert daemon.ask("/healthz").status == 200
    broker = Mosquitto(tmp_path / "late-broker", port=port)
    try:
        daemon.wait_connected("windows")
        publisher = Publisher(port)
        for topic, line in messages(ROWS[:500]):
            publisher.send(topic, line)
        close_windows(publisher, ROWS[:500])
        publisher.close()
        wait_for_windows(receiver, ROWS[:500])
    finally:
        broker.stop()


def test_a_restarted_broker_finds_the_subscription_again(tmp_path, receiver, daemon):
    """Without persistence the broker forgets the session: Leat must subscribe anew by itself."""
    broker = Mosquitto(tmp_path / "forgetful-broker")
    try:
        daemon.add("windows", windows_over_http(broker.url, receiver.url))
        daemon.start().wait_connected("windows")
        broker.kill()
        eventually(lambda: daemon.source("windows")["link"] == "lost", "the link is lost")
        broker.start()
        daemon.wait_connected("windows")
        eventually(lambda: daemon.log().count("source connected") == 2, "the log says that it is back")
        assert daemon.log().count("source lost its connection") == 1
        publisher = Publisher(broker.port)
        for topic, line in messages(ROWS[:500]):
            publisher.send(topic, line)
        close_windows(publisher, ROWS[:500])
        publisher.close()
        wait_for_windows(receiver, ROWS[:500])
    finally:
        broker.stop()


def test_a_broker_restarted_under_load_loses_and_doubles_nothing(broker, publisher, receiver, daemon):
    """Row by row, as the publisher does not keep its order over a reconnect: windows would call much of it late.

    The publisher, too, sends again what the broker had not acknowledged to it before it went; behind the broker those
    are new messages, with new packet ids. So the rows upstream are as many as Leat took, and none is missing.
    """
    out = with_options({"connector": "http", "url": f"{receiver.url}/rows", "format": "json"})
    text = f"CREATE TABLE o (seq BIGINT) {out};\nINSERT INTO o SELECT seq FROM readings;"
    daemon.add("rows", often() + mqtt_readings(broker.url) + text)
    daemon.start().wait_connected("rows")
    sender = threading.Thread(target=publisher.send_paced, args=(messages(ROWS), 2000))
    sender.start()
    daemon.wait_received("rows", 1000)
    broker.stop()
    broker.start()
    sender.join()
    publisher.flush()
    want = {row["seq"] for row in ROWS}
    eventually(lambda: {row["seq"] for row in receiver.rows("/rows")} == want, "every row at the receiver", 60)
    daemon.wait_delivered()
    status = daemon.pipeline("rows")
    counts = status["sources"][0]["messages"]
    assert counts["dropped"] == 0 and counts["dead"] == 0 and status["accounting_violations"] == []
    assert len(receiver.rows("/rows")) == counts["decoded"]


def test_an_upstream_that_answers_503_gets_everything_in_order(broker, publisher, receiver, daemon):
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    receiver.script("503,429;retry-after=0,reset,500,cut,503")
    daemon.start().wait_connected("windows")
    for topic, line in messages(ROWS):
        publisher.send(topic, line)
    close_windows(publisher, ROWS)
    wait_for_windows(receiver, ROWS)
    check_order(receiver)
    statuses = [request["status"] for request in receiver.requests()]
    assert 503 in statuses and 500 in statuses, statuses
    daemon.wait_delivered()
    sink = daemon.outbox()[0]["records"]
    assert sink["delivered"] == sink["emitted"] == len(expected_windows(ROWS)) and sink["dropped"] == 0


def test_an_upstream_that_goes_away_gets_everything_when_it_is_back(broker, publisher, receiver, daemon):
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    half = messages(ROWS)[:2000]
    for topic, line in half:
        publisher.send(topic, line)
    publisher.flush()
    eventually(lambda: receiver.rows("/windows"), "the first windows at the receiver")
    receiver.stop()
    for topic, line in messages(ROWS)[2000:]:
        publisher.send(topic, line)
    close_windows(publisher, ROWS)
    waiting = eventually(
        lambda: daemon.outbox()[0]["records"]["waiting"] and daemon.outbox()[0], "windows wait in the outbox"
    )
    assert waiting["bytes"] > 0 and waiting["oldest"]
    daemon.stop()
    daemon.start()
    receiver.start()
    wait_for_windows(receiver, ROWS)
    check_order(receiver)


def check_order(receiver: Receiver):
    """A key's requests are one shipment; shipments and the windows in them came in their order."""
    taken = receiver.taken("/windows")
    keys = [entry["key"] for entry in taken]
    assert len(set(keys)) == len(keys), "one Idempotency-Key was taken twice"
    numbers = [int(key.split(":")[3]) for key in keys]
    assert numbers == sorted(numbers), f"shipments out of order: {numbers}"
    starts = [row["window_start"] for row in receiver.rows("/windows")]
    assert starts == sorted(starts), "windows out of order"
