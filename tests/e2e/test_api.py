"""The questions that the API answers: plans, queries, rows as they come, trials, logs, copies of the store."""

import concurrent.futures
import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request

import pytest
from processes import eventually

SETTINGS = "SET 'execution.checkpointing.interval' = '50 ms';\n"
NUMBERS = """
CREATE TABLE numbers (n BIGINT, word STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '500',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000000', 'fields.word.length' = '5');
CREATE VIEW tens AS SELECT n FROM numbers WHERE MOD(n, 10) = 0;
CREATE TABLE kept (n BIGINT, word STRING) WITH ('connector' = 'sqlite');
INSERT INTO kept SELECT n, word FROM numbers WHERE MOD(n, 100) = 0;
"""
SELECT_A_LOT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "


class Events:
    """Server-sent events of one answer, read on a thread."""

    def __init__(self, daemon, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        self.answer = urllib.request.urlopen(urllib.request.Request(daemon.url + path, data, headers), timeout=20)
        self.type = self.answer.headers["Content-Type"]
        self.events = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        name = ""
        try:
            for line in self.answer:
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    name = text[7:]
                elif text.startswith("data: "):
                    self.events.append((name, json.loads(text[6:])))
        except (OSError, ValueError, AttributeError):
            pass  # Closed by us.

    def of(self, name):
        return [data for event, data in list(self.events) if event == name]

    def rows(self):
        return [row["row"] for rows in self.of("rows") for row in rows]

    def wait_end(self, seconds=30):
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the events do not end"
        return self.of("end")[0]

    def close(self):
        self.answer.close()


def post(daemon, path, **body):
    return daemon.post(path, json.dumps(body))


def put(daemon, path, body):
    request = urllib.request.Request(
        daemon.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


@pytest.fixture
def serving(daemon):
    daemon.add("numbers", SETTINGS + NUMBERS)
    daemon.start()
    eventually(lambda: post(daemon, "/api/v1/query", sql="SELECT n FROM kept").json().get("rows"), "rows are kept")
    return daemon


# ---- Texts -----------------------------------------------------------------------------------------------------


def test_a_text_is_judged_with_the_place_of_each_error(serving):
    good = post(serving, "/api/v1/validate", sql=NUMBERS).json()
    assert good["valid"] and good["errors"] == []
    assert good["pipeline"]["sources"] == [{"table": "numbers", "connector": "datagen"}]
    assert good["pipeline"]["sinks"] == [{"table": "kept", "connector": "sqlite"}]
    wrong = post(serving, "/api/v1/validate", sql=NUMBERS.replace("word FROM numbers", "wrod FROM numbers"))
    assert wrong.status == 200
    error = wrong.json()["errors"][0]
    assert not wrong.json()["valid"] and wrong.json()["pipeline"] is None
    assert (error["line"], error["column"], error["length"]) == (6, 28, 4)
    assert "'wrod'" in error["message"] and "^~~~" in wrong.json()["text"]
    alone = post(serving, "/api/v1/validate", sql="SELECT 1;").json()
    assert "a SELECT alone" in alone["errors"][0]["message"]


def test_plans_of_texts_and_of_pipelines(serving):
    plan = post(serving, "/api/v1/explain", sql=NUMBERS)
    assert plan.status == 200 and "kept" in plan.json()["plan"]
    shown = serving.ask("/api/v1/pipelines/numbers/plan")
    assert shown.status == 200 and "numbers" in shown.json()["plan"]
    wrong = post(serving, "/api/v1/explain", sql="SELECT x FROM nowhere")
    assert wrong.status == 422 and wrong.json()["errors"][0]["line"] == 1 and "^" in wrong.json()["text"]
    assert serving.ask("/api/v1/pipelines/nobody/plan").status == 404


@pytest.mark.parametrize("path", ["validate", "explain", "query", "trial"])
def test_a_body_that_is_none(serving, path):
    path = f"/api/v1/{path}"
    for body, status in [
        ("{}", 400),
        ('{"sql": ""}', 400),
        ('{"sql": 7}', 400),
        ('{"sql": null}', 400),
        ('{"sql": "SELECT 1", "sqll": 1}', 400),
        ("[]", 400),
        ("{", 400),
        (json.dumps({"sql": "x" * 300_000}), 413),
        (json.dumps({"sql": "SELECT " + "(" * 5000}), 422 if path != "/api/v1/validate" else 200),
        (json.dumps({"sql": "\0\x01"}), 422 if path != "/api/v1/validate" else 200),
        ('{"sql": "\\ud800"}', 400),
    ]:
        answer = serving.post(path, body)
        assert answer.status == status, (body[:40], answer.text[:300])
    assert serving.ask(path).status == 405


# ---- Tables ----------------------------------------------------------------------------------------------------


def test_local_tables_are_asked_with_sql(serving):
    answer = post(serving, "/api/v1/query", sql="SELECT n, word, n / 2.0 AS half FROM kept ORDER BY n", limit=2).json()
    assert [column["name"] for column in answer["columns"]] == ["n", "word", "half"]
    assert [row[0] for row in answer["rows"]] == [100, 200][: len(answer["rows"])]
    assert answer["elapsed_micros"] > 0
    many = post(serving, "/api/v1/query", sql=SELECT_A_LOT + "i FROM n", limit=7).json()
    assert many["rows"] == [[i] for i in range(1, 8)] and many["truncated"]
    wrong = post(serving, "/api/v1/query", sql="SELECT n,\n m FROM kept")
    assert wrong.status == 422
    assert wrong.json()["errors"] == [{"message": "no such column: m", "line": 2, "column": 2, "length": 1}]
    for limit in (0, -1, 10_001, "5", 1.5, None, 2**64):
        assert post(serving, "/api/v1/query", sql="SELECT 1", limit=limit).status == 400, limit


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM positions",
        "SELECT * FROM sqlite_master",
        "SELECT payload FROM dead_letters",
        "ATTACH '/etc/passwd' AS x",
        "PRAGMA table_list",
        "SELECT load_extension('/tmp/x.so')",
        "DELETE FROM kept",
        "CREATE TEMP TABLE t (a)",
        "SELECT 1; DROP TABLE kept",
        "VACUUM INTO '/tmp/leak.db'",
    ],
)
def test_a_query_reaches_nothing_but_local_tables(serving, sql):
    answer = post(serving, "/api/v1/query", sql=sql)
    assert answer.status == 422, answer.text
    assert str(serving.folder) not in answer.text


