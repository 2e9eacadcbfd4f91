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
    missing = run_leat("store")
    assert missing.returncode == 2 and "'leat store' needs one of check, backup, repair" in missing.stderr
