"""`leat serve` itself: pipelines that fail, stops and restarts, the accounting under load, metrics, readiness."""

import json
import re
import signal
import threading
import time

from leat import Daemon
from mosquitto import Mosquitto
from pipeline_text import mqtt_readings, often, windows_over_http, with_options
from processes import Program, eventually
from readings import check_windows, closing, expected_windows, lines, readings

ROWS = readings(6000, step=5)

BROKEN = """\
CREATE TABLE t (a INT) WITH ('connector' = 'datagen');
CREATE TABLE o (a INT) WITH ('connector' = 'blackhole');
INSERT INTO o SELECT b FROM t;
"""


def messages(rows=ROWS):
    return [(f"site/mill/{row['device']}", line) for row, line in zip(rows, lines(rows))]


def send_in_background(publisher, per_second=2000):
    thread = threading.Thread(target=publisher.send_paced, args=(messages(), per_second))
    thread.start()
    return thread


def finish(publisher, sender):
    sender.join()
    for line in lines(closing(ROWS, step=5)):
        publisher.send("site/mill/closing", line)
    publisher.flush()


def wait_for_windows(receiver, rows=ROWS):
    want = len(expected_windows(rows))
    eventually(lambda: len(receiver.rows("/windows")) >= want, f"{want} windows at the receiver", 60)
    check_windows(receiver.rows("/windows"), rows)


