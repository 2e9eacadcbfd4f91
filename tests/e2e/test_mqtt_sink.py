"""MQTT out: rows as messages, birth and will, and a broker that is away while another one's messages come in."""

import json
import os
import pathlib
import signal

import paho.mqtt.client as paho
import pytest
from broken_broker import SilentBroker
from mosquitto import Mosquitto
from mqtt_publisher import Publisher
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pipeline_text import mqtt_readings, often, with_options
from ports import free_port
from processes import eventually


class Witness:
    """A subscriber whose session the broker keeps; what it got, in order, by the record's name once."""

    def __init__(self, port: int, topic: str):
        self.messages: list[tuple[str, str, bool]] = []
        self.records: set[str] = set()
        self.doubles = 0
        self.subscribed = False
        self.client = paho.Client("witness", protocol=paho.MQTTv5)
        self.client.on_message = self._take
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self.client.on_subscribe = self._subscribed
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port, clean_start=False, properties=properties)
        self.client.loop_start()
        eventually(lambda: self.subscribed, "the witness is subscribed")

    def _subscribed(self, *_) -> None:
        self.subscribed = True

    def _take(self, _client, _userdata, message) -> None:
        record = dict(getattr(message.properties, "UserProperty", [])).get("leat-record")
        if record in self.records:
            self.doubles += 1
            return
        if record:
            self.records.add(record)
        self.messages.append((message.topic, message.payload.decode(), message.retain))

    def rows(self) -> list[dict]:
        return [json.loads(payload) for topic, payload, _ in self.messages if not topic.endswith("/life")]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def upstream(tmp_path):
    broker = Mosquitto(tmp_path / "upstream", persistence=True)
    yield broker
    broker.stop()


@pytest.fixture
def witness(upstream):
    witness = Witness(upstream.port, "up/#")
    yield witness
    witness.close()


def bridge(source_url: str, sink_url: str, **options) -> str:
    out = {
        "connector": "mqtt",
        "url": sink_url,
        "topic": "up/{line}/{seq}",
        "format": "json",
        "reconnect.min-delay": "100 ms",
        "reconnect.max-delay": "500 ms",
        "publish.timeout": "1 s",
        "sink.retry.initial-backoff": "50 ms",
        "sink.retry.max-backoff": "200 ms",
        **options,
    }
    return (
        often()
        + mqtt_readings(source_url, columns="seq BIGINT, line STRING")
        + f"CREATE TABLE o (seq BIGINT, line STRING) {with_options(out)};\nINSERT INTO o SELECT seq, line FROM readings;"
    )


def send(publisher: Publisher, begin: int, end: int, line: str = "a") -> None:
    for seq in range(begin, end):
        publisher.send("site/a", json.dumps({"seq": seq, "line": line}))
    publisher.flush()


def wait_for(witness: Witness, count: int, seconds: float = 60) -> None:
    eventually(lambda: len(witness.rows()) >= count, f"{count} messages", seconds)
    assert [row["seq"] for row in witness.rows()] == list(range(count))


def test_rows_are_messages_on_topics_made_of_their_columns(broker, publisher, upstream, witness, daemon):
    daemon.add("bridge", bridge(broker.url, upstream.url))
    daemon.start().wait_connected("bridge")
    send(publisher, 0, 200)
    wait_for(witness, 200)
    assert witness.messages[7] == ("up/a/7", '{"seq":7,"line":"a"}', False)
    assert witness.doubles == 0
    daemon.wait_delivered()
    assert daemon.pipeline("bridge")["accounting_violations"] == []


def test_one_broker_for_both_directions_is_no_trouble_in_a_storm(broker, publisher, daemon):
    witness = Witness(broker.port, "up/#")
    daemon.add("bridge", bridge(broker.url, broker.url))
    daemon.start().wait_connected("bridge")
    send(publisher, 0, 20_000)
    wait_for(witness, 20_000)
    witness.close()


