"""Local tables in a running daemon: killed while it writes them, loaded by people, queried with plain SQL."""

import json
import sqlite3
import time

from ports import free_port
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


def test_a_deploy_that_is_refused_for_a_table_goes_on_when_that_is_migrated(run_leat, daemon):
    def text(column: str) -> str:
        table = f"CREATE TABLE kept (n {column}) WITH ('connector' = 'sqlite');\n"
        return SETTINGS + NUMBERS.replace("100000", "10") + table + f"INSERT INTO kept SELECT CAST(n AS {column}) FROM numbers;"

    daemon.add("numbers", text("INT"))
    daemon.start()
    eventually(lambda: daemon.pipeline("numbers")["state"] == "finished", "the pipeline ends")
    daemon.add("numbers", text("BIGINT"))
    refused = run_leat("reload", "--api", daemon.url)
    assert refused.returncode == 78 and "'leat table migrate kept'" in refused.stdout + refused.stderr
    migrated = run_leat("table", "migrate", "kept", "--api", daemon.url)
    assert migrated.returncode == 0, migrated.stderr
    assert run_leat("reload", "--api", daemon.url).returncode == 0


def test_lines_that_are_cut_empty_no_columns(run_leat, daemon, tmp_path):
    (tmp_path / "p.sql").write_text(MACHINES + "CREATE TABLE b (m STRING) WITH ('connector' = 'blackhole');\nINSERT INTO b SELECT machine FROM machines;")
    assert run_leat("run", tmp_path / "p.sql", "--state", tmp_path / "state").returncode == 0
    for text, code in [("machine,hall\na,A\n", 0), ("machine,hall\na\nb,B\n", 1)]:
        (tmp_path / "m.csv").write_text(text)
        loaded = run_leat("table", "load", tmp_path / "m.csv", "--table", "machines", "--state", tmp_path / "state")
        assert loaded.returncode == code, loaded.stderr
    assert "1 record does not fit" in loaded.stderr
    with sqlite3.connect(tmp_path / "state" / "leat.db") as store:
        assert store.execute("SELECT machine, hall FROM machines ORDER BY 1").fetchall() == [("a", "A"), ("b", "B")]


def test_a_read_that_waits_for_its_sink_holds_up_nothing_of_the_file(daemon):
    big = "CREATE TABLE big (n BIGINT, text STRING) WITH ('connector' = 'sqlite');\n"
    source = "CREATE TABLE source (n BIGINT, text STRING) WITH ('connector' = 'datagen', 'fields.text.length' = '{}', {});\n"
    once = "'number-of-rows' = '60000', 'rows-per-second' = '200000', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '60000'"
    daemon.add("fill", SETTINGS + source.format(1000, once) + big + "INSERT INTO big SELECT n, text FROM source;")
    daemon.start()
    eventually(lambda: daemon.pipeline("fill")["state"] == "finished", "the table is full", 60)
    away = f"'connector' = 'http', 'url' = 'http://127.0.0.1:{free_port()}', 'format' = 'json', 'sink.buffer.max-bytes' = '64 kb'"
    drain = f"CREATE TABLE away (n BIGINT, text STRING) WITH ({away});\nINSERT INTO away SELECT n, text FROM big;"
    daemon.add("drain", SETTINGS + big + drain)
    often = "'rows-per-second' = '5000', 'fields.n.min' = '0', 'fields.n.max' = '999'"
    busy = "CREATE TABLE busy (n BIGINT, text STRING, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'sqlite');\n"
    daemon.add("other", SETTINGS + source.format(500, often) + busy + "INSERT INTO busy SELECT n, text FROM source;")
    assert daemon.post("/api/v1/reload").status == 200
    eventually(lambda: daemon.source("drain")["link"] == "paused", "the read waits")
    daemon.wait_received("other", 30_000)
    assert (daemon.folder / "data" / "leat.db-wal").stat().st_size < 32 << 20