def test_a_long_query_is_cut_and_the_log_is_not_pinned(serving):
    lists = ", ".join(f"json_each('{list(range(200))}') AS t{i}" for i in range(5))
    begin = time.monotonic()
    answer = post(serving, "/api/v1/query", sql=f"SELECT count(*) FROM kept, {lists}")
    assert answer.status == 422 and "took longer than its 2000 ms" in answer.text
    assert time.monotonic() - begin < 6
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(post, serving, "/api/v1/query", sql=f"SELECT count(*) FROM {lists}") for _ in range(12)]
        statuses = [each.result().status for each in asked]
    assert set(statuses) == {422, 503} and statuses.count(503) >= 4
    assert post(serving, "/api/v1/query", sql="SELECT 1").status == 200
    eventually(lambda: serving.ask("/api/v1/status").json()["store"]["log_bytes"] < 40 << 20, "the log is emptied")
    hungry = post(serving, "/api/v1/query", sql=SELECT_A_LOT + "max(i) FROM n")
    assert hungry.status == 422 and ("needs more memory than" in hungry.text or "took longer" in hungry.text)


def test_a_table_and_its_rows(serving):
    table = serving.ask("/api/v1/tables/kept").json()
    assert table["table"] == "kept" and table["rows"] > 0
    assert table["columns"] == [{"name": "n", "type": "BIGINT"}, {"name": "word", "type": "STRING"}]
    oldest = serving.ask("/api/v1/tables/kept/rows?limit=1&order=oldest").json()
    assert oldest["rows"][0][0] == 100 and oldest["columns"] == table["columns"]
    newest = serving.ask("/api/v1/tables/kept/rows?limit=1").json()
    assert newest["rows"][0][0] >= 100
    for path, status in [
        ("/api/v1/tables/nothing", 404),
        ("/api/v1/tables/positions/rows", 404),
        ("/api/v1/tables/kept/rows?limit=0", 400),
        ("/api/v1/tables/kept/rows?limit=x", 400),
        ("/api/v1/tables/kept/rows?order=up", 400),
        ("/api/v1/tables/kept/rows?page=2", 400),
    ]:
        assert serving.ask(path).status == status, path