def test_a_sink_whose_broker_does_not_answer_holds_up_no_source(broker, publisher, upstream, witness, receiver, daemon):
    daemon.add("bridge", bridge(broker.url, upstream.url))
    daemon.add(
        "other",
        often()
        + mqtt_readings(broker.url, columns="seq BIGINT")
        + f"CREATE TABLE o (seq BIGINT) {with_options({'connector': 'http', 'url': receiver.url + '/rows', 'format': 'json'})};\n"
        "INSERT INTO o SELECT seq FROM readings;",
    )
    daemon.start().wait_connected("bridge", "other")
    os.kill(upstream.running.process.pid, signal.SIGSTOP)
    send(publisher, 0, 500)
    eventually(lambda: len(receiver.rows("/rows")) == 500, "the other pipeline's rows")
    daemon.wait_received("bridge", 500)
    assert witness.rows() == []
    os.kill(upstream.running.process.pid, signal.SIGCONT)
    wait_for(witness, 500)


def test_what_is_not_acknowledged_is_sent_again_on_another_connection(broker, publisher, daemon):
    silent = SilentBroker()
    daemon.add("bridge", bridge(broker.url, silent.url, **{"publish.timeout": "500 ms"}))
    daemon.start().wait_connected("bridge")
    send(publisher, 0, 50)
    eventually(lambda: len(silent.payloads.get(2, [])) == 50, "all rows on the second connection")
    daemon.wait_delivered()
    silent.close()
    # Nothing that was handed over for the first connection comes in between.
    assert [json.loads(payload)["seq"] for payload in silent.payloads[2]] == list(range(50))
    assert silent.connects == 2


def settled(daemon, count: int) -> dict:
    """What became of the sink's records, when all are settled."""

    def look():
        records = [sink["records"] for sink in daemon.outbox()]
        return records and records[0]["delivered"] + records[0]["rejected"] == count and records[0]

    return eventually(look, f"{count} records are settled", 60)


def wait_for_each_once(witness: Witness, seqs: list[int]) -> None:
    """MQTT 3.1.1 has no name for a record that would tell a repeat."""
    eventually(lambda: list(dict.fromkeys(row["seq"] for row in witness.rows())) == seqs, f"messages {seqs}")


@pytest.fixture
def small(tmp_path):
    broker = Mosquitto(tmp_path / "small", extra=["max_packet_size 2000"])
    yield broker
    broker.stop()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_record_that_the_broker_does_not_take_holds_up_no_other(small, broker, publisher, daemon, protocol):
    witness = Witness(small.port, "up/#")
    daemon.add("bridge", bridge(broker.url, small.url, topic="up/{seq}", **{"protocol-version": protocol}))
    daemon.start().wait_connected("bridge")
    for seq in range(20):
        publisher.send("site/a", json.dumps({"seq": seq, "line": "x" * (5000 if seq == 7 else 5)}))
    assert settled(daemon, 20)["rejected"] == 1
    wait_for_each_once(witness, [seq for seq in range(20) if seq != 7])
    assert protocol != "5" or witness.doubles == 0
    witness.close()


def test_a_record_that_the_broker_does_not_take_is_found_after_a_restart_and_were_it_the_only_one(
    small, broker, publisher, daemon
):
    witness = Witness(small.port, "up/#")
    daemon.add("bridge", bridge(broker.url, small.url, topic="up/{seq}", **{"protocol-version": "3.1.1"}))
    daemon.start().wait_connected("bridge")
    publisher.send("site/a", json.dumps({"seq": 0, "line": "x" * 5000}))
    publisher.flush()
    eventually(lambda: [sink["records"]["waiting"] for sink in daemon.outbox()] == [1], "the record waits")
    daemon.kill()
    daemon.start().wait_connected("bridge")
    assert settled(daemon, 1)["rejected"] == 1
    send(publisher, 1, 3)
    assert settled(daemon, 3)["rejected"] == 1
    wait_for_each_once(witness, [1, 2])
    witness.close()


