"""'connector' = 'kafka' and 'upsert-kafka' as sources, against a real broker: what whole processes show."""

import gzip
import io
import json
import random
import sqlite3
import subprocess
import time

import avro.io
import avro.schema
import pytest
from kafka_records import produce
from leat import run
from pipeline_text import often, with_options
from processes import eventually
from readings import COLUMNS, WINDOW_COLUMNS, WINDOW_QUERY, check_windows, closing, expected_windows, lines, readings

KILLS = 5


@pytest.fixture
def topic(kafka, request):
    """A topic of the test's own; the broker lives on."""
    if not kafka.real:
        pytest.skip("the mock keeps no transactions and deletes what it likes")
    return request.node.name.replace("[", "-").replace("]", "")[:100]


def table(kafka, name, columns, **options):
    keys = {"properties.bootstrap.servers": kafka.address, "properties.reconnect.backoff.max.ms": "500", **options}
    return f"CREATE TABLE {name} ({columns}) {with_options(keys)};\n"


def kafka_source(kafka, topic, columns=COLUMNS, name="readings", **options):
    keys = {"connector": "kafka", "topic": topic, "scan.startup.mode": "earliest-offset", "format": "json", **options}
    return table(kafka, name, columns, **keys)


def kafka_sink(kafka, topic, columns, name="upstream", **options):
    keys = {
        "connector": "kafka",
        "topic": topic,
        "format": "json",
        "sink.delivery-guarantee": "exactly-once",
        "sink.retry.initial-backoff": "50 ms",
        "sink.retry.max-backoff": "200 ms",
        **options,
    }
    return table(kafka, name, columns, **keys)


def send(kafka, topic, rows, partition=0):
    produce(kafka, topic, [(None, line) for line in lines(rows)], partition)


def run_text(leat, folder, sql, *options):
    path = folder / "pipeline.sql"
    path.write_text(sql)
    return run(leat, "run", path, *options, seconds=120)