# ---- Rows as they come -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["numbers", "kept", "tens"])
def test_the_tail_of_a_source_a_sink_and_a_view(serving, table):
    events = Events(serving, f"/api/v1/tail/{table}")
    assert events.type == "text/event-stream"
    eventually(lambda: len(events.rows()) >= 5, f"rows of {table} come")
    assert events.events[0][0] == "schema"
    assert events.of("schema")[0]["columns"][0] == {"name": "n", "type": "BIGINT"}
    numbers = [row["n"] for row in events.rows()]
    step = {"numbers": 1, "kept": 100, "tens": 10}[table]
    assert all(n % step == 0 for n in numbers) and numbers == sorted(numbers)
    assert events.of("rows")[0][0]["kind"] == "+I"
    assert post(serving, "/api/v1/pipelines/numbers/pause").status == 200
    if table != "tens":  # A view's rows are those of a trial, with generated numbers of its own.
        assert events.wait_end()["why"] == "pipeline 'numbers' is paused"
    late = serving.ask(f"/api/v1/tail/{table}")
    assert late.status == 409 and "is paused" in late.json()["detail"]


def test_a_tail_of_what_is_not_there(serving):
    answer = serving.ask("/api/v1/tail/nubmers")
    assert answer.status == 404 and "did you mean 'numbers'" in answer.json()["detail"]
    assert serving.ask("/api/v1/tail/numbers?pipeline=nobody").status == 404
    assert serving.ask("/api/v1/tail/").status == 404
    serving.stop()
    serving.add("again", NUMBERS.replace("INSERT INTO kept", "INSERT INTO other").replace("TABLE kept", "TABLE other"))
    serving.start()
    both = serving.ask("/api/v1/tail/numbers")
    assert both.status == 409 and "'again', 'numbers'" in both.json()["detail"]
    events = Events(serving, "/api/v1/tail/numbers?pipeline=again")
    eventually(events.rows, "rows come")
    events.close()


def test_tails_are_capped_and_readers_that_leave_make_room(serving):
    tails = [Events(serving, "/api/v1/tail/kept") for _ in range(64)]
    full = serving.ask("/api/v1/tail/kept")
    assert full.status == 503 and "64 look on" in full.json()["detail"]
    assert serving.ask("/healthz").status == 200
    for each in tails:
        each.close()

    def has_room():
        try:
            Events(serving, "/api/v1/tail/kept").close()
        except urllib.error.HTTPError:
            return False
        return True

    eventually(has_room, "readers that have left make room")
    assert serving.pipeline("numbers")["accounting_violations"] == []


# ---- Trials ----------------------------------------------------------------------------------------------------

READINGS = """CREATE TABLE readings (device STRING, ts TIMESTAMP(3), t DOUBLE, topic STRING METADATA,
  WATERMARK FOR ts AS ts) WITH ('connector' = 'mqtt', 'url' = 'tcp://127.0.0.1:1', 'topic' = 'x', 'format' = 'json');
"""
ROWS = [{"device": "p1", "ts": f"2026-01-01 00:00:{s:02}", "t": s / 2, "topic": "a/b"} for s in range(60)]


def test_a_trial_on_pasted_rows_runs_to_their_end(serving):
    sql = READINGS + """SELECT device, topic, window_start, COUNT(*) AS n, SUM(t) AS total
      FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '30' SECOND))
      GROUP BY device, topic, window_start, window_end;"""
    lines = "\n".join(map(json.dumps, ROWS)) + "\nno json\n"
    events = Events(serving, "/api/v1/trial", {"sql": sql, "input": {"readings": lines}})
    end = events.wait_end()
    assert end == {"why": "the input is read to its end", "rows": 2}
    assert [(row["n"], row["total"], row["topic"]) for row in events.rows()] == [(30, 217.5, "a/b"), (30, 667.5, "a/b")]
    assert any("1 record could not be used" in note["text"] for note in events.of("note"))
    assert {"name": "n", "type": "BIGINT NOT NULL"} in events.of("schema")[0]["columns"]