def test_a_broken_pipeline_fails_alone_and_says_why(broker, publisher, receiver, daemon):
    daemon.add("broken", BROKEN)
    daemon.add("good", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("good")
    ready = daemon.ask("/readyz")
    assert ready.status == 503 and "'broken'" in ready.text and "'good'" not in ready.text
    status = daemon.pipeline("broken")
    assert status["state"] == "failed"
    assert "broken.sql:3:22" in status["error"] and "INSERT INTO o SELECT b FROM t;" in status["error"]
    assert re.search(r"^ *(\| )? *\^", status["error"], re.MULTILINE), status["error"]
    states = {entry["name"]: entry["state"] for entry in daemon.ask("/api/v1/pipelines").json()["pipelines"]}
    assert states == {"broken": "failed", "good": "running"}
    for topic, line in messages()[:500]:
        publisher.send(topic, line)
    for line in lines(closing(ROWS, step=5)):
        publisher.send("site/mill/closing", line)
    wait_for_windows(receiver, ROWS[:500])


def test_readiness_and_unknown_paths(broker, receiver, daemon):
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start()
    eventually(lambda: daemon.ask("/readyz").status == 200, "ready")
    ready = daemon.ask("/readyz").json()
    assert (ready["ready"], ready["reasons"], ready["outages"]) == (True, [], [])
    assert ready["clock"]["state"] == "good"
    assert daemon.ask("/healthz").status == 200
    assert daemon.ask("/api/v1/pipelines/nobody").status == 404
    assert daemon.ask("/api/v1/dead-letters?limit=x").status == 400
    assert daemon.ask("/api/v1/dead-letters?limit=5&before=9").status == 200
    unknown = daemon.ask("/api/v1/dead-letters?limt=5")
    assert unknown.status == 400 and "'limt' (did you mean 'limit'?)" in unknown.json()["detail"]
    assert daemon.ask("/nowhere").status == 404


def test_a_stop_under_load_loses_and_doubles_nothing(broker, publisher, receiver, daemon):
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    sender = send_in_background(publisher)
    for received in (1000, 2500, 4000):
        daemon.wait_received("windows", received)
        daemon.stop()  # Fails unless it ends in time with code 0.
        daemon.start()
    finish(publisher, sender)
    wait_for_windows(receiver)
    daemon.wait_delivered()
    messages_seen = daemon.source("windows")["messages"]
    assert messages_seen["received"] - messages_seen["redelivered"] == len(ROWS) + 1, messages_seen
    sink = daemon.outbox()[0]["records"]
    assert (sink["emitted"], sink["delivered"], sink["waiting"]) == (len(receiver.rows("/windows")),) * 2 + (0,)
    assert "nearly full" not in daemon.log()  # A stop is no full intake.


def test_a_stop_that_waits_is_told_by_readiness_and_log(broker, publisher, daemon, tmp_path):
    far = Mosquitto(tmp_path / "far")
    out = with_options({"connector": "mqtt", "url": far.url, "topic": "out", "format": "json"})
    daemon.config.write_text(daemon.config.read_text().replace('stop_timeout = "10 s"', 'stop_timeout = "3 s"'))
    table = f"CREATE TABLE o (seq BIGINT) {out};\nINSERT INTO o SELECT seq FROM readings;"
    daemon.add("copy", often() + mqtt_readings(broker.url) + table)
    daemon.start().wait_connected("copy")
    publisher.send(*messages()[0])
    eventually(lambda: [sink["records"]["delivered"] for sink in daemon.outbox()] == [1], "the first is delivered")
    far.running.send(signal.SIGSTOP)
    try:
        publisher.send(*messages()[1])
        eventually(lambda: daemon.outbox()[0]["records"]["waiting"] == 1, "the second waits")
        daemon.running.send(signal.SIGTERM)
        answer = eventually(lambda: (a := daemon.ask("/readyz")).status == 503 and a.json(), "readiness says so", 3)
        assert "the daemon stops: pipelines process what they have, and commit" in answer["reasons"]
        eventually(lambda: not daemon.running.running, "it ends", 20)
    finally:
        far.running.send(signal.SIGCONT)
        far.stop()
    assert "'stop_timeout' has ended the wait" in daemon.log()

def test_a_stop_waits_once_for_a_broker_that_has_frozen(broker, receiver, daemon):
    names = [f"windows{i}" for i in range(6)]
    for name in names:
        daemon.add(name, windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected(*names)
    broker.running.send(signal.SIGSTOP)
    try:
        began = time.monotonic()
        daemon.running.send(signal.SIGTERM)
        eventually(lambda: not daemon.running.running, "it ends", 30)
        # A goodbye waits two seconds for its answer.
        assert time.monotonic() - began < 6
    finally:
        broker.running.send(signal.SIGCONT)


def test_counters_survive_a_restart(broker, publisher, receiver, daemon):
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    finish(publisher, send_in_background(publisher, per_second=20000))
    wait_for_windows(receiver)
    daemon.wait_received("windows", len(ROWS) + 1)
    daemon.wait_delivered()
    before, outbox = daemon.pipeline("windows"), daemon.outbox()
    daemon.stop()
    daemon.start()
    after = daemon.pipeline("windows")
    assert [source["messages"] for source in after["sources"]] == [source["messages"] for source in before["sources"]]
    assert [node["rows"] for node in after["operators"]] == [node["rows"] for node in before["operators"]]
    assert after["watermark"] == before["watermark"]
    assert [sink["records"] for sink in daemon.outbox()] == [sink["records"] for sink in outbox]
    assert after["accounting_violations"] == []


def test_the_accounting_holds_while_messages_flow(broker, publisher, receiver, daemon):
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    sender = send_in_background(publisher)
    polls = 0
    while sender.is_alive():
        status = daemon.pipeline("windows")
        assert status["accounting_violations"] == []
        check_equations(status, daemon.outbox())
        polls += 1
    finish(publisher, sender)
    wait_for_windows(receiver)
    assert polls > 20


def check_equations(status: dict, outbox: list[dict]):
    """The same equations as the daemon's own, computed from what the API shows."""
    for source in status["sources"]:
        counts = dict(source["messages"])
        assert counts.pop("received") == sum(counts.values()), source["messages"]
    for node in status["operators"]:
        rows = dict(node["rows"])
        rows.pop("out")
        assert rows.pop("in") == sum(rows.values()), node
    for sink in outbox:
        records = dict(sink["records"])
        assert sum(records.pop("dropped_by").values()) <= records["dropped"], sink
        assert records.pop("emitted") == sum(records.values()), sink


def test_metrics_are_prometheus_text(broker, publisher, receiver, daemon):
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    finish(publisher, send_in_background(publisher, per_second=20000))
    wait_for_windows(receiver)
    daemon.wait_received("windows", len(ROWS) + 1)
    daemon.wait_delivered()
    samples = parse_metrics(daemon.ask("/metrics").text)
    labels = 'gateway="gateway-7",pipeline="windows",source="readings"'
    assert samples[f"leat_source_received_total{{{labels}}}"] == len(ROWS) + 1
    assert samples[f"leat_source_connected{{{labels}}}"] == 1
    delivered = samples['leat_outbox_delivered_total{gateway="gateway-7",pipeline="windows",sink="windows"}']
    assert delivered == len(receiver.rows("/windows"))


def parse_metrics(text: str) -> dict[str, float]:
    """Every sample; each belongs to a family with HELP and TYPE above it."""
    sample = re.compile(r'([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)')
    families: dict[str, str] = {}
    samples: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in families, f"the family {name} comes twice"
            families[name] = kind
        if line.startswith("#"):
            continue
        match = sample.fullmatch(line)
        assert match, f"no sample: {line}"
        histogram = re.sub(r"_(bucket|sum|count)$", "", match[1])
        assert match[1] in families or families.get(histogram) == "histogram", f"no TYPE above {line}"
        samples[match[1] + (match[2] or "")] = float(match[3])
    assert samples
    return samples


def test_two_daemons_on_one_data_dir_are_refused(leat, broker, receiver, daemon, tmp_path):
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    second = Program("second leat", [leat, "serve", "--config", daemon.config], tmp_path / "second.log")
    code = eventually(lambda: second.process.poll(), "the second daemon ends")
    assert code == 1
    assert str(daemon.folder / "data") in second.output(), second.output()
    assert daemon.source("windows")["link"] == "connected"


def test_a_bounded_pipeline_finishes_and_stays_finished(daemon, receiver, tmp_path):
    data = tmp_path / "in.jsonl"
    data.write_text("".join(f'{{"a": {n}}}\n' for n in range(1000)))
    source = {"connector": "filesystem", "path": data, "format": "json"}
    sink = {"connector": "http", "url": f"{receiver.url}/rows", "format": "json"}
    daemon.add(
        "once",
        often() + f"CREATE TABLE i (a INT) {with_options(source)};\nCREATE TABLE o (a INT) {with_options(sink)};\n"
        "INSERT INTO o SELECT a FROM i;",
    )
    daemon.start()
    eventually(lambda: daemon.pipeline("once")["state"] == "finished", "the pipeline finishes")
    assert [row["a"] for row in receiver.rows()] == list(range(1000))
    daemon.stop()
    daemon.start()
    eventually(lambda: daemon.pipeline("once")["state"] == "finished", "the pipeline finishes again")
    assert len(receiver.rows()) == 1000, "a restart read the file again"
    assert daemon.ask("/readyz").status == 200


def test_the_log_may_be_json(leat, tmp_path):
    daemon = Daemon(leat, tmp_path / "json-log", config='[log]\nformat = "json"')
    daemon.running = Program("leat serve", [leat, "serve", "--config", daemon.config], tmp_path / "json.log")
    line = daemon.running.wait_for_line('"ready"')
    assert daemon.running.stop() == 0
    assert json.loads(line)["api"].startswith("http://127.0.0.1:")
    assert all(json.loads(entry)["level"] for entry in daemon.running.output().splitlines())


def test_a_pipeline_is_paused_resumed_and_restarted(broker, publisher, receiver, daemon):
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    for topic, line in messages()[:2000]:
        publisher.send(topic, line)
    publisher.flush()
    daemon.wait_received("windows", 2000)
    paused = daemon.verb("pipelines", "pause", "windows")
    assert (paused.returncode, paused.stdout) == (0, "pipeline windows is paused\n"), paused
    assert daemon.pipeline("windows")["state"] == "paused"
    assert daemon.ask("/readyz").status == 200
    assert 'leat_pipeline_paused{gateway="gateway-7",pipeline="windows"} 1' in daemon.ask("/metrics").text
    # The broker keeps what comes meanwhile, the session is there; and a restart does not end the pause.
    for topic, line in messages()[2000:4000]:
        publisher.send(topic, line)
    publisher.flush()
    daemon.stop()
    daemon.start()
    assert daemon.pipeline("windows")["state"] == "paused"
    refused = daemon.verb("pipelines", "restart", "windows")
    assert refused.returncode == 1 and "is paused: resume it" in refused.stderr, refused
    resumed = daemon.verb("pipelines", "resume", "windows", "--json")
    assert json.loads(resumed.stdout) == {"pipeline": "windows", "done": True}
    daemon.wait_connected("windows")
    assert daemon.verb("pipelines", "restart", "windows").returncode == 0
    daemon.wait_connected("windows")
    for topic, line in messages()[4000:]:
        publisher.send(topic, line)
    for line in lines(closing(ROWS, step=5)):
        publisher.send("site/mill/closing", line)
    publisher.flush()
    wait_for_windows(receiver)
    assert daemon.pipeline("windows")["accounting_violations"] == []


def test_status_and_the_list_of_pipelines(broker, receiver, daemon):
    daemon.add("broken", BROKEN)
    daemon.add("windows", windows_over_http(broker.url, receiver.url))
    daemon.start().wait_connected("windows")
    status = daemon.verb("status")
    assert status.returncode == 1, status
    assert f"daemon at {daemon.url}: not ready" in status.stdout
    assert "pipeline 'broken' has failed: " in status.stdout and "broken.sql:3:22" in status.stdout
    listed = daemon.verb("pipelines", "list").stdout.splitlines()
    assert listed[0].split()[:2] == ["PIPELINE", "STATE"]
    assert [line.split()[:2] for line in listed[1:]] == [["broken", "failed"], ["windows", "running"]]
    shown = daemon.verb("pipelines", "show", "windows").stdout
    assert "readings (mqtt), connected: 0 received" in shown, shown
    assert "\n                       ^" in daemon.verb("pipelines", "show", "broken").stdout
    both = json.loads(daemon.verb("status", "--json").stdout)
    assert both["readiness"]["ready"] is False and len(both["pipelines"]) == 2
    nobody = daemon.verb("pipelines", "show", "nobody")
    assert nobody.returncode == 1 and "there is no pipeline 'nobody'" in nobody.stderr
