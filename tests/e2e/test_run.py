"""`leat run`: a pipeline in the foreground, over files and made-up rows."""

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest
from pipeline_text import file_readings, with_options
from processes import Program, eventually
from readings import COLUMNS, WINDOW_QUERY, check_windows, lines, readings

ROWS = readings(2000)
ENDLESS = """
CREATE TABLE t (a BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000',
                                'fields.a.kind' = 'sequence', 'fields.a.start' = '0', 'fields.a.end' = '1000000000');
SELECT a FROM t;
"""


@pytest.fixture
def json_file(tmp_path):
    path = tmp_path / "readings.jsonl"
    path.write_text("\n".join(lines(ROWS)) + "\n")
    return path


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "readings.csv"
    with open(path, "w", newline="") as out:
        writer = csv.DictWriter(out, ["device", "ts", "seq", "v"], lineterminator="\n")
        writer.writerows(ROWS)
    return path


def windows(run_leat, table, form, *more):
    done = run_leat("run", "--output", form, *more, "-e", table + WINDOW_QUERY + ";")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("more", [(), ("--batch-bytes", "1")], ids=["batches", "row-by-row"])
def test_windows_over_a_json_file_as_json_lines(run_leat, json_file, more):
    out = windows(run_leat, file_readings(json_file), "jsonl", *more)
    check_windows([json.loads(line) for line in out.splitlines()], ROWS)


def test_windows_over_a_csv_file_as_csv(run_leat, csv_file):
    out = windows(run_leat, file_readings(csv_file, "csv"), "csv")
    got = []
    for device, start, n, total, mean, top in csv.reader(io.StringIO(out)):
        got.append({"device": device, "window_start": start, "n": int(n), "total": int(total), "mean": float(mean),
                    "top": float(top)})  # fmt: skip
    check_windows(got, ROWS)


def test_the_changelog_form_is_flinks(run_leat, json_file):
    sql = file_readings(json_file) + "SELECT device, seq, v > 100 FROM readings WHERE seq < 2;"
    done = run_leat("run", "--output", "changelog", "-e", sql)
    want = [f"+I[{row['device']}, {row['seq']}, false]" for row in ROWS[:2]]
    assert (done.returncode, [line.lower() for line in done.stdout.splitlines()]) == (
        0,
        [line.lower() for line in want],
    )


def test_the_table_form_has_a_header_and_a_count(run_leat, json_file):
    sql = file_readings(json_file) + "SELECT device, seq AS number FROM readings WHERE seq < 3;"
    done = run_leat("run", "-e", sql)
    assert done.returncode == 0, done.stderr
    text = [line.split() for line in done.stdout.splitlines()]
    assert text[0] == ["device", "number"]
    assert text[2:5] == [[row["device"], str(row["seq"])] for row in ROWS[:3]]
    assert text[-1] == ["3", "rows"]


def test_a_pipeline_file_may_write_a_file(run_leat, json_file, tmp_path):
    sink = with_options({"connector": "filesystem", "path": tmp_path / "out", "format": "csv"})
    pipeline = tmp_path / "copy.sql"
    pipeline.write_text(
        file_readings(json_file) + f"CREATE TABLE o (device STRING, seq BIGINT) {sink};\n"
        "INSERT INTO o SELECT device, seq FROM readings;"
    )
    done = run_leat("run", pipeline)
    assert done.returncode == 0, done.stderr
    out = [path for path in (tmp_path / "out").iterdir() if path.is_file()]
    text = "".join(path.read_text() for path in out)
    assert text.splitlines() == [f"{row['device']},{row['seq']}" for row in ROWS]


def test_bad_records_are_left_out_and_said(run_leat, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"a": 1}\nno json\n{"a": 3}\n')
    sql = f"CREATE TABLE t (a INT) {with_options({'connector': 'filesystem', 'path': path, 'format': 'json'})}; SELECT a FROM t;"
    done = run_leat("run", "--output", "csv", "-e", sql)
    assert (done.returncode, done.stdout) == (0, "1\n3\n")
    assert "1 record" in done.stderr


def test_state_lets_a_second_run_go_on_behind_the_first(run_leat, json_file, tmp_path):
    sql = file_readings(json_file) + "SELECT seq FROM readings;"
    arguments = ("run", "--output", "csv", "--state", tmp_path / "state", "--set", "pipeline.name=again", "-e", sql)
    first = run_leat(*arguments)
    assert (first.returncode, len(first.stdout.splitlines())) == (0, len(ROWS)), first.stderr
    assert "nothing was read" not in first.stderr
    second = run_leat(*arguments)
    assert (second.returncode, second.stdout) == (0, ""), second.stderr
    assert "nothing was read" in second.stderr, "a run with nothing to do says why"