def rows_of(done):
    """What `leat run --format json` has printed."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def bounded(kafka, topic, columns, **options):
    return kafka_source(kafka, topic, columns, **{"scan.bounded.mode": "latest-offset", **options})


def test_a_bounded_run_ends_with_the_last_row(leat, tmp_path, kafka, topic):
    produce(kafka, topic, [(None, json.dumps({"n": n})) for n in range(5000)])
    sql = bounded(kafka, topic, "n INT, `offset` BIGINT METADATA, `partition` INT METADATA")
    done = run_text(
        leat,
        tmp_path,
        sql + "SELECT COUNT(*) AS c, SUM(n) AS s, MAX(`offset`) AS o FROM readings;",
        "--output",
        "jsonl",
        "--set",
        "execution.runtime-mode=batch",
    )
    assert rows_of(done)[-1] == {"c": 5000, "s": sum(range(5000)), "o": 4999}


def test_a_key_gives_columns_of_its_own(leat, tmp_path, kafka, topic):
    produce(
        kafka,
        topic,
        [
            ('{"id": 7}', '{"id": "inner", "v": 1.5}'),
            ("no json", '{"id": "x", "v": 2}'),
            (None, '{"v": 3}'),
            ('{"id": 8}', "no json"),
            ('{"id": 9}', None),
        ],
        source="line 4",
    )
    sql = bounded(
        kafka,
        topic,
        "k_id INT, id STRING, v DOUBLE, h MAP<STRING, BYTES> METADATA FROM 'headers', t STRING METADATA FROM 'topic'",
        **{"key.format": "json", "key.fields": "k_id", "key.fields-prefix": "k_", "value.fields-include": "EXCEPT_KEY"},
    )
    done = run_text(
        leat,
        tmp_path,
        sql + "SELECT k_id, id, v, CAST(h['source'] AS STRING) AS h, t FROM readings;",
        "--output",
        "jsonl",
    )
    assert rows_of(done) == [{"k_id": 7, "id": "inner", "v": 1.5, "h": "line 4", "t": topic}]
    assert "key:" in done.stderr


def test_compressed_values_are_read_beside_plain_ones(leat, tmp_path, kafka, topic):
    payloads = [gzip.compress(b'{"n": 1}'), b'{"n": 2}', gzip.compress(b'[{"n": 3}, {"n": 4}]'), gzip.compress(b'{"n": 5}')[:-1]]
    files = [tmp_path / f"value{i}" for i in range(len(payloads))]
    for file, payload in zip(files, payloads):
        file.write_bytes(payload)
    subprocess.run(["kcat", "-b", kafka.address, "-P", "-t", topic, "-p", "0", *files], check=True, timeout=60)
    source = kafka_source(kafka, topic, "n INT", **{"payload.compression": "auto", "scan.bounded.mode": "latest-offset"})
    done = run_text(leat, tmp_path, source + "SELECT n FROM readings;", "--output", "csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "2", "3", "4"]
    assert "not gzip: it ends too early" in done.stderr


def test_confluent_messages_of_apaches_avro_go_through(leat, tmp_path, kafka, topic):
    """Written by Apache's library for Python, read and written by Leat, read by it again."""
    schema = {"type": "record", "name": "r", "fields": [{"name": "id", "type": "string"}, {"name": "v", "type": ["null", "double"]}]}
    parsed = avro.schema.parse(json.dumps(schema))
    rows = [{"id": "press ä", "v": 1.5}, {"id": "", "v": None}]
    files = []
    for number, (schema_id, row) in enumerate([(258, rows[0]), (259, rows[0]), (258, rows[1])]):
        out = io.BytesIO(b"\0" + schema_id.to_bytes(4, "big"))
        out.seek(0, io.SEEK_END)
        avro.io.DatumWriter(parsed).write(row, avro.io.BinaryEncoder(out))
        files.append(tmp_path / f"value{number}")
        files[-1].write_bytes(out.getvalue())
    subprocess.run(["kcat", "-b", kafka.address, "-P", "-t", topic, "-p", "0", *files], check=True, timeout=60)

    def confluent(schema_id):
        return {"format": "avro-confluent", "avro-confluent.schema": json.dumps(schema), "avro-confluent.schema-id": str(schema_id)}

    columns = "id STRING NOT NULL, v DOUBLE"
    source = kafka_source(kafka, topic, columns, **confluent(258), **{"scan.bounded.mode": "latest-offset"})
    sink = kafka_sink(kafka, topic + "-out", columns, **confluent(7), **{"sink.delivery-guarantee": "at-least-once"})
    done = run_text(leat, tmp_path, source + sink + "INSERT INTO upstream SELECT id, v FROM readings;")
    assert done.returncode == 0, done.stderr
    assert "schema 259, and 'avro-confluent.schema-id' is 258" in done.stderr
    for offset, row in enumerate(rows):
        command = ["kcat", "-b", kafka.address, "-C", "-t", topic + "-out", "-p", "0", "-o", str(offset), "-c", "1", "-f", "%s"]
        value = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
        assert value[:5] == b"\0\0\0\0\7"
        assert avro.io.DatumReader(parsed).read(avro.io.BinaryDecoder(io.BytesIO(value[5:]))) == row


def test_each_row_is_processed_once_across_kills(kafka, topic, daemon):
    """Kafka in, window, Kafka out, from two partitions; the daemon is killed while records come."""
    rows = readings(400 * KILLS)
    moments = random.Random(5)
    out = topic + "-out"
    daemon.add(
        "kills",
        often("20 ms")
        + kafka_source(kafka, topic)
        + kafka_sink(kafka, out, WINDOW_COLUMNS, **{"sink.batch.max-rows": 7})
        + f"INSERT INTO upstream {WINDOW_QUERY};",
    )
    daemon.start()
    share = len(rows) // KILLS
    for kill in range(KILLS):
        send(kafka, topic, rows[kill * share : (kill + 1) * share])
        time.sleep(moments.random() * 0.4)  # A moment of the test's own choice, not a wait for anything.
        daemon.kill()
        daemon.start()
    send(kafka, topic, closing(rows))
    want = len(expected_windows(rows))
    eventually(lambda: len(kafka.messages(out)) >= want, f"{want} windows in Kafka", 120)
    daemon.wait_delivered()
    check_windows([message["value"] for message in kafka.messages(out)], rows)
    messages = daemon.source("kills")["messages"]
    assert messages["received"] == len(rows) + 1 == messages["decoded"]


