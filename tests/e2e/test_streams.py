"""Pipelines that feed pipelines of the same daemon through a stream: exactly once across kills, back-pressure, changes."""

import os
import random
import sqlite3
import time

import pytest
from leat import Daemon
from pipeline_text import often, with_options
from processes import eventually

KILLS = 30 if os.environ.get("LEAT_TEST_LONG") else 6
ROWS = 30000


def stream(name: str = "numbers", columns: str = "seq BIGINT, half DOUBLE", **options) -> str:
    return f"CREATE TABLE {name} ({columns}) {with_options({'connector': 'stream', **options})};\n"


def from_file(path) -> str:
    return f"CREATE TABLE lines (seq BIGINT) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json', 'source.monitor-interval' = '50 ms');\n"


def writer(path, **options) -> str:
    return often("20 ms") + from_file(path) + stream(**options) + "INSERT INTO numbers SELECT seq, seq / 2.0 FROM lines;\n"


def reader(table: str, where: str = "TRUE") -> str:
    sink = f"CREATE TABLE {table} (seq BIGINT, half DOUBLE) WITH ('connector' = 'sqlite');\n"
    return often("30 ms") + stream() + sink + f"INSERT INTO {table} SELECT seq, half FROM numbers WHERE {where};\n"


def lines(first: int, last: int) -> str:
    return "".join(f'{{"seq": {seq}}}\n' for seq in range(first, last))


def add_lines(path, first: int, last: int) -> None:
    with open(path, "a") as file:
        file.write(lines(first, last))


def ask(daemon, sql: str) -> list:
    with sqlite3.connect(f"file:{daemon.folder}/data/leat.db?mode=ro", uri=True) as store:
        return store.execute(sql).fetchall()


def taken(daemon, table: str) -> list:
    return [row[0] for row in ask(daemon, f"SELECT seq FROM {table} ORDER BY rowid")]


def counts(daemon, name: str = "numbers") -> dict:
    columns = ("written", "passed", "dropped", "unread", "waiting", "waiting_bytes")
    rows = ask(daemon, f"SELECT {', '.join(columns)} FROM leat_streams WHERE name = '{name}'")
    return dict(zip(columns, rows[0])) if rows else {}