def test_without_state_nothing_is_left_on_disk(run_leat, json_file, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    done = run_leat("run", "-e", file_readings(json_file) + "SELECT seq FROM readings;", cwd=work)
    assert done.returncode == 0
    assert not list(work.iterdir())


@pytest.mark.parametrize("form", ["table", "jsonl", "csv", "changelog"])
def test_a_reader_that_leaves_early_ends_an_endless_run(leat, tmp_path, form):
    """As `leat run … | head -1`."""
    with open(tmp_path / "errors", "w") as errors:
        command = [leat, "run", "--output", form, "-e", ENDLESS]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout.readline()
    process.stdout.close()
    process.wait(20)
    assert "panic" not in (tmp_path / "errors").read_text()


@pytest.mark.timed
@pytest.mark.parametrize(
    "connector",
    [
        {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "{silent}", "format": "json"},
        {"connector": "http", "url": "http://{silent}/", "format": "json"},
    ],
    ids=lambda options: options["connector"],
)
@pytest.mark.parametrize("state", [[], ["--state", "kept"]], ids=["forgotten", "kept"])
def test_a_far_side_that_says_nothing_does_not_hold_up_the_end(leat, tmp_path, connector, state):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # It takes connections, and answers none.
        options = {key: value.format(silent=f"127.0.0.1:{silent.getsockname()[1]}") for key, value in connector.items()}
        sql = ENDLESS.replace("SELECT a FROM t;", f"CREATE TABLE o (a BIGINT) {with_options(options)};\nINSERT INTO o SELECT a FROM t;")
        program = Program("leat run", [leat, "run", *state, "-e", sql], tmp_path / "log", cwd=tmp_path)
        connection = silent.accept()
        began = time.monotonic()
        code = program.stop(signal.SIGINT)
        connection[0].close()
    assert time.monotonic() - began < 4, "with all that a loaded machine adds to less than two seconds"
    assert re.search(r"leat run: \d+ records for 'o' were not delivered", program.output()), program.output()
    assert code == (0 if state else 1)


@pytest.mark.parametrize("more", [(), ("--state", "kept")], ids=["forgotten", "kept"])
def test_a_limit_that_is_reached_ends_an_endless_run(run_leat, tmp_path, more):
    sql = ENDLESS.replace("SELECT a FROM t;", "SELECT a FROM t LIMIT 3 OFFSET 2;")
    command = ("run", "--output", "csv", *more, "--set", "pipeline.name=few", "-e", sql)
    done = run_leat(*command, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "2\n3\n4\n"), done.stderr
    again = run_leat(*command, cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, "" if more else done.stdout), again.stderr


def test_a_file_is_read_no_further_than_a_limit_wants(run_leat, tmp_path):
    path = tmp_path / "long.jsonl"
    path.write_text("".join(f'{{"a": {a}, "pad": "{"x" * 1000}"}}\n' for a in range(3000)) + "no json\n")
    table = f"CREATE TABLE t (a INT) {with_options({'connector': 'filesystem', 'path': path, 'format': 'json'})};"
    few = run_leat("run", "--output", "csv", "-e", table + "SELECT SUM(a) FROM (SELECT a FROM t LIMIT 4);")
    assert (few.returncode, few.stdout, few.stderr) == (0, "6\n", "")
    both = run_leat("run", "--output", "csv", "-e", table + "SELECT a FROM t LIMIT 1; SELECT COUNT(*) FROM t;")
    assert (both.returncode, both.stdout.split()) == (0, ["0", "3000"]), both.stderr
    assert "1 record" in both.stderr, "the other query reads it all"


def test_a_zone_that_a_row_names_is_no_file(run_leat, tmp_path):
    """Reading a pipe would hold up the pipeline."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = tmp_path / "zones.jsonl"
    path.write_text("".join(f'{{"z": "{zone}"}}\n' for zone in [pipe, "Asia/Tokyo", "Asia/Nowhere", "../zoneinfo/UTC"]))
    table = f"CREATE TABLE t (z STRING) {with_options({'connector': 'filesystem', 'path': path, 'format': 'json'})};"
    done = run_leat("run", "--output", "csv", "-e", table + "SELECT TO_TIMESTAMP_LTZ('2026-01-01 09:00:00', 'yyyy-MM-dd HH:mm:ss', z) FROM t;")
    assert (done.returncode, done.stdout) == (0, '"2026-01-01 00:00:00Z"\n'), done.stderr
    assert "3 records" in done.stderr and f"unknown time zone '{str(pipe)[:40]}" in done.stderr


@pytest.mark.parametrize("size", ["1", "100000"])
def test_late_rows_and_rows_that_end_a_run_are_looked_for_behind_a_limit(run_leat, tmp_path, size):
    """Whatever the batches, whose ends the rows of the limit come to."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"n": {n}, "ts": "2026-03-01 00:{minute:02}:00"}}\n' for n, minute in [(1, 0), (2, 9), (3, 1), (0, 2)]))
    table = f"""CREATE TABLE t (n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
                {with_options({'connector': 'filesystem', 'path': path, 'format': 'json'})};"""
    late = f"""SET 'leat.late-rows' = 'late'; {table} CREATE TABLE late (n INT) WITH ('connector' = 'print');
               SELECT COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end LIMIT 1;"""
    done = run_leat("run", "--output", "changelog", "--batch-bytes", size, "-e", late)
    assert (done.returncode, sorted(done.stdout.split())) == (0, ["+I[0]", "+I[1]", "+I[3]"]), done.stderr
    failing = f"SET 'leat.on-row-error' = 'fail'; {table} SELECT 6 / n FROM t LIMIT 1;"
    done = run_leat("run", "--output", "changelog", "--batch-bytes", size, "-e", failing)
    assert done.returncode == 1 and "division by zero" in done.stderr, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_endless_run_ends_at_a_signal(leat, tmp_path, number):
    running = Program("leat run", [leat, "run", "--output", "csv", "-e", ENDLESS], tmp_path / "out.csv")
    eventually(lambda: running.output().count("\n") > 10, "some rows")
    assert running.stop(number, seconds=15) == 0
    numbers = [int(line) for line in running.output().splitlines()]
    assert numbers == list(range(len(numbers))), "what was printed is not a gapless beginning"


def test_a_missing_input_file_is_an_error_of_the_run(run_leat, tmp_path):
    sql = file_readings(tmp_path / "nothing.jsonl", columns=COLUMNS) + "SELECT seq FROM readings;"
    done = run_leat("run", "-e", sql, seconds=20)
    assert done.returncode == 1
    assert "nothing.jsonl" in done.stderr


@pytest.mark.parametrize("more", [(), ("--batch-bytes", "1")], ids=["batches", "row-by-row"])
def test_a_quoted_csv_field_may_span_lines_of_a_file(run_leat, tmp_path, more):
    path = tmp_path / "notes.csv"
    rows = [["1", "one\ntwo\n\nthree"], ["2", 'a "word"\n'], ["3", "plain"]]
    with open(path, "w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows)
    sql = file_readings(path, "csv", columns="id INT, note STRING") + "SELECT id, note FROM readings;"
    done = run_leat("run", "--output", "csv", *more, "-e", sql)
    assert done.returncode == 0, done.stderr
    assert list(csv.reader(io.StringIO(done.stdout))) == rows
    assert done.stderr == ""


def test_a_full_standard_output_fails_the_run(leat, json_file):
    command = [leat, "run", "--output", "csv", "-e", file_readings(json_file) + "SELECT seq FROM readings;"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr


def test_a_last_file_that_cannot_be_published_fails_the_run(leat, tmp_path):
    """Everything is delivered into a hidden file; something takes the name that it is to get at the end."""
    out = tmp_path / "out"
    source = with_options({"connector": "datagen", "rows-per-second": 20, "number-of-rows": 40})
    sink = with_options({"connector": "filesystem", "path": out, "format": "csv"})
    sql = (
        "SET 'execution.checkpointing.interval' = '50 ms';"
        f"CREATE TABLE t (a BIGINT) {source}; CREATE TABLE o (a BIGINT) {sink}; INSERT INTO o SELECT a FROM t;"
    )
    running = Program("leat run", [leat, "run", "-e", sql], tmp_path / "log")
    hidden = eventually(lambda: list(out.glob(".leat-*.inprogress")), "the hidden file")[0]
    final = out / hidden.name.removeprefix(".leat-").removesuffix(".inprogress")
    final.mkdir()
    assert running.process.wait(30) == 1
    assert "cannot be published" in running.output() and final.name in running.output()
    assert hidden.exists(), "what was delivered stays"


def test_a_sink_path_that_is_a_file_is_refused_with_what_to_do(run_leat, tmp_path):
    out = tmp_path / "out"
    out.write_text("in the way")
    source = with_options({"connector": "datagen", "number-of-rows": 3})
    sink = with_options({"connector": "filesystem", "path": out, "format": "csv"})
    sql = f"CREATE TABLE t (a BIGINT) {source}; CREATE TABLE o (a BIGINT) {sink}; INSERT INTO o SELECT a FROM t;"
    refused = run_leat("run", "-e", sql)
    assert refused.returncode == 1
    assert "is a file where a folder is expected; move it away, or set 'path' to a folder" in refused.stderr
    assert out.read_text() == "in the way"


UPDATES = "SELECT k, COUNT(*) AS n FROM (VALUES ('a'), ('b'), ('a')) AS t (k) GROUP BY k"


def test_an_updating_query_leaves_its_final_rows_in_every_form_but_the_changelog(run_leat):
    assert run_leat("run", "--output", "jsonl", "-e", UPDATES).stdout.splitlines() == [
        '{"k":"a","n":2}',
        '{"k":"b","n":1}',
    ]
    assert run_leat("run", "--output", "csv", "-e", UPDATES).stdout.splitlines() == ["a,2", "b,1"]
    assert "-U[a, 1]" in run_leat("run", "--output", "changelog", "-e", UPDATES).stdout


TWICE = """\
CREATE TABLE t (a INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json');
CREATE TABLE k (id INT, s STRING) WITH ('connector' = 'print');
INSERT INTO k SELECT a - 1, 'x' FROM t;
INSERT INTO k SELECT a, 'y' FROM t;
"""


def test_two_inserts_into_one_table_give_the_order_of_the_rows_whatever_the_batches(run_leat, tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"a": {n}, "ts": "2026-01-01 00:00:0{n}"}}\n' for n in range(5)))
    sql = TWICE.format(path=tmp_path / "rows.jsonl")
    outs = {run_leat("run", *more, "-e", sql).stdout for more in ((), ("--batch-bytes", "1"), ("--batch-bytes", "60"))}
    want = "".join(f"+I[{n - 1}, x]\n+I[{n}, y]\n" for n in range(5))
    assert outs == {want}


def test_another_method_over_a_kept_state_begins_anew_and_says_which_operator(run_leat, json_file, tmp_path):
    def run(method):
        call = f"ML_DETECT_ANOMALIES(v, ts, JSON_OBJECT('method' VALUE '{method}'))"
        query = f"SELECT {call} OVER (PARTITION BY device ORDER BY ts) FROM readings;"
        done = run_leat("run", "--state", str(tmp_path / "state"), "-e", file_readings(json_file) + query)
        assert done.returncode == 0, done.stderr
        return done.stderr

    assert "without their former state" not in run("zscore")
    assert "without their former state" not in run("zscore")
    told = run("ewma")
    assert "operators start without their former state" in told
    assert "over" in told.lower().split("operators=")[1], told


@pytest.mark.parametrize("value", ["MAP['k', 1, 'j', 2]", "ARRAY[ARRAY[1, 2], ARRAY[3]]"])
def test_csv_output_refuses_what_it_would_lose_and_names_the_way_out(run_leat, value):
    refused = run_leat("run", "--output", "csv", "-e", f"SELECT 1 AS a, {value} AS m")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "cannot hold column 'm' of type" in refused.stderr and "use --output jsonl" in refused.stderr
    written = run_leat("run", "--output", "csv", "-e", f"SELECT 1 AS a, CAST({value} AS STRING) AS m")
    assert written.returncode == 0, written.stderr
    assert all(digit in written.stdout for digit in "123" if digit in value)


def test_keys_that_are_no_strings_are_shown_as_their_text(run_leat):
    out = run_leat("run", "--output", "jsonl", "-e", "SELECT MAP[1, 'a', 2, 'b'] AS m, ARRAY[MAP[TRUE, DATE '2020-01-02']] AS n")
    assert out.stdout == '{"m":{"1":"a","2":"b"},"n":[{"TRUE":"2020-01-02"}]}\n', out.stderr


def test_a_cell_of_the_table_is_one_line_whatever_is_in_it(run_leat):
    rows = "SELECT * FROM (VALUES (U&'a\\000Ab', 1), (U&'\\001B[31mred', 2)) AS t (s, n)"
    shown = run_leat("run", "-e", rows).stdout.splitlines()
    assert shown[2].split() == ["a\\nb", "1"] and shown[3].split() == ["\\x1b[31mred", "2"], shown
    updating = "SELECT s, COUNT(*) AS n FROM (VALUES (U&'a\\000Ab'), ('c')) AS t (s) GROUP BY s"
    shown = run_leat("run", "-e", updating).stdout.splitlines()
    assert shown[2].split() == ["a\\nb", "1"], shown


@pytest.mark.parametrize("kind", ["TIMESTAMP(3)", "TIME(0)", "TIMESTAMP_LTZ(0)", "TIMESTAMP(1)", "DATE"])
def test_made_up_times_are_values_of_their_type(run_leat, kind):
    table = f"CREATE TABLE t (d {kind}) WITH ('connector' = 'datagen', 'number-of-rows' = '20');"
    query = f"SELECT d, d = CAST(CAST(d AS STRING) AS {kind}) AS same FROM t;"
    out = run_leat("run", "--output", "jsonl", "-e", table + query).stdout.splitlines()
    digits = int(re.search(r"\d", kind)[0]) if "(" in kind else 0
    assert len(out) == 20
    for row in map(json.loads, out):
        assert row["same"] and len(row["d"].rstrip("Z").partition(".")[2]) <= digits, row
