"""'connector' = 'upsert-kafka': what a reader of the compacted topic sees is the query's result."""

import json
import pathlib

from leat import run
from pipeline_text import with_options


def upsert_table(kafka, topic: str, columns: str, **more) -> str:
    options = {
        "connector": "upsert-kafka",
        "topic": topic,
        "properties.bootstrap.servers": kafka.address,
        "key.format": "json",
        "value.format": "json",
        **more,
    }
    return f"CREATE TABLE latest ({columns}) {with_options(options)};\n"


def source(folder: pathlib.Path, rows: list[dict], columns: str) -> str:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"CREATE TABLE r ({columns}) {with_options({'connector': 'filesystem', 'path': path, 'format': 'json'})};\n"


def run_pipeline(leat, folder: pathlib.Path, sql: str) -> None:
    path = folder / "pipeline.sql"
    path.write_text(sql)
    done = run(leat, "run", path, seconds=120)
    assert done.returncode == 0, done.stderr


def test_each_update_is_a_record_under_its_key(leat, tmp_path, kafka):
    rows = [{"device": f"d{n % 2}", "v": n} for n in range(6)]
    sql = source(tmp_path, rows, "device STRING, v INT")
    sql += upsert_table(kafka, "updates", "device STRING, n BIGINT, total INT, PRIMARY KEY (device) NOT ENFORCED")
    sql += "INSERT INTO latest SELECT device, COUNT(*), SUM(v) FROM r GROUP BY device;"
    run_pipeline(leat, tmp_path, sql)
    messages = kafka.messages("updates")
    assert [json.loads(message["key"])["device"] for message in messages] == ["d0", "d1"] * 3
    assert [message["value"]["n"] for message in messages] == [1, 1, 2, 2, 3, 3]
    assert [message["value"]["total"] for message in messages[-2:]] == [6, 9]
    assert all(message["value"]["device"] == json.loads(message["key"])["device"] for message in messages)


def test_a_row_that_goes_is_a_tombstone_in_its_place(leat, tmp_path, kafka):
    """The two best: a third pushes one out, which a reader learns by a record without a value."""
    rows = [{"id": name, "v": v} for name, v in (("a", 1), ("b", 2), ("c", 3), ("a", 9))]
    sql = source(tmp_path, rows, "id STRING, v INT")
    columns = "id STRING, v INT, PRIMARY KEY (id) NOT ENFORCED"
    sql += upsert_table(kafka, "best", columns, **{"key.format": "raw", "value.fields-include": "EXCEPT_KEY"})
    sql += """
      INSERT INTO latest SELECT id, v FROM (
        SELECT id, v, ROW_NUMBER() OVER (ORDER BY v DESC) AS place FROM (SELECT id, MAX(v) AS v FROM r GROUP BY id))
      WHERE place <= 2;"""
    run_pipeline(leat, tmp_path, sql)
    state, gone = {}, 0
    for message in kafka.messages("best"):
        if message["value"] is None:
            gone += 1
            state.pop(message["key"], None)
        else:
            assert message["value"].keys() == {"v"}
            state[message["key"]] = message["value"]["v"]
    assert gone >= 2
    assert state == {"a": 9, "c": 3}


def test_a_value_may_leave_out_the_columns_of_the_key(leat, tmp_path, kafka):
    """By Flink's names, of a plain kafka table."""
    options = {
        "connector": "kafka",
        "topic": "plain",
        "properties.bootstrap.servers": kafka.address,
        "key.format": "json",
        "key.fields": "v;device",
        "value.format": "json",
        "value.json.encode.ignore-null-fields": "true",
        "value.fields-include": "EXCEPT_KEY",
        "sink.partitioner": "default",
    }
    columns = "device STRING, v INT, unit STRING"
    sql = source(tmp_path, [{"device": "d", "v": 1, "unit": "mm"}, {"device": "e", "v": 2}], columns)
    sql += f"CREATE TABLE o ({columns}) {with_options(options)};\nINSERT INTO o SELECT * FROM r;"
    run_pipeline(leat, tmp_path, sql)
    messages = kafka.messages("plain")
    assert [json.loads(message["key"]) for message in messages] == [{"v": 1, "device": "d"}, {"v": 2, "device": "e"}]
    assert [message["value"] for message in messages] == [{"unit": "mm"}, {}]