def test_two_readers_get_each_row_once_across_kills(daemon, tmp_path):
    path = tmp_path / "numbers.jsonl"
    path.write_text("")
    daemon.add("a_writer", writer(path))
    daemon.add("b_all", reader("every_row"))
    daemon.add("c_even", reader("even_rows", "MOD(seq, 2) = 0"))
    daemon.start()
    random_moments = random.Random(3)
    share = ROWS // KILLS
    for kill in range(KILLS):
        add_lines(path, kill * share, (kill + 1) * share)
        time.sleep(random_moments.random() * 0.4)  # A moment of the test's own choice, not a wait for anything.
        daemon.kill()
        daemon.start()
    last = KILLS * share
    eventually(lambda: len(taken(daemon, "every_row")) >= last, "all rows", 120)
    eventually(lambda: len(taken(daemon, "even_rows")) >= last // 2, "all even rows", 120)
    assert taken(daemon, "every_row") == list(range(last))
    assert taken(daemon, "even_rows") == list(range(0, last, 2))
    eventually(lambda: counts(daemon)["waiting"] == 0, "what was read is deleted")
    assert ask(daemon, "SELECT count(*) FROM leat_stream_blocks") == [(0,)]
    assert counts(daemon)["passed"] == counts(daemon)["written"] == last
    sink = daemon.pipeline("a_writer")["sinks"][0]
    eventually(lambda: daemon.pipeline("a_writer")["sinks"][0]["written"] == last, f"all is accounted for: {sink}")
    metrics = daemon.ask("/metrics").text
    assert f'leat_stream_rows_passed_total{{gateway="gateway-7",stream="numbers"}} {last}' in metrics


def test_a_stream_that_is_full_stalls_its_writer_alone_until_the_reader_is_back(daemon, tmp_path):
    path = tmp_path / "numbers.jsonl"
    path.write_text("")
    daemon.add("a_writer", writer(path, **{"sink.buffer.max-bytes": "64 kb"}))
    daemon.add("b_slow", reader("slow_rows"))
    daemon.add("c_fast", reader("fast_rows"))
    daemon.start()
    assert daemon.post("/api/v1/pipelines/b_slow/pause").status == 200
    for part in range(40):
        add_lines(path, part * 1000, (part + 1) * 1000)
        if daemon.pipeline("a_writer")["state"] == "stalled":
            break
        time.sleep(0.05)  # The writer takes what has come in commits of its own.
    eventually(lambda: daemon.pipeline("a_writer")["state"] == "stalled", "the writer waits")
    assert "the stream 'numbers' is full" in daemon.pipeline("a_writer")["waiting_for"]
    held = counts(daemon)["written"]
    eventually(lambda: len(taken(daemon, "fast_rows")) == counts(daemon)["written"] >= held, "the other reader has all")
    assert daemon.post("/api/v1/pipelines/b_slow/resume").status == 200
    last = sum(1 for _ in open(path))
    for table in ("slow_rows", "fast_rows"):
        eventually(lambda table=table: len(taken(daemon, table)) >= last, f"all rows in {table}", 60)
    assert taken(daemon, "slow_rows") == taken(daemon, "fast_rows") == list(range(last))
    assert counts(daemon)["dropped"] == 0


def test_what_a_policy_drops_is_counted(daemon, tmp_path):
    path = tmp_path / "numbers.jsonl"
    path.write_text("")
    options = {"sink.buffer.max-bytes": "64 kb", "sink.buffer.on-full": "drop-oldest"}
    daemon.add("a_writer", writer(path, **options))
    daemon.add("b_reader", reader("some_rows"))
    daemon.start()
    assert daemon.post("/api/v1/pipelines/b_reader/pause").status == 200
    for part in range(20):
        add_lines(path, part * 1000, (part + 1) * 1000)
        eventually(lambda part=part: counts(daemon)["written"] >= (part + 1) * 1000, "the rows are written")
    assert counts(daemon)["dropped"] > 0
    assert daemon.post("/api/v1/pipelines/b_reader/resume").status == 200
    eventually(lambda: counts(daemon)["waiting"] == 0, "the rest is read")
    rows = taken(daemon, "some_rows")
    assert rows == list(range(20000 - len(rows), 20000))
    assert len(rows) + counts(daemon)["dropped"] == 20000


def test_a_reader_that_is_deployed_later_begins_then_and_one_that_goes_holds_nothing(daemon, tmp_path):
    path = tmp_path / "numbers.jsonl"
    path.write_text(lines(0, 100))
    daemon.add("a_writer", writer(path))
    daemon.start()
    eventually(lambda: counts(daemon).get("unread") == 100, "nobody reads")
    late = tmp_path / "late.sql"
    late.write_text(reader("late_rows"))
    deployed = daemon.verb("pipelines", "deploy", late)
    assert deployed.returncode == 0, deployed.stderr
    add_lines(path, 100, 200)
    eventually(lambda: taken(daemon, "late_rows") == list(range(100, 200)), "what came since")
    assert daemon.post("/api/v1/pipelines/late/pause").status == 200
    add_lines(path, 200, 300)
    eventually(lambda: counts(daemon)["waiting"] == 100, "it is kept for the reader")
    removed = daemon.verb("pipelines", "remove", "late")
    assert removed.returncode == 0, removed.stderr
    assert counts(daemon)["waiting"] == 0
    add_lines(path, 300, 400)
    eventually(lambda: counts(daemon)["unread"] == 300, "nobody reads again")


def test_a_reader_whose_file_is_gone_holds_nothing(daemon, tmp_path):
    path = tmp_path / "numbers.jsonl"
    path.write_text("")
    daemon.add("a_writer", writer(path))
    daemon.add("b_reader", reader("rows_read"))
    daemon.start()
    daemon.stop()
    (daemon.pipelines / "b_reader.sql").unlink()
    daemon.start()
    add_lines(path, 0, 100)
    eventually(lambda: counts(daemon)["unread"] == 100, "nobody reads")


def test_who_does_not_fit_is_refused_with_the_reason(daemon, run_leat, tmp_path):
    path = tmp_path / "numbers.jsonl"
    path.write_text("")
    daemon.add("a_writer", writer(path))
    daemon.add("b_reader", reader("rows_read").replace("half DOUBLE) WITH ('connector' = 'stream'", "half FLOAT) WITH ('connector' = 'stream'"))
    daemon.start()
    eventually(lambda: daemon.pipeline("b_reader")["state"] == "failed", "it is refused")
    error = daemon.pipeline("b_reader")["error"]
    assert "(seq BIGINT, half DOUBLE)" in error and "(seq BIGINT, half FLOAT)" in error and "a_writer.numbers" in error
    own = tmp_path / "own.sql"
    own.write_text(stream("there") + stream("back", stream="there") + "INSERT INTO there SELECT seq, half FROM back;\n")
    refused = daemon.verb("pipelines", "deploy", own)
    assert refused.returncode != 0 and "would wait for itself" in refused.stderr
    checked = run_leat("check", daemon.pipelines)
    assert checked.returncode == 78 and "the stream 'numbers' has the columns" in checked.stderr
    checked = run_leat("check", own)
    assert checked.returncode == 78 and "would wait for itself" in checked.stderr
    changes = tmp_path / "changes.sql"
    changes.write_text(
        from_file(path) + stream() + "INSERT INTO numbers SELECT seq, COUNT(*) * 1.0 FROM lines GROUP BY seq;\n"
    )
    checked = run_leat("check", changes)
    assert checked.returncode == 78 and "update" in checked.stderr, checked.stderr


@pytest.fixture
def windows(daemon, tmp_path) -> Daemon:
    path = tmp_path / "readings.jsonl"
    path.write_text("".join(f'{{"seq": {s}, "ts": "2026-01-01 00:00:{s:02}"}}\n' for s in range(50)))
    table = f"""CREATE TABLE readings (seq BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH
      ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json', 'source.monitor-interval' = '50 ms');\n"""
    daemon.add(
        "first",
        often("20 ms") + table + stream("tens", "moment TIMESTAMP(3), total BIGINT")
        + """INSERT INTO tens SELECT window_end, SUM(seq) FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND)
             GROUP BY window_start, window_end;\n""",
    )  # fmt: skip
    daemon.add(
        "second",
        often("20 ms") + stream("tens", "moment TIMESTAMP(3), total BIGINT, WATERMARK FOR moment AS moment")
        + "CREATE TABLE sums (seq BIGINT) WITH ('connector' = 'sqlite');\n"
        + """INSERT INTO sums SELECT SUM(total) FROM TUMBLE(TABLE tens, DESCRIPTOR(moment), INTERVAL '20' SECOND)
             GROUP BY window_start, window_end;\n""",
    )  # fmt: skip
    return daemon


def test_a_reader_has_a_watermark_of_its_own(windows):
    windows.start()
    # Windows of ten end at 10 … 40; those of twenty hold the ends 10, then 20 and 30.
    eventually(lambda: taken(windows, "sums") == [45, 145 + 245], "windows of windows")


def hop(read: str, written: str) -> str:
    tables = "".join(f"CREATE TABLE {name} (n INT) {with_options({'connector': 'stream'})};\n" for name in (read, written))
    return tables + f"INSERT INTO {written} SELECT n FROM {read};\n"


def test_check_finds_streams_that_go_round_and_ends_that_are_loose(run_leat, tmp_path):
    (tmp_path / "a.sql").write_text(hop("cold", "warm"))
    (tmp_path / "b.sql").write_text(hop("warm", "cold"))
    done = run_leat("check", tmp_path)
    assert done.returncode == 78
    assert "the streams 'cold', 'warm' lead back to 'cold'" in done.stderr
    (tmp_path / "b.sql").write_text(hop("wram", "hot"))
    done = run_leat("check", tmp_path)
    assert done.returncode == 0, done.stderr
    for line in (
        "b.sql reads the stream 'wram', which none of these files writes",
        "a.sql writes the stream 'warm', which none of these files reads",
    ):
        assert line in done.stderr


def test_leat_run_has_no_streams(run_leat):
    done = run_leat("run", "-e", "CREATE TABLE s (n INT) WITH ('connector' = 'stream'); SELECT * FROM s;")
    assert done.returncode == 78
    assert "leat trial" in done.stderr