def test_rows_with_keys_that_are_no_strings_are_shown(serving):
    body = {"pipeline": "numbers", "sql": "SELECT MAP[n, 'x'] AS m FROM numbers", "rows": 2}
    events = Events(serving, "/api/v1/trial", body)
    assert events.wait_end()["rows"] == 2
    assert [row["m"] for row in events.rows()] == [{"1": "x"}, {"2": "x"}]
    assert serving.ask("/healthz").status == 200


def test_a_trial_is_bounded_in_rows_and_time(serving):
    body = {"pipeline": "numbers", "sql": "SELECT n * 2 AS twice FROM numbers", "rows": 10}
    events = Events(serving, "/api/v1/trial", body)
    assert events.wait_end() == {"why": "10 rows, which is the limit", "rows": 10}
    assert [row["twice"] for row in events.rows()] == list(range(2, 22, 2))
    begin = time.monotonic()
    events = Events(serving, "/api/v1/trial", {**body, "sql": "SELECT * FROM tens WHERE n < 0", "seconds": 1})
    assert events.wait_end() == {"why": "the time is over", "rows": 0}
    assert time.monotonic() - begin < 10


def test_a_trial_of_insert_shows_what_would_be_written_and_writes_nothing(serving):
    before = serving.ask("/api/v1/tables").json()["tables"]
    text = NUMBERS.replace("kept", "never")
    events = Events(serving, "/api/v1/trial", {"sql": text, "rows": 3})
    assert events.wait_end()["rows"] == 3
    assert [row["n"] for row in events.rows()] == [100, 200, 300]
    assert [table["name"] for table in serving.ask("/api/v1/tables").json()["tables"]] == [t["name"] for t in before]
    assert [each["name"] for each in serving.ask("/api/v1/pipelines").json()["pipelines"]] == ["numbers"]


@pytest.mark.parametrize(
    "body, status, words",
    [
        ({"sql": "SELECT nn FROM numbers", "pipeline": "numbers"}, 422, "unknown column 'nn'"),
        ({"sql": "SELECT 1", "pipeline": "nobody"}, 404, "nobody"),
        ({"sql": READINGS + "SELECT * FROM readings"}, 422, "no pipeline reads 'readings' from 'mqtt'"),
        (
            {
                "sql": "CREATE TABLE f (x STRING) WITH ('connector' = 'filesystem', 'path' = '/etc/passwd',"
                " 'format' = 'csv'); SELECT * FROM f"
            },
            422,
            "no pipeline reads 'f' from 'filesystem'",
        ),
        ({"sql": "SELECT * FROM numbers", "pipeline": "numbers", "input": {"nubmers": ""}}, 422, "did you mean"),
        ({"sql": "SELECT 1", "input": []}, 400, "'input' is an object"),
        ({"sql": "SELECT 1", "input": {"a": 1}}, 400, "are a text"),
        ({"sql": "SELECT 1", "seconds": 61}, 400, "from 1 to 60"),
        ({"sql": "SELECT 1", "rows": 0}, 400, "from 1 to 10000"),
        ({"sql": "SELECT n FROM numbers", "pipeline": "numbers", "table": "x"}, 422, "writes no table 'x'"),
        ({"sql": "SET 'a' = 'b'"}, 422, "'a'"),
    ],
)
def test_a_trial_that_is_refused(serving, body, status, words):
    answer = post(serving, "/api/v1/trial", **body)
    assert answer.status == status, answer.text
    assert words in answer.text


def test_the_places_of_a_trials_errors_are_those_of_its_own_text(serving):
    answer = post(serving, "/api/v1/trial", sql="SELECT n,\n  nn FROM numbers", pipeline="numbers").json()
    assert (answer["errors"][0]["line"], answer["errors"][0]["column"]) == (2, 3)
    assert answer["text"].startswith("sql:2:3: error:")