def test_each_row_arrives_in_a_local_table_once_across_kills(kafka, topic, daemon):
    columns = "n BIGINT"
    daemon.add(
        "rows",
        often("20 ms")
        + kafka_source(kafka, topic, columns)
        + "CREATE TABLE kept (n BIGINT) WITH ('connector' = 'sqlite');\nINSERT INTO kept SELECT n FROM readings;",
    )
    daemon.start()
    count = 0
    for _ in range(KILLS):
        produce(kafka, topic, [(None, json.dumps({"n": n})) for n in range(count, count + 2000)])
        count += 2000
        daemon.kill()
        daemon.start()

    def kept():
        if daemon.source("rows")["messages"].get("received", 0) == 0:
            return []  # The table comes with the first commit.
        with sqlite3.connect(f"file:{daemon.folder}/data/leat.db?mode=ro", uri=True) as store:
            return [n for (n,) in store.execute("SELECT n FROM kept ORDER BY rowid")]

    eventually(lambda: len(kept()) >= count, f"{count} rows", 60)
    assert kept() == list(range(count))


def test_partitions_have_watermarks_of_their_own(leat, tmp_path, kafka, topic):
    """All of one partition is read before the other begins: with one watermark for both, half would be late."""
    rows = readings(2000)
    for partition in (0, 1):
        send(kafka, f"{topic}-p{partition}", [row for row in rows if row["seq"] % 2 == partition])
    sql = kafka_source(kafka, f"{topic}-p0;{topic}-p1", **{"scan.bounded.mode": "latest-offset"})
    done = run_text(leat, tmp_path, sql + WINDOW_QUERY + ";", "--output", "jsonl")
    check_windows(rows_of(done), rows)


def test_a_new_topic_is_found_by_the_pattern(kafka, topic, daemon):
    options = {"topic-pattern": f"{topic}-.*", "scan.topic-partition-discovery.interval": "100 ms"}
    sql = kafka_source(kafka, "", "n BIGINT, topic STRING METADATA", **options).replace("'topic' = '', ", "")
    daemon.add(
        "found",
        often()
        + sql
        + "CREATE TABLE kept (topic STRING, n BIGINT) WITH ('connector' = 'sqlite');\n"
        + "INSERT INTO kept SELECT topic, n FROM readings;",
    )
    daemon.start()
    eventually(
        lambda: "no topic matches" in daemon.source("found").get("detail", "") + daemon.log(),
        "it says that there is none",
    )
    for n in (1, 2):
        produce(kafka, f"{topic}-{n}", [(None, json.dumps({"n": n}))])
        daemon.wait_received("found", n)


def test_a_broker_that_dies_is_waited_for(kafka, topic, daemon):
    daemon.add(
        "outage",
        often()
        + kafka_source(kafka, topic, "n BIGINT")
        + "CREATE TABLE kept (n BIGINT) WITH ('connector' = 'sqlite');\n"
        + "INSERT INTO kept SELECT n FROM readings;",
    )
    produce(kafka, topic, [(None, '{"n": 1}')])
    daemon.start().wait_connected("outage")
    daemon.wait_received("outage", 1)
    kafka.kill()
    eventually(lambda: daemon.source("outage")["link"] == "lost", "the source has noticed")
    kafka.start()
    produce(kafka, topic, [(None, '{"n": 2}')])
    daemon.wait_received("outage", 2)
    eventually(lambda: daemon.source("outage")["link"] == "connected", "it is connected again")
    assert "source lost its connection" in daemon.log()


def test_a_bounded_read_of_partitions_that_are_not_there_fails_and_names_one(leat, tmp_path, kafka, topic):
    produce(kafka, topic, [(None, '{"n": 1}')])
    sql = bounded(kafka, topic, "n BIGINT", **{"scan.partitions": "0-63"}) + "SELECT n FROM readings;"
    done = run_text(leat, tmp_path, sql, "--set", "execution.runtime-mode=batch")
    assert done.returncode == 1, done.stderr
    assert "there is no partition " in done.stderr and "which 'scan.partitions' names" in done.stderr