def test_a_table_is_migrated_when_nobody_writes_it_and_keeps_what_people_made(run_leat, daemon):
    def text(value: str) -> str:
        table = f"CREATE TABLE kept (n BIGINT, {value}, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'sqlite', 'retention.age' = '1 d');\n"
        numbers = NUMBERS.replace("'100000'", "'1000000'").replace("'20000'", "'100'")
        return SETTINGS + numbers + table + "INSERT INTO kept SELECT n, CAST(n AS DECIMAL(10, 2)) FROM numbers;"

    daemon.add("numbers", text("Price DECIMAL(10, 2)"))
    daemon.start()
    daemon.wait_received("numbers", 100)
    eventually(lambda: rows(daemon, "SELECT 1 FROM kept WHERE n = 100"), "the rows are there")
    with sqlite3.connect(daemon.folder / "data" / "leat.db") as people:
        people.execute("CREATE VIEW prices AS SELECT price FROM kept")
    daemon.add("numbers", text("price DECIMAL(20, 3)"))
    refused = run_leat("reload", "--api", daemon.url)
    assert refused.returncode == 78 and "'leat table migrate kept'" in refused.stdout + refused.stderr
    busy = run_leat("table", "migrate", "kept", "--api", daemon.url)
    assert busy.returncode == 1 and "'kept' is used by 'numbers'" in busy.stderr
    assert daemon.post("/api/v1/pipelines/numbers/pause").status == 200
    eventually(lambda: daemon.pipeline("numbers")["state"] == "paused", "the pipeline is paused")
    written = rows(daemon, "SELECT rowid, n, leat_time FROM kept ORDER BY rowid")
    migrated = run_leat("table", "migrate", "kept", "--api", daemon.url)
    assert migrated.returncode == 0, migrated.stderr
    assert rows(daemon, "SELECT rowid, n, leat_time FROM kept ORDER BY rowid") == written
    assert rows(daemon, "SELECT price FROM prices LIMIT 2") == [("1.000",), ("2.000",)]
    assert rows(daemon, "SELECT name FROM pragma_table_info('kept')") == [("n",), ("price",), ("leat_time",)]


def test_a_byte_order_mark_before_rows_that_are_loaded_is_none_of_them(run_leat, daemon, tmp_path):
    daemon.add("machines", MACHINES + "CREATE TABLE b (m STRING) WITH ('connector' = 'blackhole');\nINSERT INTO b SELECT machine FROM machines;")
    daemon.start()
    for name, text in (("a.jsonl", '{"machine":"m1"}\n{"machine":"m2"}\n'), ("b.csv", '"machine",hall\nm3,h\n')):
        file = tmp_path / name
        file.write_bytes(b"\xef\xbb\xbf" + text.encode())
        loaded = run_leat("table", "load", file, "--table", "machines", "--api", daemon.url)
        assert loaded.returncode == 0, loaded.stderr
    assert rows(daemon, "SELECT machine FROM machines ORDER BY machine") == [("m1",), ("m2",), ("m3",)]


def test_a_record_that_no_request_holds_is_refused_before_any_is_loaded(run_leat, daemon, tmp_path):
    daemon.add("machines", MACHINES + "CREATE TABLE b (m STRING) WITH ('connector' = 'blackhole');\nINSERT INTO b SELECT machine FROM machines;")
    daemon.start()
    file = tmp_path / "machines.csv"
    lines = "".join(f'"m{n}","\x01{"x" * 300}\nhall"\n' for n in range(1000))
    file.write_text('"machine", hall\n' + lines)
    load = ("table", "load", file, "--table", "machines")
    loaded = run_leat(*load, "--api", daemon.url)
    assert (loaded.returncode, loaded.stdout) == (0, "1000 rows into 'machines'\n"), loaded.stderr
    long = '"long","' + 70_000 * "y" + '"\n'
    file.write_text("machine,hall\n" + lines.replace('"m', '"n') + long + "last,hall\n")
    refused = run_leat(*load, "--api", daemon.url)
    assert refused.returncode == 1 and f"line 2002: the record has {len(long)} bytes, and the daemon takes 65536" in refused.stderr
    assert "'--state DIR'" in refused.stderr and refused.stdout == ""
    assert rows(daemon, "SELECT count(*) FROM machines") == [(1000,)]
    daemon.stop()
    loaded = run_leat(*load, "--state", daemon.folder / "data")
    assert (loaded.returncode, loaded.stdout) == (0, "1002 rows into 'machines'\n"), loaded.stderr