def test_four_trials_at_once(serving):
    body = {"pipeline": "numbers", "sql": "SELECT n FROM numbers WHERE n < 0", "seconds": 30}
    trials = [Events(serving, "/api/v1/trial", body) for _ in range(4)]
    full = post(serving, "/api/v1/trial", **body)
    assert full.status == 503 and "4 trials run" in full.json()["detail"]
    for each in trials:
        each.close()
    eventually(lambda: post(serving, "/api/v1/trial", **{**body, "seconds": 1}).status == 200, "there is room again")


def test_a_trial_of_a_live_source_takes_nothing_from_its_pipeline(daemon, broker, publisher):
    readings = f"""
    CREATE TABLE readings (device STRING, n INT, topic STRING METADATA) WITH ('connector' = 'mqtt',
      'url' = '{broker.url}', 'topic' = 'plant/+', 'qos' = '1', 'format' = 'json');
    CREATE TABLE kept (n INT) WITH ('connector' = 'sqlite');
    INSERT INTO kept SELECT n FROM readings;
    """
    daemon.add("plant", SETTINGS + readings)
    daemon.start().wait_connected("plant")
    events = Events(daemon, "/api/v1/trial", {"pipeline": "plant", "sql": "SELECT topic, n FROM readings", "rows": 50})
    same = readings.split("CREATE TABLE kept")[0]
    other = Events(daemon, "/api/v1/trial", {"sql": same + "SELECT COUNT(*) AS c FROM readings", "rows": 200})
    eventually(lambda: events.of("schema") and other.of("schema"), "the trials run")
    time.sleep(0.3)  # Their taps are in place before their answers begin; their sources are not.
    for n in range(100):
        publisher.send("plant/p1", json.dumps({"device": "p1", "n": n}))
    publisher.flush()
    assert events.wait_end()["why"] == "50 rows, which is the limit"
    assert events.rows() == [{"topic": "plant/p1", "n": n} for n in range(50)]
    eventually(lambda: other.rows() and other.rows()[-1]["c"] == 100, "the count arrives")
    other.close()
    eventually(
        lambda: post(daemon, "/api/v1/query", sql="SELECT count(*), max(n) FROM kept").json()["rows"] == [[100, 99]],
        "the pipeline has all",
    )
    source = daemon.source("plant")
    assert source["connects"] == 1 and source["losses"] == 0


# ---- The daemon itself -----------------------------------------------------------------------------------------


def test_status_tells_no_paths(serving):
    answer = serving.ask("/api/v1/status")
    status = answer.json()
    assert status["gateway"] == "gateway-7" and status["version"]
    assert status["started"] < status["now"]
    assert status["store"]["bytes"] > 0 and status["disk"]["free_bytes"] <= status["disk"]["total_bytes"]
    assert status["memory_bytes"] > 1 << 20 and status["threads"] > 1
    assert status["roles"] == ["read", "admin"]
    assert str(serving.folder) not in answer.text


def test_the_logs_last_lines_and_its_level(serving):
    lines = serving.ask("/api/v1/logs").json()["lines"]
    started = [line for line in lines if line["message"] == "pipeline started"]
    assert started[0]["level"] == "info" and started[0]["fields"]["pipeline"] == "numbers"
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert len(serving.ask("/api/v1/logs?lines=1").json()["lines"]) == 1
    assert serving.ask("/api/v1/logs?level=error").json()["lines"] == []
    assert serving.ask("/api/v1/log-level").json() == {"level": "info"}
    assert put(serving, "/api/v1/log-level", {"level": "warn"}) == (200, {"level": "warn"})
    assert put(serving, "/api/v1/log-level", {"level": "loud"})[0] == 400
    assert put(serving, "/api/v1/log-level", {})[0] == 400
    assert serving.ask("/api/v1/log-level").json() == {"level": "warn"}
    for path in ("logs?lines=0", "logs?lines=1001", "logs?level=loud", "logs?line=1"):
        assert serving.ask(f"/api/v1/{path}").status == 400, path