def test_a_broker_that_restarts_and_a_daemon_that_is_killed_lose_nothing(broker, publisher, upstream, witness, daemon):
    daemon.add("bridge", bridge(broker.url, upstream.url))
    daemon.start().wait_connected("bridge")
    send(publisher, 0, 300)
    upstream.stop()
    send(publisher, 300, 600)
    daemon.kill()
    upstream.start()
    send(publisher, 600, 900)
    daemon.start().wait_connected("bridge")
    wait_for(witness, 900)


def test_birth_and_will_tell_whether_the_pipeline_lives(broker, upstream, witness, daemon):
    life = {"birth.topic": "up/life", "will.topic": "up/life"}
    daemon.add("bridge", bridge(broker.url, upstream.url, **life))

    def last() -> str:
        return witness.messages[-1][1] if witness.messages else ""

    daemon.start()
    eventually(lambda: last() == "online", "the birth")
    daemon.stop()
    eventually(lambda: last() == "offline", "the will at a clean end")
    daemon.start()
    eventually(lambda: last() == "online", "the second birth")
    daemon.kill()
    eventually(lambda: last() == "offline", "the will after a kill")


def test_a_connection_whose_birth_others_wait_for_tells_of_its_trouble(broker, daemon):
    url = f"tcp://127.0.0.1:{free_port()}"
    daemon.add("bridge", bridge(broker.url, url, **{"birth.topic": "up/life", "will.topic": "up/life"}))
    daemon.start()
    eventually(lambda: "no connection" in daemon.pipeline("bridge")["sinks"][0]["last_error"], "the trouble is told")


def test_a_row_without_a_topic_is_a_dead_letter_and_a_topic_that_is_forbidden_pauses(tmp_path, broker, publisher, daemon):
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite up/a/#\n")
    upstream = Mosquitto(tmp_path / "strict", extra=[f"acl_file {acl}"])
    daemon.add("bridge", bridge(broker.url, upstream.url))
    daemon.start().wait_connected("bridge")
    publisher.send("site/a", '{"seq": 1, "line": "a"}')
    publisher.send("site/a", '{"seq": 2, "line": null}')
    publisher.flush()

    def reasons() -> list[str]:
        return [letter["reason"] for letter in daemon.ask("/api/v1/dead-letters").json()["dead_letters"]]

    eventually(lambda: reasons() == ["column 'line' of the topic is NULL"], "a dead letter")
    send(publisher, 3, 4, line="forbidden")
    eventually(lambda: daemon.pipeline("bridge")["sinks"][0]["delivery"] == "paused", "the sink pauses")
    assert "ot authorized" in daemon.pipeline("bridge")["sinks"][0]["last_error"]
    upstream.stop()


def test_a_topic_with_a_column_that_is_not_there_is_an_error_before_anything_runs(tmp_path, run_leat):
    file = tmp_path / "wrong.sql"
    file.write_text(bridge("tcp://127.0.0.1:1", "tcp://127.0.0.1:1", topic="up/{lin}"))
    answer = run_leat("check", pathlib.Path(file))
    assert answer.returncode == 78
    assert "table 'o' has no column 'lin' (did you mean 'line'?)" in answer.stderr + answer.stdout


def test_a_birth_that_is_forbidden_is_told_and_logged(tmp_path, broker, daemon):
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite up/a/#\n")
    strict = Mosquitto(tmp_path / "strict", extra=[f"acl_file {acl}"])
    daemon.add("bridge", bridge(broker.url, strict.url, **{"birth.topic": "up/life"}))
    daemon.start()
    eventually(lambda: daemon.pipeline("bridge")["sinks"][0]["last_error"], "it is told")
    eventually(lambda: "sink is in trouble" in daemon.log(), "it is logged")
    strict.stop()
