"""`leat check`, `leat explain`, wrong options and wrong configuration: exit codes and messages."""

import re
import socket

import pytest
from pipeline_text import mqtt_readings, with_options
from readings import WINDOW_QUERY

GOOD = """\
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '3');
CREATE TABLE o (a INT) WITH ('connector' = 'blackhole');
INSERT INTO o SELECT a FROM t WHERE a > 0;
"""
THREE_ERRORS = """\
CREATE TABLE t (a INT, device STRING) WITH ('connector' = 'datagen', 'rows-per-secnd' = '3');
CREATE TABLE o (a INT) WITH ('connector' = 'blackhole');
INSERT INTO o SELECT devise FROM t;
INSERT INTO o SELECT a FROM nowhere;
"""


def test_a_good_file_is_said_to_be_good(run_leat, tmp_path):
    (tmp_path / "good.sql").write_text(GOOD)
    done = run_leat("check", tmp_path / "good.sql")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path}/good.sql: ok\n"


def test_all_errors_of_a_file_are_reported_with_place_caret_and_nearest_name(run_leat, tmp_path):
    path = tmp_path / "bad.sql"
    path.write_text(THREE_ERRORS)
    done = run_leat("check", path)
    assert done.returncode == 78
    text = done.stderr + done.stdout
    places = re.findall(rf"{re.escape(str(path))}:(\d+):(\d+): error", text)
    assert [int(line) for line, _ in places] == [1, 3, 4], text
    assert "rows-per-second" in text and "device" in text and "nowhere" in text
    assert text.count("^") >= 3, text


def test_a_folder_is_checked_whole(run_leat, tmp_path):
    (tmp_path / "a.sql").write_text(GOOD)
    (tmp_path / "b.sql").write_text(THREE_ERRORS)
    (tmp_path / "notes.txt").write_text("no pipeline")
    done = run_leat("check", tmp_path)
    assert done.returncode == 78
    assert f"{tmp_path}/a.sql: ok" in done.stdout and "b.sql:3:" in done.stderr
    assert "notes.txt" not in done.stdout + done.stderr


MQTT_TO_MQTT = """\
CREATE TABLE t (a INT) WITH ('connector' = 'mqtt', 'url' = 'tcp://127.0.0.1:1', 'topic' = 'a', 'format' = 'json'{name});
CREATE TABLE o (a INT) WITH ('connector' = 'mqtt', 'url' = 'tcp://127.0.0.1:1', 'topic' = 'b', 'format' = 'json');
INSERT INTO o SELECT a FROM t WHERE a > 0;
INSERT INTO o SELECT a FROM t WHERE a < 0;
"""


def test_two_tables_that_throw_one_another_out_of_the_broker_are_named(run_leat, tmp_path):
    (tmp_path / "a.sql").write_text(MQTT_TO_MQTT.format(name=", 'client-id' = 'gateway'"))
    (tmp_path / "b.sql").write_text(MQTT_TO_MQTT.format(name=", 'client-id' = 'other'"))
    assert run_leat("check", tmp_path).returncode == 0
    (tmp_path / "c.sql").write_text(MQTT_TO_MQTT.format(name=", 'client-id' = 'gateway'"))
    done = run_leat("check", tmp_path)
    assert done.returncode == 78
    message = f"'client-id' = 'gateway' is the name of the tables 't' of {tmp_path}/a.sql and 't' of {tmp_path}/c.sql: "
    assert message in done.stderr, done.stderr


def test_a_missing_file_is_named(run_leat, tmp_path):
    done = run_leat("check", tmp_path / "none.sql")
    assert done.returncode == 78
    assert "none.sql" in done.stderr