def test_a_share_of_partitions_that_are_not_there_yet_is_told(kafka, topic, daemon):
    produce(kafka, topic, [(None, '{"n": 1}')])
    source = kafka_source(kafka, topic, "n BIGINT", **{"scan.partitions": "0-63"})
    sink = "CREATE TABLE kept (n BIGINT) WITH ('connector' = 'sqlite');\nINSERT INTO kept SELECT n FROM readings;"
    daemon.add("share", source + sink)
    daemon.start().wait_connected("share")
    daemon.wait_received("share", 1)
    assert "there is no partition " in daemon.source("share")["detail"]


def test_a_wrong_password_is_named_and_a_right_one_reads(leat, tmp_path, kafka, topic, daemon):
    produce(kafka, topic, [(None, '{"n": 1}')])

    def closed(password):
        return {
            "properties.bootstrap.servers": kafka.sasl_address,
            "properties.security.protocol": "sasl_plaintext",
            "properties.sasl.mechanism": "PLAIN",
            "properties.sasl.username": "leat",
            "properties.sasl.password": password,
        }

    daemon.add(
        "closed",
        often()
        + kafka_source(kafka, topic, "n INT", **closed("wr0ng"))
        + "CREATE TABLE o (n INT) WITH ('connector' = 'blackhole');\n"
        + "INSERT INTO o SELECT n FROM readings;",
    )
    daemon.start()
    eventually(lambda: "Authentication failed" in daemon.source("closed").get("detail", ""), "the source says why")
    assert daemon.source("closed")["link"] == "lost" and "wr0ng" not in daemon.log()
    done = run_text(
        leat,
        tmp_path,
        bounded(kafka, topic, "n INT", **closed("secret")) + "SELECT n FROM readings;",
        "--output",
        "jsonl",
    )
    assert rows_of(done) == [{"n": 1}]


def test_dead_letters_name_topic_partition_and_offset(kafka, topic, daemon):
    daemon.add(
        "bad",
        often()
        + kafka_source(kafka, topic, "n INT")
        + "CREATE TABLE o (n INT) WITH ('connector' = 'blackhole');\n"
        + "INSERT INTO o SELECT n FROM readings;",
    )
    produce(kafka, topic, [(None, '{"n": 1}'), ("k", "no json"), (None, None)])
    daemon.start()
    daemon.wait_received("bad", 3)
    letters = eventually(lambda: daemon.ask("/api/v1/dead-letters").json()["dead_letters"], "a dead letter")
    metadata = letters[0]["metadata"]
    metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
    assert metadata == {"topic": topic, "partition": "0", "offset": "1"}
    messages = daemon.source("bad")["messages"]
    assert (messages["received"], messages["decoded"], messages["empty"], messages["dead"]) == (3, 1, 1, 1)


# ---- upsert-kafka ------------------------------------------------------------------------------------------


def upsert(kafka, topic, columns, name="latest", **options):
    keys = {"connector": "upsert-kafka", "topic": topic, "key.format": "json", "value.format": "json", **options}
    return table(kafka, name, columns, **keys)


DEVICES = "id INT, site STRING, v INT, PRIMARY KEY (id) NOT ENFORCED"


def test_tombstones_delete_and_values_replace(leat, tmp_path, kafka, topic):
    key = '{"id": %d}'
    produce(
        kafka,
        topic,
        [
            (key % 1, '{"id": 1, "site": "a", "v": 10}'),
            (key % 2, '{"id": 2, "site": "b", "v": 20}'),
            (key % 1, '{"id": 1, "site": "a", "v": 10}'),
            (key % 1, '{"id": 1, "site": "b", "v": 11}'),
            (key % 2, None),
            (key % 3, None),
            (None, '{"id": 4, "site": "c", "v": 1}'),
        ],
    )
    source = upsert(kafka, topic, DEVICES, **{"scan.bounded.mode": "latest-offset"})
    changes = run_text(leat, tmp_path, source + "SELECT * FROM latest;", "--output", "changelog")
    assert changes.returncode == 0, changes.stderr
    shown = [line for line in changes.stdout.splitlines() if line[:2] in ("+I", "-U", "+U", "-D")]
    assert shown == ["+I[1, a, 10]", "+I[2, b, 20]", "-U[1, a, 10]", "+U[1, b, 11]", "-D[2, b, 20]", "+I[4, c, 1]"]


