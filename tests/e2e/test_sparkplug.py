"""Sparkplug B with a real broker and an edge node whose payloads Google's implementation writes and reads."""

import gzip
import importlib.util
import json
import subprocess
import threading
import time
import zlib

import paho.mqtt.client as mqtt
import pytest
from pipeline_text import often, with_options
from processes import eventually

# The part of the specification's payload that the edge node uses.
PROTO = """\
syntax = "proto2";
package plant.sparkplug;
message Payload {
  message Metric {
    optional string name = 1;
    optional uint64 alias = 2;
    optional uint64 timestamp = 3;
    optional uint32 datatype = 4;
    optional bool is_historical = 5;
    optional bool is_transient = 6;
    optional bool is_null = 7;
    optional PropertySet properties = 9;
    oneof value {
      uint32 int_value = 10;
      uint64 long_value = 11;
      float float_value = 12;
      double double_value = 13;
      bool boolean_value = 14;
      string string_value = 15;
      bytes bytes_value = 16;
      DataSet dataset_value = 17;
    }
  }
  message PropertySet { repeated string keys = 1; repeated PropertyValue values = 2; }
  message PropertyValue { optional uint32 type = 1; optional uint32 int_value = 3; }
  message DataSet {
    message Value { oneof value { uint32 int_value = 1; string string_value = 6; } }
    message Row { repeated Value elements = 1; }
    optional uint64 num_of_columns = 1;
    repeated string columns = 2;
    repeated uint32 types = 3;
    repeated Row rows = 4;
  }
  optional uint64 timestamp = 1;
  repeated Metric metrics = 2;
  optional uint64 seq = 3;
  optional string uuid = 4;
  optional bytes body = 5;
}
"""
INT8, INT32, INT64, FLOAT, BOOLEAN, STRING, DATASET = 1, 3, 4, 9, 11, 12, 16
REBIRTH = "Node Control/Rebirth"
COMPRESS = {"GZIP": gzip.compress, "DEFLATE": zlib.compress}
MORNING = 1_767_592_800_000  # 2026-01-05 06:00:00