def test_check_touches_no_network(run_leat, tmp_path):
    """The broker and the upstream are listeners that would see a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        out = with_options({"connector": "http", "url": f"http://127.0.0.1:{port}/", "format": "json"})
        columns = "device STRING, window_start TIMESTAMP(3), n BIGINT, total BIGINT, mean DOUBLE, top DOUBLE"
        sql = (
            mqtt_readings(f"tcp://127.0.0.1:{port}")
            + f"CREATE TABLE o ({columns}) {out};\nINSERT INTO o {WINDOW_QUERY};"
        )
        (tmp_path / "p.sql").write_text(sql)
        done = run_leat("check", tmp_path / "p.sql")
        assert done.returncode == 0, done.stderr
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["srve"],
        ["run"],
        ["run", "a.sql", "-e", "SELECT 1"],
        ["run", "--outputs", "csv", "-e", "SELECT 1"],
        ["run", "--output", "xml", "-e", "SELECT 1"],
        ["run", "--set", "novalue", "-e", "SELECT 1"],
        ["check"],
        ["serve", "--config"],
        ["serve", "now"],
    ],
    ids=" ".join,
)
def test_wrong_options_are_wrong_usage(run_leat, arguments):
    done = run_leat(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip() and not done.stdout


def test_check_refuses_what_serve_refuses(run_leat, tmp_path):
    path = tmp_path / "select.sql"
    path.write_text("SELECT 1;\n")
    done = run_leat("check", path)
    assert done.returncode == 78
    assert f"{path}:1:1" in done.stderr and "leat run" in done.stderr


def refused(run_leat, tmp_path, sql):
    """What `leat check` says of a file that it refuses: the messages, with their places."""
    path = tmp_path / "p.sql"
    path.write_text(sql)
    done = run_leat("check", path)
    assert done.returncode == 78, (sql, done.stdout)
    assert "^" in done.stderr
    return re.findall(rf"{re.escape(str(path))}:(\d+:\d+): error: (.*)", done.stderr)


def datagen(columns, options):
    table = with_options({"connector": "datagen", "number-of-rows": 3, **options})
    return (
        f"CREATE TABLE t ({columns})\n{table};\nCREATE TABLE o (n BIGINT) WITH ('connector' = 'blackhole');\n"
        "INSERT INTO o SELECT COUNT(*) FROM (SELECT * FROM t);"
    )


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ("a INT", {"fields.z.min": 5}, "the table has no column 'z'"),
        ("a ROW<b INT>", {"fields.a.c.min": 5}, "the table has no column 'a.c' (did you mean 'a.b'?)"),
        ("a INT", {"fields.a.min": "xyz"}, "'xyz' is no value of INT"),
        ("a INT", {"fields.a.min": 5_000_000_000}, "'5000000000' is no value of INT"),
        ("a INT", {"fields.a.min": 5, "fields.a.max": 1}, "max is less than min"),
        ("a FLOAT", {"fields.a.max": "1e300"}, "'1e300' is no value of FLOAT"),
        ("a DECIMAL(3, 0)", {"fields.a.max": 1000}, "'1000' is no value of DECIMAL(3, 0)"),
        ("a INT NOT NULL", {"fields.a.null-rate": 0.5}, "is NOT NULL and has a null-rate"),
        ("a INT", {"fields.a.length": 5}, "'fields.a.length' means nothing for the type INT"),
        ("a INT", {"fields.a.var-len": "true"}, "'fields.a.var-len' means nothing for the type INT"),
        ("a INT", {"fields.a.max-past": "1 s"}, "'fields.a.max-past' means nothing for the type INT"),
        ("a INT", {"fields.a.start": 1}, "'fields.a.start' needs 'fields.a.kind' = 'sequence'"),
        ("a CHAR(3)", {"fields.a.length": 2}, "'fields.a.length' means nothing for the type CHAR(3)"),
        ("a VARCHAR(3)", {"fields.a.length": 5}, "5 is longer than VARCHAR(3)"),
        (
            "a INT",
            {"fields.a.kind": "sequence", "fields.a.start": 1, "fields.a.end": 9, "fields.a.min": 1},
            "'fields.a.min' is for random values",
        ),
        (
            "a TINYINT",
            {"fields.a.kind": "sequence", "fields.a.start": 1, "fields.a.end": 200},
            "'200' is no value of TINYINT",
        ),
        ("a MULTISET<INT>", {}, "datagen makes no MULTISET<INT>"),
    ],
    ids=lambda value: "",
)
def test_check_refuses_fields_of_datagen_that_cannot_be_made(run_leat, tmp_path, columns, options, message):
    errors = refused(run_leat, tmp_path, datagen(columns, options))
    assert len(errors) == 1 and message in errors[0][1], errors
    assert errors[0][0].startswith("2:")


def sink(options, columns="a INT, b STRING", query="SELECT 1, 'x'"):
    return f"CREATE TABLE o ({columns})\n{with_options(options)};\nINSERT INTO o {query};"


KAFKA = {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "127.0.0.1:1"}
HTTP = {"connector": "http", "url": "http://127.0.0.1:1/", "format": "json"}
MQTT = {"connector": "mqtt", "url": "mqtt://h", "topic": "a", "format": "json"}
FILES = {"connector": "filesystem", "path": "x", "format": "json"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (KAFKA | {"format": "json", "key.fields": "a;z", "key.format": "json"}, "table o has no column 'z'"),
        (
            KAFKA
            | {"format": "json", "key.fields": "a;b", "key.format": "json", "value.fields-include": "EXCEPT_KEY"},
            "'EXCEPT_KEY' leaves no column for the value",
        ),
        (KAFKA | {"format": "json", "value.format": "json"}, "two names of one thing"),
        (KAFKA | {"value.format": "json", "json.ignore-parse-errors": "true"}, "unknown option 'json.ignore-parse"),
        (KAFKA | {"format": "json", "sink.partitioner": "fixed"}, "see 'properties.partitioner'"),
        (MQTT | {"url": "mqtt://h:99999"}, "expected a port from 1 to 65535"),
        (MQTT | {"url": "mqtt://[::1]:0"}, "expected a port from 1 to 65535"),
        (MQTT | {"url": "mqtt://h/path"}, "'/path' behind the host means nothing"),
        (HTTP | {"header.X-Site": "a", "header.x-site": "b"}, "is given twice"),
        (HTTP | {"sink.retry.initial-backoff": "0 s"}, "'sink.retry.initial-backoff' is 0"),
        (FILES | {"format": "csv", "csv.quote-character": ","}, "must not be the character of 'csv.field-delimiter'"),
        (FILES | {"format": "csv", "csv.escape-character": ","}, "must not be the character of 'csv.field-delimiter'"),
        (FILES | {"format": "csv", "csv.null-literal": "n,"}, "must not hold the delimiter"),
    ],
    ids=lambda value: "",
)
def test_check_refuses_options_that_cannot_work(run_leat, tmp_path, options, message):
    errors = refused(run_leat, tmp_path, sink(options))
    assert len(errors) == 1 and message in errors[0][1], errors


def test_options_of_mqtt_5_are_refused_with_version_3(run_leat, tmp_path):
    new = {"session-expiry": "1 h", "receive-maximum": 5, "retain-handling": 2}
    table = f"CREATE TABLE t (a INT) {with_options(MQTT | {'protocol-version': '3.1.1'} | new)};"
    errors = refused(run_leat, tmp_path, table + "\nINSERT INTO o SELECT a FROM t;")
    for key in new:
        assert any(f"option '{key}' needs 'protocol-version' = '5'" in message for _, message in errors), errors


def test_an_option_that_cannot_be_read_hides_no_other_error(run_leat, tmp_path):
    table = f"CREATE TABLE t (a INT) {with_options(MQTT | {'clean-start': 'maybe', 'qos': 3})};"
    messages = [message for _, message in refused(run_leat, tmp_path, table + "\nINSERT INTO n SELECT a FROM t;")]
    assert len(messages) == 3 and any("'clean-start'" in each for each in messages), messages
    assert any("expected 0, 1 or 2, found 3" in each for each in messages), messages
    messages = [m for _, m in refused(run_leat, tmp_path, sink(HTTP | {"url": "ftp://x", "method": "GET"}))]
    assert len(messages) == 2 and any("'http://'" in each for each in messages), messages


def test_what_follows_from_an_option_that_cannot_be_read_is_no_error_of_its_own(run_leat, tmp_path):
    table = f"CREATE TABLE t (a INT) {with_options(MQTT | {'journal.size': 'big', 'max-packet-size': '100 mb'})};"
    table += "\nCREATE TABLE o (a INT) WITH ('connector' = 'blackhole');\nINSERT INTO o SELECT a FROM t;"
    errors = refused(run_leat, tmp_path, table)
    assert len(errors) == 1 and "'journal.size'" in errors[0][1], errors


def test_all_columns_that_a_format_cannot_hold_are_named(run_leat, tmp_path):
    columns = "a MULTISET<INT>, b MAP<INT, INT>, c MAP<STRING, INT>, d MAP<BIGINT, INT>"
    table = f"CREATE TABLE t ({columns}) {with_options(FILES)};\n"
    errors = refused(run_leat, tmp_path, table + sink(FILES, columns, "SELECT * FROM t"))
    assert [message.split("column ")[1][:3] for _, message in errors] == ["'a'", "'b'", "'d'"] * 2, errors


def test_a_table_that_is_read_and_written_says_each_error_once(run_leat, tmp_path):
    table = f"CREATE TABLE u (i INT) {with_options(FILES | {'x': 1, 'format': 'json'})};"
    errors = refused(run_leat, tmp_path, table + "\nINSERT INTO u SELECT i FROM u;")
    assert len(errors) == 1 and "unknown option 'x'" in errors[0][1], errors


def test_an_error_of_a_table_with_hints_is_said_once(run_leat, tmp_path):
    table = f"CREATE TABLE u (i INT) {with_options(FILES | {'x': 1})};\n"
    table += "CREATE TABLE o (i INT) WITH ('connector' = 'print');"
    queries = [f"\nINSERT INTO o SELECT i FROM u /*+ OPTIONS('lookup.max-rows' = '{n}') */;" for n in (1, 2)]
    errors = refused(run_leat, tmp_path, table + "".join(queries))
    assert len(errors) == 1 and "unknown option 'x'" in errors[0][1], errors


def test_a_select_that_is_refused_says_its_own_errors_too(run_leat, tmp_path):
    table = "CREATE TABLE t (a INT) WITH ('connector' = 'datagen');\n"
    errors = refused(run_leat, tmp_path, table + "SELECT b, NOFN(a) FROM t;")
    text = " ".join(message for _, message in errors)
    assert "a SELECT alone" in text and "'b'" in text and "NOFN" in text, errors


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({"connector": "print", "sink.parallelism": 2}, ["sink.parallelism"]),
        (KAFKA | {"value.format": "json", "sink.parallelism": 2}, ["sink.parallelism"]),
        (
            FILES
            | {"auto-compaction": "true", "sink.shuffle-by-partition.enable": "true", "source.report-statistics": "all"},
            ["auto-compaction", "sink.shuffle-by-partition.enable", "source.report-statistics"],
        ),
    ],
    ids=["print", "kafka", "filesystem"],
)
def test_options_of_flink_that_change_nothing_are_taken_with_a_warning(run_leat, tmp_path, options, keys):
    (tmp_path / "p.sql").write_text(sink(options))
    done = run_leat("check", tmp_path / "p.sql")
    assert done.returncode == 0, done.stderr
    for key in keys:
        assert f"warning: option '{key}' has no effect in Leat: " in done.stderr, done.stderr
    assert done.stderr.count("warning: ") == len(keys), done.stderr
    (tmp_path / "p.sql").write_text(sink(options | {keys[0]: "x"}))
    assert run_leat("check", tmp_path / "p.sql").returncode == 78


def test_hidden_files_and_folders_are_no_pipelines(run_leat, tmp_path):
    (tmp_path / "a.sql").write_text(GOOD)
    (tmp_path / ".b.sql").write_text("nonsense")
    (tmp_path / "sub.sql").mkdir()
    done = run_leat("check", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path}/a.sql: ok\n", "")


@pytest.mark.parametrize("verb", ["serve", "run", "check", "explain", "describe"])
def test_help_of_a_verb_is_its_help_option(run_leat, verb):
    asked = run_leat("help", verb)
    assert (asked.returncode, asked.stdout) == (0, run_leat(verb, "--help").stdout)
    assert f"leat {verb}" in asked.stdout


def test_help_alone_is_the_help_option_and_a_wrong_verb_is_named(run_leat):
    assert run_leat("help").stdout == run_leat("--help").stdout
    wrong = run_leat("help", "rnu")
    assert wrong.returncode == 2
    assert "'rnu' (did you mean 'run'?)" in wrong.stderr


def test_help_and_version(run_leat):
    helped = run_leat("--help")
    assert helped.returncode == 0
    assert all(verb in helped.stdout for verb in ("serve", "run", "check", "explain"))
    version = run_leat("--version")
    assert version.returncode == 0
    assert re.match(r"leat \d+\.\d+\.\d+\n", version.stdout) and "SQLite 3." in version.stdout
    libraries = ("Paho MQTT C++", "Abseil", "RE2", "fmt", "spdlog", "CLI11", "toml++", "prometheus-cpp", "Avro C", "libcbor", "protobuf", "zstd")
    for library in libraries:
        assert re.search(rf"^{re.escape(library)} \d+", version.stdout, re.MULTILINE), version.stdout


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ('data_dirr = "x"\n', 1, "data_dir"),
        ('data_dir = "x"\n[api]\nlisten = "0.0.0.0:8463"\n', None, "loopback"),
        ('[log]\nlevel = "loud"\n', None, "loud"),
        ('stop_timeout = "soon"\n', 1, "stop_timeout"),
        ("data_dir = \n[api]\n", 1, ""),
    ],
    ids=["unknown key", "not loopback", "unknown level", "no duration", "no TOML"],
)
def test_a_wrong_configuration_is_refused_with_its_place(run_leat, tmp_path, text, line, word):
    path = tmp_path / "leat.toml"
    path.write_text(text)
    done = run_leat("serve", "--config", path, cwd=tmp_path)
    assert done.returncode == 78, done.stderr
    assert word in done.stderr
    assert re.search(rf"{re.escape(str(path))}:{line or r'[0-9]+'}:\d+: ", done.stderr), done.stderr


def test_a_configuration_that_is_named_must_be_there(run_leat, tmp_path):
    done = run_leat("serve", "--config", tmp_path / "none.toml")
    assert done.returncode == 78
    assert "none.toml" in done.stderr


def test_explain_shows_the_plan(run_leat, tmp_path):
    sql = mqtt_readings("tcp://127.0.0.1:1883")
    by_verb = run_leat("explain", "-e", sql + WINDOW_QUERY + ";")
    assert by_verb.returncode == 0, by_verb.stderr
    assert "readings" in by_verb.stdout and "TUMBLE" in by_verb.stdout.upper()
    (tmp_path / "explain.sql").write_text(sql + f"EXPLAIN {WINDOW_QUERY};")
    by_statement = run_leat("run", tmp_path / "explain.sql")
    assert by_statement.returncode == 0, by_statement.stderr
    assert "TUMBLE" in by_statement.stdout.upper()
    assert run_leat("explain", "-e", "SELECT x FROM nowhere;").returncode == 78


def test_options_may_come_from_the_table_that_is_copied(run_leat, tmp_path):
    """The same file on a laptop and on a gateway: only the connector's options differ."""
    (tmp_path / "p.sql").write_text(
        mqtt_readings("tcp://127.0.0.1:1883")
        + "CREATE TABLE copy WITH ('connector' = 'datagen', 'number-of-rows' = '2') LIKE readings (EXCLUDING OPTIONS);\n"
        "CREATE TABLE o (seq BIGINT) WITH ('connector' = 'blackhole');\nINSERT INTO o SELECT seq FROM copy;"
    )
    assert run_leat("check", tmp_path / "p.sql").returncode == 0
    assert run_leat("run", tmp_path / "p.sql").returncode == 0


def test_an_action_that_is_wrong_or_missing_is_named(run_leat):
    wrong = run_leat("pipelines", "pauze", "mill")
    assert wrong.returncode == 2 and "there is no verb 'pauze' (did you mean 'pause'?)" in wrong.stderr
    for arguments in (("pipelines", "pauze", "--config", "/x"), ("pauze", "--config", "/x"), ("pipelines", "pauze", "x", "--jsno")):
        wrong = run_leat(*arguments)
        assert wrong.returncode == 2 and "there is no verb 'pauze'" in wrong.stderr, wrong.stderr
    before = run_leat("pipelines", "--config", "/x", "lst")
    assert before.returncode == 2 and "'leat pipelines' needs one of list, show" in before.stderr
    assert "there is no option '--outptu'" in run_leat("run", "--outptu", "csv").stderr
    assert "there is no option '--bogus'" in run_leat("run", "-e", "-- a comment\nSELECT 1", "--bogus").stderr
    assert "needs a FILE, or -e" in run_leat("run").stderr
    missing = run_leat("store")
    assert missing.returncode == 2 and "'leat store' needs one of check, backup, repair" in missing.stderr