def test_a_backup_is_a_sound_copy_and_leaves_nothing_behind(serving, tmp_path):
    with urllib.request.urlopen(serving.url + "/api/v1/backup", timeout=60) as answer:
        assert answer.headers["Content-Type"] == "application/vnd.sqlite3"
        assert 'filename="gateway-7.db"' in answer.headers["Content-Disposition"]
        (tmp_path / "copy.db").write_bytes(answer.read())
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    numbers = [n for (n,) in copy.execute("SELECT n FROM kept ORDER BY rowid")]
    assert numbers == list(range(100, 100 * len(numbers) + 1, 100)) and numbers
    copy.close()
    assert [path.name for path in (serving.folder / "data").iterdir() if "download" in path.name] == []
    assert serving.pipeline("numbers")["state"] == "running"


def test_operators_tell_how_long_they_take(serving):
    operators = serving.pipeline("numbers")["operators"]
    latency = operators[0]["latency"]
    assert latency["count"] > 0 and 0 < latency["p50_micros"] <= latency["p99_micros"] <= latency["max_micros"]
    metrics = serving.ask("/metrics").text
    labels = 'gateway="gateway-7",pipeline="numbers",operator="scan numbers",le="1e-06"'
    assert f"leat_operator_batch_seconds_bucket{{{labels}}}" in metrics
    assert "leat_operator_batch_seconds_count" in metrics and "leat_operator_batch_seconds_sum" in metrics


def test_the_description_of_the_api(serving):
    document = serving.ask("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    trial = document["paths"]["/api/v1/trial"]["post"]
    assert trial["requestBody"]["content"]["application/json"]["schema"]["required"] == ["sql"]
    assert "text/event-stream" in trial["responses"]["200"]["content"]


# ---- The command line ------------------------------------------------------------------------------------------


def test_the_verbs(serving, tmp_path):
    asked = serving.verb("query", "SELECT n, word FROM kept ORDER BY n LIMIT 1")
    assert asked.returncode == 0 and asked.stdout.splitlines()[0].split() == ["n", "word"]
    assert asked.stdout.splitlines()[1].split()[0] == "100"
    as_json = serving.verb("query", "--json", "SELECT n FROM kept", "--limit", 1)
    assert json.loads(as_json.stdout)["rows"] == [[100]]
    wrong = serving.verb("query", "SELECT m FROM kept")
    assert wrong.returncode == 78
    assert "sql:1:8: error: no such column: m" in wrong.stderr and "\n         ^" in wrong.stderr
    tried = serving.verb("trial", "-e", "SELECT n FROM numbers", "--pipeline", "numbers", "--rows", 2)
    assert tried.returncode == 0, tried.stderr
    assert [line.split() for line in tried.stdout.splitlines()] == [["op", "n"], ["+I", "1"], ["+I", "2"]]
    assert "2 rows, which is the limit" in tried.stderr
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS[:3])))
    pasted = READINGS + "SELECT device, t FROM readings"
    pasted = serving.verb("trial", "-e", pasted, "--input", f"readings={tmp_path}/rows.jsonl", "--json")
    assert [json.loads(line)["row"]["t"] for line in pasted.stdout.splitlines()] == [0.0, 0.5, 1.0]
    once = serving.verb("top", "--once")
    assert once.returncode == 0 and "numbers" in once.stdout and "PIPELINE" in once.stdout
    top = json.loads(serving.verb("top", "--json").stdout)
    assert top["pipelines"][0]["pipeline"] == "numbers" and top["pipelines"][0]["messages_per_second"] > 100
    missing = serving.verb("tail", "nubmers")
    assert missing.returncode == 1 and "did you mean 'numbers'" in missing.stderr


def test_tail_shows_rows_until_the_pipeline_ends(serving, leat):
    from processes import Program

    log = serving.folder / "tail.log"
    tail = Program("leat tail", [leat, "tail", "kept", "--api", serving.url], log)
    tail.wait_for_line("+I  ")
    assert post(serving, "/api/v1/pipelines/numbers/pause").status == 200
    tail.wait_for_line("leat tail: pipeline 'numbers' is paused")
    eventually(lambda: not tail.running, "the verb ends")