@pytest.fixture(scope="module")
def payload_type(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sparkplug")
    (folder / "sparkplug.proto").write_text(PROTO)
    subprocess.run(["protoc", f"-I{folder}", f"--python_out={folder}", "sparkplug.proto"], check=True)
    spec = importlib.util.spec_from_file_location("sparkplug_pb2", folder / "sparkplug_pb2.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Payload


class EdgeNode:
    """plant/line3 with the device press: births name metrics, data has aliases only, and a rebirth is done as asked."""

    def __init__(self, port: int, payload_type, bd_seq: int = 0):
        self.payload_type = payload_type
        self.bd_seq = bd_seq
        self.seq = 0
        self.time = MORNING
        self.rebirths = 0
        self.algorithm: str | None = None  # Of its births and data; one of COMPRESS.
        self.gone = False
        self.commands: list[bytes] = []
        self.lock = threading.Lock()
        self.subscribed = threading.Event()
        self.client = mqtt.Client(protocol=mqtt.MQTTv311)
        self.client.will_set("spBv1.0/plant/NDEATH/line3", self.death(), qos=1)
        self.client.on_message = self._on_command
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe("spBv1.0/plant/NCMD/line3", qos=1)
        assert self.subscribed.wait(10)

    def death(self) -> bytes:
        payload = self.payload_type(timestamp=MORNING)
        payload.metrics.add(name="bdSeq", datatype=INT64, long_value=self.bd_seq)
        return payload.SerializeToString()

    def _on_command(self, _client, _userdata, message) -> None:
        command = self.payload_type.FromString(message.payload)
        self.commands.append(message.payload)
        if any(metric.name == REBIRTH and metric.boolean_value for metric in command.metrics):
            self.rebirths += 1
            self.birth()

    def publish(self, kind: str, metrics: list[dict], device: str = "", seq: int | None = None) -> None:
        self.time += 1000
        payload = self.payload_type(timestamp=self.time, seq=self.seq if seq is None else seq)
        for metric in metrics:
            payload.metrics.add(**metric)
        self.seq = (payload.seq + 1) % 256
        topic = f"spBv1.0/plant/{kind}/line3" + (f"/{device}" if device else "")
        self.client.publish(topic, self.compressed(payload).SerializeToString(), qos=0)

    def compressed(self, payload):
        """In the envelope of Eclipse Tahu's."""
        if self.algorithm is None:
            return payload
        body = COMPRESS[self.algorithm](payload.SerializeToString())
        outer = self.payload_type(timestamp=payload.timestamp, seq=payload.seq, uuid="SPBV1.0_COMPRESSED", body=body)
        outer.metrics.add(name="algorithm", datatype=STRING, string_value=self.algorithm)
        return outer

    def birth(self) -> None:
        with self.lock:
            node = [
                {"name": "bdSeq", "datatype": INT64, "long_value": self.bd_seq},
                {"name": REBIRTH, "datatype": BOOLEAN, "boolean_value": False},
                {"name": "load", "alias": 1, "datatype": INT8, "int_value": 2**32 - 3},
            ]
            self.publish("NBIRTH", node, seq=0)
            device = [
                {"name": "temperature", "alias": 2, "datatype": FLOAT, "float_value": 20.5},
                {"name": "offset", "alias": 3, "datatype": INT32, "int_value": 5},
                {"name": "state", "alias": 4, "datatype": STRING, "string_value": "idle"},
            ]
            self.publish("DBIRTH", device, "press")

    def data(self, *metrics: dict) -> None:
        with self.lock:
            self.publish("DDATA", list(metrics), "press")

    def lose_message(self) -> None:
        with self.lock:
            self.seq = (self.seq + 1) % 256

    def vanish(self) -> None:
        """Without a word: the broker speaks the will."""
        self.client.loop_stop()
        self.client.socket().close()
        self.gone = True

    def leave(self) -> None:
        if not self.gone:
            self.client.disconnect()
            self.client.loop_stop()


@pytest.fixture
def edge(broker, payload_type):
    node = EdgeNode(broker.port, payload_type)
    yield node
    node.leave()


OUT = (
    "event STRING, group_id STRING, node_id STRING, device_id STRING, metric STRING, int_value BIGINT, double_value DOUBLE, "
    "string_value STRING, ts TIMESTAMP_LTZ(3), reason STRING, properties STRING"
)


def pipeline(broker, receiver, state: dict | None = None, interval: str = "'1' SECOND", rowtime: bool = False) -> str:
    link = {"connector": "mqtt", "url": broker.url, "reconnect.min-delay": "100 ms", "reconnect.max-delay": "300 ms"}
    read = with_options({**link, "topic": "spBv1.0/+/+/+/#", "format": "sparkplug"})
    write = with_options({"connector": "http", "url": f"{receiver.url}/rows", "format": "json"})
    ask = with_options(
        {**link, "topic": "spBv1.0/{group_id}/NCMD/{node_id}", "qos": 0, "format": "sparkplug", **(state or {})}
    )
    columns = [name.split()[0] for name in OUT.split(", ")]
    return (
        often()
        + "CREATE TABLE metrics (topic STRING METADATA VIRTUAL, seq INT, bd_seq BIGINT, metric_index INT, metric STRING, "
        "alias BIGINT, datatype STRING, ts TIMESTAMP_LTZ(3), properties STRING, int_value BIGINT, double_value DOUBLE, "
        f"boolean_value BOOLEAN, string_value STRING{', WATERMARK FOR ts AS ts' if rowtime else ''}) {read};\n"
        f"CREATE TABLE o ({OUT}) {write};\n"
        "CREATE TABLE commands (group_id STRING, node_id STRING, metric STRING, boolean_value BOOLEAN, "
        f"ts TIMESTAMP_LTZ(3)) {ask};\n"
        "CREATE VIEW events AS SELECT * FROM SPARKPLUG(input => TABLE metrics, "
        f"rebirth_interval => INTERVAL {interval});\n"
        f"INSERT INTO o SELECT {', '.join(columns)} FROM events;\n"
        f"INSERT INTO commands SELECT group_id, node_id, '{REBIRTH}', TRUE, ts FROM events WHERE event = 'REBIRTH';\n"
    )


def shown(receiver) -> list[tuple]:
    """(event, device, metric, value) of the rows so far."""
    rows = receiver.rows("/rows")
    value = lambda row: row["string_value"] if row["string_value"] is not None else row["double_value"]  # noqa: E731
    return [(row["event"], row["device_id"], row["metric"], value(row)) for row in rows]


def values(receiver) -> list[tuple]:
    return [row[2:] for row in shown(receiver) if row[0] == "VALUE" and row[1] == "press"]


BIRTH = [
    ("ONLINE", None, None, None),
    ("VALUE", None, "bdSeq", 0.0),
    ("VALUE", None, REBIRTH, None),
    ("VALUE", None, "load", -3.0),
    ("ONLINE", "press", None, None),
    ("VALUE", "press", "temperature", 20.5),
    ("VALUE", "press", "offset", 5.0),
    ("VALUE", "press", "state", "idle"),
]


def test_births_data_and_the_will_of_a_node_that_vanishes(broker, receiver, daemon, edge):
    daemon.add("plant", pipeline(broker, receiver))
    daemon.start().wait_connected("plant")
    edge.birth()
    edge.data({"alias": 2, "float_value": 21.5}, {"alias": 3, "int_value": 2**32 - 7})
    table = {"num_of_columns": 1, "columns": ["n"], "types": [INT8], "rows": [{"elements": [{"int_value": 255}]}]}
    edge.data(
        {"alias": 4, "string_value": "ärger", "properties": {"keys": ["Quality"], "values": [{"type": 3, "int_value": 192}]}},
        {"name": "table", "datatype": DATASET, "dataset_value": table},
    )
    expected = BIRTH + [
        ("VALUE", "press", "temperature", 21.5),
        ("VALUE", "press", "offset", -7.0),
        ("VALUE", "press", "state", "ärger"),
        ("VALUE", "press", "table", '{"columns":["n"],"types":["Int8"],"rows":[[-1]]}'),
    ]
    eventually(lambda: len(receiver.rows("/rows")) >= len(expected), "the metrics arrive")
    assert shown(receiver) == expected
    row = receiver.rows("/rows")[-2]
    assert (row["group_id"], row["node_id"], row["ts"]) == ("plant", "line3", "2026-01-05 06:00:04Z")
    assert json.loads(row["properties"]) == {"Quality": 192}
    edge.vanish()
    stale = [
        ("OFFLINE", None, None, None),
        *[("STALE", None, name, None) for name in ("bdSeq", REBIRTH, "load")],
        ("OFFLINE", "press", None, None),
        *[("STALE", "press", name, None) for name in ("temperature", "offset", "state")],
    ]
    eventually(lambda: len(receiver.rows("/rows")) >= len(expected) + len(stale), "the death arrives")
    assert shown(receiver)[len(expected) :] == stale
    assert edge.commands == []
    assert daemon.pipeline("plant")["accounting_violations"] == []


@pytest.mark.parametrize("algorithm", COMPRESS)
def test_compressed_payloads_are_those_in_them(broker, receiver, daemon, edge, algorithm):
    edge.algorithm = algorithm
    daemon.add("plant", pipeline(broker, receiver))
    daemon.start().wait_connected("plant")
    edge.birth()
    edge.data({"alias": 2, "float_value": 21.5})
    expected = [*BIRTH, ("VALUE", "press", "temperature", 21.5)]
    eventually(lambda: len(receiver.rows("/rows")) >= len(expected), "the metrics arrive")
    assert shown(receiver) == expected
    assert edge.commands == []
    assert daemon.pipeline("plant")["accounting_violations"] == []


def test_a_death_without_any_time_is_one(broker, publisher, receiver, daemon, edge, payload_type):
    """With ts as the rowtime, a row without it would be a dead letter, and the edge node be online for ever."""
    daemon.add("plant", pipeline(broker, receiver, rowtime=True))
    daemon.start().wait_connected("plant")
    edge.birth()
    eventually(lambda: shown(receiver) == BIRTH, "the births arrive")
    before = time.time()
    death = payload_type()
    death.metrics.add(name="bdSeq", datatype=INT64, long_value=edge.bd_seq)
    publisher.send("spBv1.0/plant/NDEATH/line3", death.SerializeToString())
    publisher.flush()
    eventually(lambda: ("OFFLINE", "press", None, None) in shown(receiver), "the death arrives")
    offline = next(row for row in receiver.rows("/rows") if row["event"] == "OFFLINE")
    assert offline["ts"] >= time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(before - 1))
    assert daemon.ask("/api/v1/dead-letters").json()["dead_letters"] == []


def test_what_was_missed_is_asked_for_and_comes(broker, receiver, daemon, edge, payload_type):
    edge.birth()  # Nobody hears it.
    daemon.add("plant", pipeline(broker, receiver))
    daemon.start().wait_connected("plant")
    edge.data({"alias": 2, "float_value": 30})
    eventually(lambda: edge.rebirths == 1, "the edge node is asked for its births")
    eventually(lambda: len(receiver.rows("/rows")) >= 2 + len(BIRTH), "they arrive")
    assert shown(receiver) == [("REBIRTH", None, None, None), ("UNKNOWN", "press", None, 30.0), *BIRTH]
    assert receiver.rows("/rows")[0]["reason"] == "the birth of the edge node was not seen"
    command = payload_type.FromString(edge.commands[0])
    assert [(metric.name, metric.datatype, metric.boolean_value) for metric in command.metrics] == [(REBIRTH, BOOLEAN, True)]
    assert command.timestamp > MORNING and not command.HasField("seq")
    edge.lose_message()

    def asked_again() -> bool:
        edge.data({"alias": 2, "float_value": 31})  # Until the interval is over.
        return edge.rebirths == 2

    eventually(asked_again, "the gap is seen")

    def reasons() -> list[str]:
        return [row["reason"] for row in receiver.rows("/rows") if row["event"] == "REBIRTH"]

    eventually(lambda: len(reasons()) >= 2, "both requests arrive upstream, too")
    # At once, or where that is too soon behind the first request, with a later message.
    assert reasons()[1] in ("seq 3 came where 2 was due", "the births that are wanted have not come")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_aliases_survive_a_restart(broker, receiver, daemon, edge, end):
    daemon.add("plant", pipeline(broker, receiver))
    daemon.start().wait_connected("plant")
    edge.birth()
    edge.data({"alias": 2, "float_value": 21})
    eventually(lambda: len(receiver.rows("/rows")) == len(BIRTH) + 1, "the births arrive")
    daemon.wait_delivered()
    getattr(daemon, end)()
    daemon.start().wait_connected("plant")
    edge.data({"alias": 2, "float_value": 22}, {"alias": 3, "int_value": 2**32 - 1})
    eventually(lambda: ("offset", -1.0) in values(receiver), "data is known after the restart")
    assert values(receiver)[-3:] == [("temperature", 21.0), ("temperature", 22.0), ("offset", -1.0)]
    assert edge.commands == []


class Subscriber:
    """What was published on a topic, retained messages first."""

    def __init__(self, port: int, topic: str):
        self.messages: list[tuple[bool, str]] = []
        self.client = mqtt.Client(protocol=mqtt.MQTTv311)
        self.client.on_message = lambda _c, _u, message: self.messages.append((bool(message.retain), message.payload.decode()))
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_host_says_whether_it_is_there(broker, receiver, daemon, end):
    topic = "spBv1.0/STATE/leat"
    state = {
        "birth.topic": topic,
        "birth.payload": '{"online":true,"timestamp":{timestamp}}',
        "will.topic": topic,
        "will.payload": '{"online":false,"timestamp":{timestamp}}',
    }
    daemon.add("plant", pipeline(broker, receiver, state))
    subscriber = Subscriber(broker.port, topic)
    before = int(time.time() * 1000)
    try:
        daemon.start().wait_connected("plant")
        eventually(lambda: len(subscriber.messages) == 1, "it is online")
        birth = json.loads(subscriber.messages[0][1])
        assert birth["online"] is True and before <= birth["timestamp"] <= time.time() * 1000
        late = Subscriber(broker.port, topic)
        eventually(lambda: late.messages == [(True, subscriber.messages[0][1])], "who comes later knows it, too")
        late.close()
        getattr(daemon, end)()
        eventually(lambda: len(subscriber.messages) == 2, "it is offline")
        death = json.loads(subscriber.messages[1][1])
        assert death["online"] is False
        # The broker speaks what was said at the connect.
        assert death["timestamp"] == birth["timestamp"] if end == "kill" else death["timestamp"] >= birth["timestamp"]
    finally:
        subscriber.close()


def test_what_is_no_payload_is_a_dead_letter(broker, publisher, receiver, daemon, edge):
    daemon.add("plant", pipeline(broker, receiver))
    daemon.start().wait_connected("plant")
    publisher.send("spBv1.0/plant/NDATA/line3", b"{}")
    publisher.flush()
    letters = eventually(lambda: daemon.ask("/api/v1/dead-letters").json()["dead_letters"], "it is a dead letter")
    assert "not a payload of Sparkplug B" in letters[0]["reason"]
    edge.birth()
    eventually(lambda: shown(receiver) == BIRTH, "others are read")