def test_a_key_that_the_value_has_not_is_read_and_deletes(leat, tmp_path, kafka, topic):
    produce(kafka, topic, [("a", '{"v": 1}'), ("b", '{"v": 2}'), ("a", None), (None, '{"v": 3}'), ("b", '{"v": 4}')])
    options = {"key.format": "raw", "value.fields-include": "EXCEPT_KEY", "scan.bounded.mode": "latest-offset"}
    source = upsert(kafka, topic, "id STRING, v INT, PRIMARY KEY (id) NOT ENFORCED", **options)
    changes = run_text(leat, tmp_path, source + "SELECT * FROM latest;", "--output", "changelog")
    shown = [line for line in changes.stdout.splitlines() if line[:2] in ("+I", "-U", "+U", "-D")]
    assert shown == ["+I[a, 1]", "+I[b, 2]", "-D[a, 1]", "-U[b, 2]", "+U[b, 4]"]
    assert "key: " in changes.stderr


def test_tests_of_pipelines_have_tombstones(leat, tmp_path):
    """No broker: the rows come from a file."""
    folder = tmp_path / "test"
    (folder / "input").mkdir(parents=True)
    (folder / "expected").mkdir()

    class Nobody:
        address = "127.0.0.1:1"

    (folder / "p.sql").write_text(
        upsert(Nobody, "t", DEVICES)
        + "CREATE TABLE o (id INT, v INT) WITH ('connector' = 'print');\n"
        + "INSERT INTO o SELECT id, v FROM latest;"
    )
    rows = [{"id": 1, "site": "a", "v": 2}, {"id": 2, "site": "a", "v": 3}, {"id": 1, "tombstone": True}]
    (folder / "input" / "latest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "expected" / "o.txt").write_text("+I[1, 2]\n+I[2, 3]\n-D[1, 2]\n")
    done = run(leat, "test", folder)
    assert done.returncode == 0, done.stdout


def test_an_upsert_topic_goes_round(leat, tmp_path, kafka, topic, daemon):
    """Sums by site of a table of latest rows, as another such table; a site that is empty is gone there."""
    out = topic + "-out"
    sql = (
        often("20 ms")
        + upsert(kafka, topic, DEVICES)
        + upsert(kafka, out, "site STRING, total INT, PRIMARY KEY (site) NOT ENFORCED", "totals")
    )
    daemon.add("round", sql + "INSERT INTO totals SELECT site, SUM(v) FROM latest GROUP BY site;")
    key = '{"id": %d}'
    produce(kafka, topic, [(key % 1, '{"id": 1, "site": "a", "v": 10}'), (key % 2, '{"id": 2, "site": "b", "v": 20}')])
    daemon.start()
    daemon.wait_received("round", 2)
    daemon.kill()
    produce(kafka, topic, [(key % 1, '{"id": 1, "site": "b", "v": 11}'), (key % 2, None)])
    daemon.start()

    def totals():
        state = {}
        for message in kafka.messages(out):
            site = json.loads(message["key"])["site"]
            state[site] = message["value"] and message["value"]["total"]
        return state

    eventually(lambda: totals() == {"a": None, "b": 11}, "the totals", 60)
    back = run_text(
        leat,
        tmp_path,
        upsert(
            kafka,
            out,
            "site STRING, total INT, PRIMARY KEY (site) NOT ENFORCED",
            "totals",
            **{"scan.bounded.mode": "latest-offset"},
        )
        + "SELECT * FROM totals;",
        "--output",
        "jsonl",
        "--set",
        "execution.runtime-mode=batch",
    )
    assert rows_of(back) == [{"site": "b", "total": 11}]
