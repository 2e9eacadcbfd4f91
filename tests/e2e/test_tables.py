"""Local tables in a running daemon: killed while it writes them, loaded by people, queried with plain SQL."""

import json
import sqlite3
import time

from processes import eventually

SETTINGS = "SET 'execution.checkpointing.interval' = '50 ms';\n"
NUMBERS = """
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '20000', 'number-of-rows' = '100000',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000');
"""
TABLES = """
CREATE TABLE sums (d BIGINT, n BIGINT, total BIGINT, PRIMARY KEY (d) NOT ENFORCED) WITH ('connector' = 'sqlite');
CREATE TABLE tens (n BIGINT) WITH ('connector' = 'sqlite');
"""
INSERTS = """
INSERT INTO sums SELECT MOD(n, 97), COUNT(*), SUM(n) FROM numbers GROUP BY MOD(n, 97);
INSERT INTO tens SELECT n FROM numbers WHERE MOD(n, 10) = 0;
"""
MACHINES = """
CREATE TABLE machines (machine STRING, hall STRING, PRIMARY KEY (machine) NOT ENFORCED) WITH ('connector' = 'sqlite');
"""


def rows(daemon, query):
    """As somebody with the sqlite3 shell gets them while the daemon runs."""
    connection = sqlite3.connect(f"file:{daemon.folder}/data/leat.db?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_tables_are_as_if_nobody_had_killed_the_daemon(daemon):
    daemon.add("numbers", SETTINGS + NUMBERS + TABLES + INSERTS)
    kills = 0
    for pause in (0.4, 0.9, 0.2, 0.7, 0.5, 0.3):
        daemon.start()
        time.sleep(pause)
        unfinished = daemon.pipeline("numbers")["state"] == "running"
        daemon.kill()
        kills += unfinished
    assert kills >= 4
    daemon.start()
    eventually(lambda: daemon.pipeline("numbers")["state"] == "finished", "the pipeline ends", 60)
    expected = {}
    for n in range(1, 100_001):
        count, total = expected.get(n % 97, (0, 0))
        expected[n % 97] = (count + 1, total + n)
    assert {d: (n, total) for d, n, total in rows(daemon, "SELECT d, n, total FROM sums")} == expected
    assert rows(daemon, "SELECT n FROM tens ORDER BY rowid") == [(n,) for n in range(10, 100_001, 10)]
    status = daemon.pipeline("numbers")
    assert status["accounting_violations"] == []
    assert all(sink["written"] == sink["emitted"] for sink in status["sinks"])


def test_a_list_that_people_load_is_looked_up_at_once(run_leat, daemon, broker, publisher, tmp_path):
    readings = f"""
    CREATE TABLE readings (machine STRING, n INT, proctime AS PROCTIME()) WITH ('connector' = 'mqtt',
      'url' = '{broker.url}', 'topic' = 'readings', 'qos' = '1', 'format' = 'json');
    CREATE TABLE located (n INT, hall STRING, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'sqlite');
    INSERT INTO located SELECT r.n, m.hall FROM readings AS r
    LEFT JOIN machines FOR SYSTEM_TIME AS OF r.proctime AS m ON r.machine = m.machine;
    """
    daemon.add("locate", SETTINGS + MACHINES + readings)
    daemon.start().wait_connected("locate")
    machines = tmp_path / "machines.csv"

    def load(text):
        machines.write_text(text)
        done = run_leat("table", "load", machines, "--table", "machines", "--api", daemon.url)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def hall_of(n):
        publisher.send("readings", json.dumps({"machine": "p1", "n": n}), 1)
        publisher.flush()
        eventually(lambda: rows(daemon, f"SELECT 1 FROM located WHERE n = {n}"), f"reading {n} arrives")
        return rows(daemon, f"SELECT hall FROM located WHERE n = {n}")[0][0]

    assert hall_of(1) is None
    assert load("hall,machine\nnorth,p1\nsouth,p2\n") == "2 rows into 'machines'\n"
    assert hall_of(2) == "north"
    assert load('machine,hall\np1,"east, new"\n') == "1 row into 'machines'\n"
    assert hall_of(3) == "east, new"
    listed = run_leat("table", "list", "--api", daemon.url).stdout
    assert "machines" in listed and "locate reads" in listed and "locate writes" in listed
    refused = run_leat("table", "drop", "machines", "--api", daemon.url)
    assert refused.returncode == 1 and "is used by 'locate'" in refused.stderr


def test_tables_of_a_stopped_store(run_leat, daemon, tmp_path):
    state = daemon.folder / "data"
    daemon.add("numbers", SETTINGS + NUMBERS + TABLES + INSERTS)
    daemon.start()
    busy = run_leat("table", "list", "--state", state)
    assert busy.returncode == 1 and "is in use by process" in busy.stderr
    daemon.stop()
    shown = run_leat("table", "show", "sums", "--state", state)
    assert "CREATE TABLE `sums`" in shown.stdout and "PRIMARY KEY (`d`) NOT ENFORCED" in shown.stdout
    lines = tmp_path / "rows.jsonl"
    lines.write_text('{"d": -1, "n": 5, "total": 6}\n{"d": null}\n{"d": -2, "n": "x"}\n')
    loaded = run_leat("table", "load", lines, "--table", "sums", "--state", state)
    assert loaded.returncode == 1
    assert loaded.stdout == "1 row into 'sums'\n"
    assert "2 records do not fit" in loaded.stderr
    wrong = run_leat("table", "load", lines, "--table", "sum", "--state", state)
    assert wrong.returncode == 1 and "did you mean 'sums'" in wrong.stderr
    for name, why in {"debezium-json": "says how rows change", "avro": "have no end"}.items():
        wrong = run_leat("table", "load", lines, "--table", "sums", "--format", name, "--state", state)
        assert wrong.returncode == 1 and why in wrong.stderr, wrong.stderr
    assert run_leat("table", "drop", "tens", "--state", state).returncode == 0
    assert "tens" not in run_leat("table", "list", "--state", state).stdout


def test_another_shape_is_refused_until_it_is_migrated(run_leat, daemon):
    daemon.add("numbers", NUMBERS.replace("100000", "1000") + TABLES + INSERTS)
    daemon.start()
    eventually(lambda: daemon.pipeline("numbers")["state"] == "finished", "the pipeline ends")
    daemon.stop()
    other = TABLES.replace("n BIGINT, total", "n DOUBLE NOT NULL, total").replace("d BIGINT", "d BIGINT, x INT")
    other = other.replace("total BIGINT", "total STRING")
    daemon.add("numbers", NUMBERS + other + "INSERT INTO sums SELECT n, 1, 1, 'x' FROM numbers WHERE n < 0;")
    daemon.start()
    status = daemon.pipeline("numbers")
    assert status["state"] == "failed"
    assert "'leat table migrate sums'" in status["error"] and "'leat table drop sums'" in status["error"]
    migrated = run_leat("table", "migrate", "sums", "--api", daemon.url)
    assert migrated.returncode == 1  # A BIGINT may be too large for a DOUBLE.
    assert "column 'n' cannot become DOUBLE NOT NULL from BIGINT" in migrated.stderr
    dropped = run_leat("table", "drop", "sums", "--api", daemon.url)
    assert dropped.returncode == 0, dropped.stderr
