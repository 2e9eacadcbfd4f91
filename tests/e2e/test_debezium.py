"""A database's changes in, sums by kind out as changes again, over files, MQTT and HTTP."""

import json

from pipeline_text import often, with_options
from processes import eventually

EVENTS = [
    {"before": None, "after": {"id": 1, "kind": "pump", "n": 5}, "op": "c"},
    {"before": {"id": 1, "kind": "pump", "n": 5}, "after": {"id": 1, "kind": "pump", "n": 6}, "op": "u"},
    {"before": {"id": 1, "kind": "pump", "n": 6}, "after": None, "op": "d"},
]
SUMS = [
    {"before": None, "after": {"kind": "pump", "n": 5}, "op": "c"},
    {"before": {"kind": "pump", "n": 5}, "after": None, "op": "d"},
    {"before": None, "after": {"kind": "pump", "n": 6}, "op": "c"},
    {"before": {"kind": "pump", "n": 6}, "after": None, "op": "d"},
]


def tables(read: dict, write: dict) -> str:
    debezium = {"format": "debezium-json"}
    return (
        f"CREATE TABLE stock (id INT, kind STRING, n INT) {with_options({**read, **debezium})};\n"
        f"CREATE TABLE sums (kind STRING, n INT) {with_options({**write, **debezium})};\n"
        "INSERT INTO sums SELECT kind, SUM(n) FROM stock GROUP BY kind;\n"
    )


def test_changes_go_through_as_in_flink(run_leat, tmp_path):
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    files = [{"connector": "filesystem", "path": tmp_path / name} for name in ("in.jsonl", "out")]
    done = run_leat("run", "-e", tables(*files))
    assert done.returncode == 0, done.stderr
    lines = "".join(path.read_text() for path in sorted((tmp_path / "out").iterdir())).splitlines()
    assert [json.loads(line) for line in lines] == SUMS


def test_over_mqtt_with_what_is_no_event_as_a_dead_letter(broker, publisher, receiver, daemon):
    daemon.add(
        "sums",
        often()
        + tables(
            {"connector": "mqtt", "url": broker.url, "topic": "stock", "qos": "1"},
            {"connector": "http", "url": f"{receiver.url}/sums", "body": "lines"},
        ),
    )
    daemon.start().wait_connected("sums")
    for event in [*EVENTS[:1], {"op": "u", "before": None, "after": {"id": 1}}, *EVENTS[1:]]:
        publisher.send("stock", json.dumps(event))
    publisher.flush()
    eventually(lambda: len(receiver.rows("/sums")) == 4, "the changes arrive")
    assert receiver.rows("/sums") == SUMS
    letters = eventually(lambda: daemon.ask("/api/v1/dead-letters").json()["dead_letters"], "the other one is dead")
    assert letters[0]["reason"].startswith("'before' is null")
    assert daemon.pipeline("sums")["accounting_violations"] == []
