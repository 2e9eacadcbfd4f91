"""The pipeline folder and the configuration read anew while the daemon runs: by the verb, by SIGHUP."""

import json
import random
import signal
import threading
import time

from processes import eventually
from test_deploy import ROWS, close_windows, has_session, publish_all, wait_for_windows, windows_text

OFTEN = "SET 'execution.checkpointing.interval' = '100 ms';\n"
GENERATED = """CREATE TABLE a (n BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'datagen', 'rows-per-second' = '50');
CREATE TABLE {sink} (n BIGINT) WITH ('connector' = '{connector}');
INSERT INTO {sink} SELECT {n} FROM a;
"""


def text(n: str = "n", sink: str = "b", connector: str = "blackhole") -> str:
    return OFTEN + GENERATED.format(n=n, sink=sink, connector=connector)


def reload(daemon, *arguments, code: int = 0) -> dict:
    done = daemon.verb("reload", "--json", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def outcomes(report: dict) -> dict:
    return {each["pipeline"]: each["outcome"] for each in report["files"]}


def starts(daemon, name: str) -> int:
    return sum(f"pipeline started pipeline={name} " in line for line in daemon.log().splitlines())


def rows(daemon, name: str) -> int:
    return daemon.pipeline(name)["sources"][0]["rows"]


def test_only_what_has_changed_restarts(daemon):
    for name in ("same", "changed", "gone"):
        daemon.add(name, text())
    daemon.start()
    eventually(lambda: daemon.pipeline("changed")["last_commit"] > 2, "commits")
    daemon.add("changed", text("n + 1"))
    daemon.add("fresh", text())
    (daemon.pipelines / "gone.sql").unlink()
    before = daemon.pipeline("changed")["last_commit"]

    dry = reload(daemon, "--dry-run")
    assert dry["dry_run"] and daemon.pipeline("gone")["state"] == "running"
    report = reload(daemon)
    wanted = {"gone": "ended", "changed": "replaced", "fresh": "started", "same": "unchanged"}
    assert outcomes(report) == outcomes(dry) == wanted
    assert report["counts"] == {"started": 1, "replaced": 1, "unchanged": 1, "ended": 1, "refused": 0, "forgotten": 0}
    assert daemon.pipeline("gone").get("status") == 404
    taken = [name for name in wanted if f"pipeline runs what its file has now pipeline={name} " in daemon.log()]
    assert taken == ["changed", "fresh"] and starts(daemon, "same") == 1
    assert "n + 1" in daemon.pipeline("changed")["sql"]
    assert daemon.pipeline("changed")["last_commit"] >= before, "it goes on from the former text's commits"
    line = next(line for line in daemon.log().splitlines() if "the pipeline folder was read again" in line)
    assert "started=1 replaced=1 unchanged=1 ended=1 refused=0" in line
    assert outcomes(reload(daemon)) == dict.fromkeys(("changed", "fresh", "same"), "unchanged")
    assert daemon.ask("/readyz").status == 200


def test_a_broken_text_leaves_the_former_one_running_and_is_named(daemon):
    daemon.add("line", text())
    daemon.start()
    daemon.add("line", text("m"))
    done = daemon.verb("reload")
    assert done.returncode == 78
    assert f"{daemon.pipelines}/line.sql: pipeline line refused" in done.stderr and "^" in done.stderr
    assert "0 started, 0 replaced, 0 unchanged, 0 ended, 1 refused, 0 forgotten" in done.stdout
    assert "\\" not in done.stderr and done.stderr.count("\n") > 3, "the text with its caret has lines"
    now = daemon.pipeline("line")
    assert now["state"] == "running" and "line.sql:5:" in now["refused"]
    ready = daemon.ask("/readyz")
    assert ready.status == 503 and "is refused, it runs the former one" in ready.json()["reasons"][0]
    assert "is refused" in daemon.verb("pipelines", "list").stdout
    assert "refused" in daemon.verb("pipelines", "show", "line").stdout
    assert "the new text of a pipeline's file is refused, the former one runs on pipeline=line" in daemon.log()
    before = rows(daemon, "line")
    eventually(lambda: rows(daemon, "line") > before, "it runs on")
    assert starts(daemon, "line") == 1

    daemon.add("line", text())
    assert outcomes(reload(daemon)) == {"line": "unchanged"}, "the text that runs is back"
    assert daemon.pipeline("line")["refused"] == "" and daemon.ask("/readyz").status == 200
    daemon.add("line", text("n * 2"))
    assert outcomes(reload(daemon)) == {"line": "replaced"}


def test_a_text_that_cannot_be_built_leaves_the_former_one_running(daemon):
    kept = text(sink="kept", connector="sqlite").replace("kept (n BIGINT)", "kept (n {type}, PRIMARY KEY (n) NOT ENFORCED)")
    daemon.add("line", text())
    daemon.start()
    daemon.add("line", kept.format(type="BIGINT"))
    assert outcomes(reload(daemon)) == {"line": "replaced"}
    # The local table is there in another shape.
    daemon.add("line", kept.format(type="STRING").replace("SELECT n", "SELECT CAST(n AS STRING)"))
    report = reload(daemon, code=78)
    assert outcomes(report) == {"line": "refused"} and report["files"][0]["error"]
    assert daemon.pipeline("line")["state"] == "running" and daemon.pipeline("line")["refused"]


def test_a_file_that_was_wrong_at_the_start_runs_once_it_is_right(daemon):
    daemon.add("line", "nonsense;")
    daemon.add("other", text())
    daemon.start()
    assert daemon.pipeline("line")["state"] == "failed"
    assert outcomes(reload(daemon, code=78)) == {"line": "refused", "other": "unchanged"}
    daemon.add("line", text())
    assert outcomes(reload(daemon)) == {"line": "started", "other": "unchanged"}
    assert daemon.ask("/readyz").status == 200
    daemon.add("worse", "nonsense;")
    assert outcomes(reload(daemon, code=78))["worse"] == "refused"
    assert daemon.pipeline("worse")["state"] == "failed"
    (daemon.pipelines / "worse.sql").unlink()
    assert outcomes(reload(daemon))["worse"] == "forgotten"
    assert daemon.ask("/readyz").status == 200


def test_a_former_text_that_does_not_run_is_not_said_to_run_on(daemon):
    (daemon.folder / "away").mkdir()
    daemon.add("line", text().replace("'connector' = 'datagen', 'rows-per-second' = '50'", "'connector' = 'mqtt', "
               "'url' = 'tcp://127.0.0.1:1', 'topic' = 'a', 'format' = 'json', 'password' = '${file:/nowhere}'"))
    daemon.start()
    assert daemon.pipeline("line")["state"] == "failed"
    daemon.add("line", text("m"))
    assert outcomes(reload(daemon, code=78)) == {"line": "refused"}
    assert "is refused, and the former one does not run pipeline=line" in daemon.log()
    assert "runs on" not in daemon.log()
    assert not any("runs the former" in reason for reason in daemon.ask("/readyz").json()["reasons"])
    answer = daemon.post("/api/v1/pipelines/line/restart")
    assert answer.status == 422 and "runs on" not in answer.text
    done = daemon.verb("pipelines", "restart", "line")
    assert done.returncode == 78, "a wrong pipeline, not a wrong use of the verb"


def test_a_schema_that_has_changed_is_a_change(daemon, tmp_path):
    schema = tmp_path / "reading.proto"
    schema.write_text('syntax = "proto3"; message R { int64 n = 1; }')
    line = text().replace("b (n BIGINT) WITH ('connector' = 'blackhole')", f"""b (n BIGINT) WITH ('connector' = 'filesystem',
      'path' = '{tmp_path}/out', 'format' = 'protobuf', 'protobuf.delimited' = 'true', 'protobuf.proto-file' = '{schema}')""")
    daemon.add("line", line)
    daemon.start()
    deployed = tmp_path / "mill.sql"
    deployed.write_text(line.replace("/out", "/mill"))
    assert daemon.verb("pipelines", "deploy", deployed).returncode == 0
    assert outcomes(reload(daemon)) == {"line": "unchanged"}

    schema.write_text('syntax = "proto3"; message R { int64 m = 1; }')
    report = reload(daemon, code=78)
    assert outcomes(report) == {"line": "refused"} and "no field 'n'" in report["files"][0]["error"]
    assert daemon.pipeline("line")["state"] == "running"
    done = daemon.verb("pipelines", "restart", "line")
    assert done.returncode == 78 and "its former text runs on" in done.stderr
    schema.write_text('syntax = "proto3"; message R { string m = 1; int64 n = 2; }')
    assert outcomes(reload(daemon, "--dry-run")) == {"line": "replaced"}
    assert outcomes(reload(daemon)) == {"line": "replaced"}
    assert daemon.pipeline("line")["refused"] == ""
    assert outcomes(reload(daemon)) == {"line": "unchanged"}
    assert "is replaced, version 2" in daemon.verb("pipelines", "deploy", deployed).stdout
    assert "runs this text already" in daemon.verb("pipelines", "deploy", deployed).stdout


def test_names_move_between_files(daemon):
    daemon.add("one", text())
    daemon.add("two", text())
    daemon.start()
    # The file of 'one' moves; that of 'two' gives its pipeline another name.
    (daemon.pipelines / "one.sql").rename(daemon.pipelines / "uno.sql")
    (daemon.pipelines / "uno.sql").write_text("SET 'pipeline.name' = 'one';\n" + text())
    (daemon.pipelines / "two.sql").write_text("SET 'pipeline.name' = 'zwei';\n" + text())
    report = reload(daemon)
    assert outcomes(report) == {"two": "ended", "zwei": "started", "one": "replaced"}
    assert daemon.pipeline("one")["file"].endswith("uno.sql")
    # A name that somebody has stays with it.
    daemon.add("also", "SET 'pipeline.name' = 'one';\n" + text("n + 5"))
    report = reload(daemon, code=78)
    assert report["counts"]["refused"] == 1 and "is named 'one', too" in report["files"][0]["error"]
    assert daemon.pipeline("one")["file"].endswith("uno.sql")


def test_a_deployed_pipeline_keeps_its_name(daemon, tmp_path):
    daemon.start()
    deployed = tmp_path / "line.sql"
    deployed.write_text(text())
    assert daemon.verb("pipelines", "deploy", deployed).returncode == 0
    daemon.add("line", text("n + 1"))
    report = reload(daemon, code=78)
    assert "is deployed and goes on" in report["files"][0]["error"]
    listed = daemon.ask("/api/v1/pipelines").json()["pipelines"]
    assert [each["name"] for each in listed] == ["line"], "a name has one row"
    assert listed[0]["state"] == "running" and "is deployed and goes on" in listed[0]["refused"]
    assert "a new text is refused" in daemon.verb("pipelines", "list").stdout
    assert "is deployed and goes on" in daemon.verb("pipelines", "show", "line").stdout
    assert "is deployed and goes on" in daemon.ask("/readyz").json()["reasons"][0]
    assert 'leat_pipeline_text_refused{gateway="gateway-7",pipeline="line"} 1' in daemon.ask("/metrics").text
    (daemon.pipelines / "line.sql").unlink()
    assert outcomes(reload(daemon)) == {"line": "forgotten"}, "nothing has ended"
    assert daemon.pipeline("line")["state"] == "running" and daemon.pipeline("line")["refused"] == ""
    assert daemon.ask("/readyz").status == 200

    daemon.add("line", text("n + 1"))
    reload(daemon, code=78)
    assert daemon.verb("pipelines", "remove", "line").returncode == 0
    assert outcomes(reload(daemon)) == {"line": "started"}
    assert daemon.pipeline("line")["origin"] == "file"


def test_a_folder_that_is_away_ends_nothing(daemon):
    daemon.add("line", text())
    daemon.start()
    away = daemon.pipelines.rename(daemon.folder / "away")
    done = daemon.verb("reload")
    assert done.returncode == 1 and "cannot be read" in done.stderr
    assert daemon.pipeline("line")["state"] == "running"
    assert daemon.ask("/readyz").status == 503
    away.rename(daemon.pipelines)
    assert outcomes(reload(daemon)) == {"line": "unchanged"}
    assert daemon.ask("/readyz").status == 200


def test_a_link_to_what_is_away_ends_nothing(daemon, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "line.sql").write_text(text())
    (daemon.pipelines / "line.sql").symlink_to(stick / "line.sql")
    daemon.start()
    stick.rename(tmp_path / "away")
    assert outcomes(reload(daemon, code=78)) == {"line": "refused"}
    assert daemon.pipeline("line")["state"] == "running" and daemon.pipeline("line")["refused"]
    (tmp_path / "away").rename(stick)
    assert outcomes(reload(daemon)) == {"line": "unchanged"}


def test_a_pause_outlasts_a_new_text(daemon):
    daemon.add("line", text())
    daemon.start()
    assert daemon.verb("pipelines", "pause", "line").returncode == 0
    daemon.add("line", text("n + 1"))
    assert outcomes(reload(daemon)) == {"line": "replaced"}
    assert daemon.pipeline("line")["state"] == "paused"


def test_a_restart_takes_what_the_file_has_now(daemon):
    daemon.add("line", text())
    daemon.start()
    daemon.add("line", text("n + 1"))
    done = daemon.verb("pipelines", "restart", "line")
    assert done.returncode == 0 and "its file had changed" in done.stdout
    assert "n + 1" in daemon.pipeline("line")["sql"]
    daemon.add("line", text("m"))
    answer = daemon.post("/api/v1/pipelines/line/restart")
    assert answer.status == 422 and "its former text runs on" in answer.json()["detail"]
    assert daemon.pipeline("line")["state"] == "running" and daemon.pipeline("line")["refused"]


def test_windows_keep_their_state_over_a_reload(daemon, tmp_path):
    """The text behind the window changes; the rows before and after the reload are in one window."""
    readings = tmp_path / "readings"
    readings.mkdir()
    rows_at = OFTEN + f"""
CREATE TABLE a (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '{readings}',
  'format' = 'json', 'source.monitor-interval' = '100 ms');
CREATE TABLE counts (started TIMESTAMP(3), n BIGINT, PRIMARY KEY (started) NOT ENFORCED) WITH ('connector' = 'sqlite');
INSERT INTO counts SELECT window_start, {{n}} FROM (SELECT window_start, window_end, COUNT(*) AS c
  FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end);
"""
    daemon.add("windows", rows_at.format(n="c"))
    daemon.start()

    def more(name: str, *seconds: int) -> None:
        lines = "".join(json.dumps({"ts": f"2026-01-01 00:0{s // 60}:{s % 60:02}"}) + "\n" for s in seconds)
        (tmp_path / name).write_text(lines)
        (tmp_path / name).rename(readings / name)

    more("1.json", 1, 2, 3)
    eventually(lambda: rows(daemon, "windows") == 3, "the first rows")
    daemon.add("windows", rows_at.format(n="c + 0"))
    report = reload(daemon)
    assert report["files"][0]["state"]["kept"] and not report["files"][0]["state"]["cold"]
    more("2.json", 4, 5, 125)
    query = ("query", "SELECT n FROM counts", "--json")
    eventually(lambda: json.loads(daemon.verb(*query).stdout)["rows"] == [[5]], "five rows in the first window")
    # A cold start is said, and may be refused.
    daemon.add("windows", rows_at.format(n="c").replace("'1' MINUTE", "'2' MINUTE"))
    refused = reload(daemon, "--refuse-cold", code=78)
    assert "would start cold" in refused["files"][0]["error"]
    # One that has come back is not started either.
    (daemon.pipelines / "windows.sql").rename(tmp_path / "away.sql")
    reload(daemon)
    (tmp_path / "away.sql").rename(daemon.pipelines / "windows.sql")
    reload(daemon, "--refuse-cold", code=78)
    assert daemon.pipeline("windows")["state"] == "failed"
    assert "operators start without their former state" not in daemon.log()
    taken = reload(daemon)
    assert taken["files"][0]["state"]["cold"]
    assert "an operator starts cold pipeline=windows" in daemon.log()


def test_sighup_does_the_same_and_the_log_level_counts_at_once(daemon):
    daemon.add("line", text())
    daemon.start()
    daemon.add("line", text("n + 1"))
    config = daemon.config.read_text()
    daemon.config.write_text(config.replace("[api]", '[log]\nlevel = "debug"\n[store]\nmax_bytes = "1 gb"\n[api]'))
    daemon.running.send(signal.SIGHUP)
    daemon.running.wait_for_line("the pipeline folder was read again")
    assert "n + 1" in daemon.pipeline("line")["sql"]
    assert daemon.ask("/api/v1/log-level").json()["level"] == "debug"
    assert "which takes effect at the next start keys=store.max_bytes" in daemon.log()
    report = reload(daemon)
    assert report["configuration"] == {"error": "", "applied": [], "at_next_start": ["store.max_bytes"]}

    daemon.config.write_text(config + "lissen = 'x'\n")
    dry = daemon.verb("reload", "--dry-run")
    assert dry.returncode == 78 and daemon.ask("/readyz").status == 200, "nothing was done"
    report = reload(daemon, code=78)
    assert "api.lissen" in report["configuration"]["error"] and report["counts"]["refused"] == 0
    ready = daemon.ask("/readyz")
    assert ready.status == 503 and "the configuration is refused" in ready.json()["reasons"][0]
    status = daemon.verb("status")
    assert status.returncode == 1 and "api.lissen" in status.stdout
    assert 'leat_configuration_refused{gateway="gateway-7"} 1' in daemon.ask("/metrics").text
    daemon.config.write_text(config.replace("[api]", "[api]\ntls_cert = '/nowhere'\ntls_key = '/nowhere'"))
    assert "'/nowhere' cannot be read" in reload(daemon, code=78)["configuration"]["error"], "what the next start needs"
    daemon.config.write_text(config)
    assert "log.level would be applied" in daemon.verb("reload", "--dry-run").stdout
    assert reload(daemon)["configuration"]["applied"] == ["log.level"]
    assert daemon.ask("/api/v1/log-level").json()["level"] == "info"
    assert daemon.ask("/readyz").status == 200
    assert 'leat_configuration_refused{gateway="gateway-7"} 0' in daemon.ask("/metrics").text


def test_many_signals_at_once_are_taken(daemon):
    times = 10
    daemon.add("line", text())
    daemon.start()
    for n in range(times):
        daemon.add("line", text(f"n + {n}"))
        daemon.running.send(signal.SIGHUP)
    eventually(lambda: f"n + {times - 1}" in daemon.pipeline("line").get("sql", ""), "the last text runs")
    daemon.stop()


def test_a_reload_under_way_does_not_hold_up_the_end(daemon):
    for n in range(20):
        daemon.add(f"line{n}", text())
    daemon.start()
    for n in range(20):
        daemon.add(f"line{n}", text("n + 1"))
    daemon.running.send(signal.SIGHUP)
    daemon.running.wait_for_line("reloading")
    daemon.stop()


def test_reloads_under_load_and_crashes_in_them_lose_nothing_and_double_nothing(broker, publisher, receiver, daemon):
    chance = random.Random(7)
    daemon.add("windows", windows_text(broker, receiver))
    daemon.start()
    daemon.wait_connected("windows")
    load = threading.Thread(target=publish_all, args=(publisher, ROWS, 400))
    load.start()
    for n, top in enumerate(["top + 0", "nonsense(top)", "top * 1", "top", "top + 0", "top"]):
        daemon.add("windows", windows_text(broker, receiver, top))
        if n % 2 == 0:
            reload(daemon, code=0)
            continue
        daemon.running.send(signal.SIGHUP)
        if top.startswith("nonsense"):
            eventually(lambda: daemon.pipeline("windows")["refused"], "the text is refused")
            continue
        time.sleep(chance.uniform(0, 0.3))
        daemon.kill()
        daemon.start()
    load.join()
    daemon.wait_connected("windows")
    close_windows(publisher)
    wait_for_windows(daemon, receiver)


def test_a_file_that_is_gone_ends_its_session_and_one_that_moves_keeps_it(broker, receiver, daemon):
    mill = windows_text(broker, receiver, name="mill", extra={"client-id": "the-mill"})
    daemon.add("old", mill)
    daemon.start()
    daemon.wait_connected("mill")
    (daemon.pipelines / "old.sql").rename(daemon.pipelines / "new.sql")
    assert outcomes(reload(daemon)) == {"mill": "unchanged"}
    assert daemon.pipeline("mill")["file"].endswith("new.sql")
    # Another pipeline takes the session over: it is not ended for the one that had it.
    (daemon.pipelines / "new.sql").write_text(mill.replace("'mill'", "'heir'"))
    report = reload(daemon)
    assert outcomes(report) == {"mill": "ended", "heir": "started"}
    assert report["files"][0]["sessions"] == []
    daemon.wait_connected("heir")
    (daemon.pipelines / "new.sql").unlink()
    report = reload(daemon)
    assert any("has ended" in sentence for sentence in report["files"][0]["sessions"])
    assert not has_session(broker, "the-mill")
