"""Deploying, removing and renaming pipelines while they run."""

import json
import random
import threading
import urllib.error
import urllib.request

import paho.mqtt.client as mqtt
from pipeline_text import http_windows, mqtt_readings, often, windows_over_http
from processes import eventually
from readings import WINDOW_QUERY, check_windows, closing, expected_windows, lines, readings

ROWS = readings(3000)


def windows_text(broker, receiver, top: str = "top", name: str = "", **options) -> str:
    """Windows over HTTP whose state is the same whatever becomes of `top` behind it."""
    query = f"SELECT device, window_start, n, total, mean, {top} AS top FROM ({WINDOW_QUERY})"
    named = f"SET 'pipeline.name' = '{name}';\n" if name else ""
    source = mqtt_readings(broker.url, **options)
    return named + often() + source + http_windows(receiver.url) + f"INSERT INTO windows {query};\n"


def deploy(daemon, folder, name: str, sql: str, *arguments) -> dict:
    path = folder / f"{name}.sql"
    path.write_text(sql)
    done = daemon.verb("pipelines", "deploy", path, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def publish_all(publisher, rows=ROWS, per_second: float = 0) -> None:
    messages = [(f"site/mill/{row['device']}", line) for row, line in zip(rows, lines(rows))]
    if per_second:
        publisher.send_paced(messages, per_second)
    else:
        for topic, line in messages:
            publisher.send(topic, line)


def close_windows(publisher, rows=ROWS) -> None:
    for line in lines(closing(rows)):
        publisher.send("site/mill/closing", line)
    publisher.flush()


def wait_for_windows(daemon, receiver, rows=ROWS) -> None:
    want = len(expected_windows(rows))
    eventually(lambda: len(receiver.rows("/windows")) >= want, "all windows at the receiver", 60)
    daemon.wait_delivered()
    check_windows(receiver.rows("/windows"), rows)


def request(daemon, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(daemon.url + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def has_session(broker, client_id: str) -> bool:
    """Takes the session over: ask once."""
    present = []
    client = mqtt.Client(client_id=client_id, clean_session=False, protocol=mqtt.MQTTv311)
    client.on_connect = lambda _client, _data, flags, _code: present.append(bool(flags["session present"]))
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    eventually(lambda: present, "the broker answers")
    client.disconnect()
    client.loop_stop()
    return present[0]


def killed_in(daemon, seconds: float, method: str, path: str, body: dict | None = None) -> None:
    """Asks, kills the daemon so many seconds later, and starts it again."""

    def ask() -> None:
        try:
            request(daemon, method, path, body)
        except (OSError, ValueError):
            pass  # It was killed.

    asking = threading.Thread(target=ask)
    timer = threading.Timer(seconds, daemon.running.kill)
    timer.start()
    asking.start()
    asking.join()
    timer.join()
    daemon.kill()
    daemon.start()


def test_new_versions_under_load_lose_nothing_and_double_nothing(broker, publisher, receiver, daemon, tmp_path):
    daemon.start()
    first = deploy(daemon, tmp_path, "windows", windows_text(broker, receiver))
    assert first["created"] and first["version"] == 1
    daemon.wait_connected("windows")
    load = threading.Thread(target=publish_all, args=(publisher, ROWS, 400))
    load.start()
    for version, top in enumerate(["top + 0", "top", "top * 1", "top"], start=2):
        daemon.wait_received("windows", 200 * version)
        answer = deploy(daemon, tmp_path, "windows", windows_text(broker, receiver, top))
        assert answer["version"] == version and not answer["created"]
        kept = {each["operator"]: each["keys"] for each in answer["state"]["kept"]}
        assert kept["window aggregate 1"] > 0, "the open windows carry over"
        assert answer["state"]["cold"] == []
    load.join()
    close_windows(publisher)
    wait_for_windows(daemon, receiver)
    status = daemon.pipeline("windows")
    assert status["accounting_violations"] == []
    messages = status["sources"][0]["messages"]
    assert messages["received"] - messages["redelivered"] == len(ROWS) + 1


def test_a_kill_in_the_midst_of_a_deployment_leaves_one_of_the_versions(broker, publisher, receiver, daemon, tmp_path):
    daemon.start()
    texts = [windows_text(broker, receiver, top) for top in ("top", "top + 0")]
    deploy(daemon, tmp_path, "windows", texts[0])
    rng = random.Random(11)
    part = len(ROWS) // 6
    for turn in range(6):
        daemon.wait_connected("windows")
        publish_all(publisher, ROWS[turn * part : (turn + 1) * part])
        body = {"sql": texts[(turn + 1) % 2]}
        killed_in(daemon, rng.uniform(0.1, 0.7), "PUT", "/api/v1/pipelines/windows", body)
        assert daemon.pipeline("windows")["sql"] in texts
        assert daemon.pipeline("windows")["state"] == "running"
    close_windows(publisher)
    wait_for_windows(daemon, receiver)
    assert daemon.pipeline("windows")["accounting_violations"] == []


def test_a_wrong_text_is_refused_with_a_caret_and_the_old_version_runs_on(broker, receiver, daemon, tmp_path):
    daemon.start()
    deploy(daemon, tmp_path, "windows", windows_text(broker, receiver))
    broken = tmp_path / "windows.sql"
    broken.write_text(windows_text(broker, receiver).replace("SUM(seq)", "SUMM(seq)"))
    done = daemon.verb("pipelines", "deploy", broken)
    assert done.returncode == 78
    assert "SUMM" in done.stderr and "^~~~" in done.stderr and "did you mean 'SUM'" in done.stderr
    assert f"{broken}:" in done.stderr, "the place is in the file that was given"
    status, problem = request(daemon, "PUT", "/api/v1/pipelines/windows", {"sql": broken.read_text()})
    assert status == 422
    error = problem["errors"][0]
    assert broken.read_text().splitlines()[error["line"] - 1][error["column"] - 1 :].startswith("SUMM")
    assert error["length"] >= 4 and "^~~~" in problem["text"]
    assert daemon.pipeline("windows")["state"] == "running"
    assert daemon.pipeline("windows")["version"] == 1


def test_state_that_would_be_lost_is_asked_about(broker, publisher, receiver, daemon, tmp_path):
    daemon.start()
    deploy(daemon, tmp_path, "windows", windows_text(broker, receiver))
    daemon.wait_connected("windows")
    publish_all(publisher, ROWS[:200])
    other = windows_text(broker, receiver).replace("INTERVAL '1' SECOND))", "INTERVAL '2' SECOND))")

    def dropped() -> list[str]:
        return request(daemon, "PUT", "/api/v1/pipelines/windows", {"sql": other})[1]["state"]["dropped"]

    eventually(lambda: dropped() == ["window aggregate 1"], "a commit with open windows")
    status, problem = request(daemon, "PUT", "/api/v1/pipelines/windows", {"sql": other})
    assert status == 409
    assert [each["operator"] for each in problem["state"]["cold"]] == ["window aggregate 1"]
    dry = deploy(daemon, tmp_path, "windows", other, "--accept-cold", "--dry-run")
    assert dry["state"] == problem["state"] and dry["dry_run"]
    assert daemon.pipeline("windows")["version"] == 1
    assert deploy(daemon, tmp_path, "windows", other, "--accept-cold")["version"] == 2
    again = deploy(daemon, tmp_path, "windows", other)
    assert again["version"] == 2 and not again["changed"]


def test_topics_that_a_new_version_does_not_name_do_not_come_any_more(broker, publisher, receiver, daemon, tmp_path):
    daemon.start()
    deploy(daemon, tmp_path, "windows", windows_text(broker, receiver, topic="site/#;hall/#"))
    daemon.wait_connected("windows")
    publisher.send("hall/1", lines(ROWS[:1])[0])
    daemon.wait_received("windows", 1)
    eventually(lambda: daemon.pipeline("windows")["last_commit"] > 0, "a commit")
    deploy(daemon, tmp_path, "windows", windows_text(broker, receiver, topic="site/#"))
    daemon.wait_connected("windows")
    publisher.send("hall/1", lines(ROWS[1:2])[0])
    publisher.send("site/1", lines(ROWS[2:3])[0])
    publisher.flush()
    daemon.wait_received("windows", 2)
    assert daemon.source("windows")["messages"]["received"] == 2, "one of each topic that was wanted then"


def test_a_removed_pipeline_ends_its_session_and_leaves_what_was_not_purged(
    broker, publisher, receiver, daemon, tmp_path
):
    daemon.start()
    text = windows_text(broker, receiver, extra={"client-id": "the-mill"})
    deploy(daemon, tmp_path, "windows", text)
    daemon.wait_connected("windows")
    publish_all(publisher, ROWS[:500])
    publisher.flush()
    eventually(lambda: daemon.pipeline("windows")["last_commit"] > 1, "a commit")
    status, removed = request(daemon, "DELETE", "/api/v1/pipelines/windows")
    assert status == 200 and removed["removed"] and removed["purged"] == []
    assert {"journal", "state"} <= set(removed["kept"])
    assert any("has ended" in sentence for sentence in removed["sessions"])
    assert not has_session(broker, "the-mill")
    leftovers = daemon.ask("/readyz").json()["leftovers"]
    assert any("state of pipeline 'windows'" in sentence for sentence in leftovers)
    # The next of its name goes on with the windows that were open.
    back = deploy(daemon, tmp_path, "windows", text)
    assert back["created"] and any(each["keys"] > 0 for each in back["state"]["kept"])
    daemon.wait_connected("windows")
    publish_all(publisher, ROWS[500:])
    close_windows(publisher)
    wait_for_windows(daemon, receiver)
    done = daemon.verb("pipelines", "remove", "windows", "--purge", "all")
    assert done.returncode == 0, done.stderr
    assert daemon.ask("/readyz").json()["leftovers"] == []
    assert daemon.outbox() == []
    assert list((daemon.folder / "data" / "journal").iterdir()) == []
    assert daemon.ask("/api/v1/pipelines/windows").status == 404
    assert request(daemon, "DELETE", "/api/v1/pipelines/windows")[0] == 404


def test_a_session_ends_when_the_broker_is_back(broker, receiver, daemon, tmp_path):
    daemon.start()
    deploy(daemon, tmp_path, "windows", windows_text(broker, receiver, extra={"client-id": "the-mill"}))
    daemon.wait_connected("windows")
    broker.stop()
    status, removed = request(daemon, "DELETE", "/api/v1/pipelines/windows?purge=all")
    assert status == 200
    assert any("is still there" in sentence for sentence in removed["sessions"])
    broker.start()
    eventually(lambda: "a session at a broker has ended" in daemon.log(), "the session is ended later", 60)
    assert not has_session(broker, "the-mill")


def test_a_pipeline_is_renamed_under_load(broker, publisher, receiver, daemon, tmp_path):
    daemon.start()
    deploy(daemon, tmp_path, "windows", windows_text(broker, receiver, name="windows"))
    daemon.wait_connected("windows")
    load = threading.Thread(target=publish_all, args=(publisher, ROWS, 1000))
    load.start()
    daemon.wait_received("windows", 500)
    done = daemon.verb("pipelines", "rename", "windows", "mill 3")
    assert done.returncode == 0, done.stderr
    load.join()
    close_windows(publisher)
    assert daemon.ask("/api/v1/pipelines/windows").status == 404
    shown = daemon.ask("/api/v1/pipelines/mill%203").json()
    assert shown["identity"] == "windows"
    assert shown["sql"].startswith("SET 'pipeline.name' = 'mill 3';")
    daemon.stop()
    daemon.start()
    wait_for_windows(daemon, receiver)
    # What has the old name next is another pipeline to the broker and to the receiver.
    assert deploy(daemon, tmp_path, "windows", windows_text(broker, receiver))["created"]
    daemon.wait_connected("windows", "mill%203")


def names_of(daemon) -> list[str]:
    return [each["name"] for each in daemon.ask("/api/v1/pipelines").json()["pipelines"]]


def test_a_kill_in_the_midst_of_a_renaming_leaves_one_of_the_names(broker, publisher, receiver, daemon, tmp_path):
    daemon.start()
    deploy(daemon, tmp_path, "a", windows_text(broker, receiver, name="a"))
    rng = random.Random(3)
    part = len(ROWS) // 6
    for turn in range(6):
        (name,) = names_of(daemon)
        daemon.wait_connected(name)
        publish_all(publisher, ROWS[turn * part : (turn + 1) * part])
        other = "b" if name == "a" else "a"
        killed_in(daemon, rng.uniform(0.02, 0.25), "POST", f"/api/v1/pipelines/{name}/rename", {"to": other})
        (name,) = names_of(daemon)
        assert daemon.pipeline(name)["sql"].startswith(f"SET 'pipeline.name' = '{name}';")
        assert daemon.pipeline(name)["state"] == "running"
        assert daemon.ask("/readyz").json()["leftovers"] == []
    close_windows(publisher)
    wait_for_windows(daemon, receiver)


def test_a_kill_in_the_midst_of_a_removal_leaves_a_pipeline_or_leftovers(broker, publisher, receiver, daemon, tmp_path):
    daemon.start()
    rng = random.Random(5)
    for turn in range(6):
        deploy(daemon, tmp_path, "windows", windows_text(broker, receiver), "--accept-cold")
        daemon.wait_connected("windows")
        publish_all(publisher, ROWS[turn * 100 : (turn + 1) * 100])
        daemon.wait_received("windows", 100)
        killed_in(daemon, rng.uniform(0.02, 0.25), "DELETE", "/api/v1/pipelines/windows?purge=all")
        assert daemon.ask("/readyz").status == 200
        request(daemon, "DELETE", "/api/v1/pipelines/windows?purge=all")
        assert names_of(daemon) == []
        assert daemon.ask("/readyz").json()["leftovers"] == []
        assert list((daemon.folder / "data" / "journal").iterdir()) == []


def test_files_and_deployed_pipelines_do_not_fight(broker, receiver, daemon, tmp_path):
    daemon.add("filed", windows_over_http(broker.url, receiver.url))
    daemon.start()
    text = windows_text(broker, receiver)
    status, problem = request(daemon, "PUT", "/api/v1/pipelines/filed", {"sql": text})
    assert status == 409 and "filed.sql" in problem["detail"]
    assert request(daemon, "DELETE", "/api/v1/pipelines/filed")[0] == 409
    assert request(daemon, "POST", "/api/v1/pipelines/filed/rename", {"to": "other"})[0] == 409
    deploy(daemon, tmp_path, "deployed", text)
    daemon.stop()
    daemon.add("deployed", windows_over_http(broker.url, receiver.url))
    daemon.start()
    ready = daemon.ask("/readyz")
    assert ready.status == 503
    assert any("'deployed' is deployed (version 1) and goes on" in reason for reason in ready.json()["reasons"])
    assert "is deployed (version 1) and goes on" in daemon.log()
    shown = daemon.pipeline("deployed")
    assert shown["origin"] == "deployed" and shown["sql"] == text and shown["state"] == "running"
    assert daemon.pipeline("filed")["origin"] == "file" and daemon.pipeline("filed")["version"] == 0


def test_a_paused_pipeline_stays_paused_under_a_new_version(broker, receiver, daemon, tmp_path):
    daemon.start()
    deploy(daemon, tmp_path, "windows", windows_text(broker, receiver))
    assert daemon.verb("pipelines", "pause", "windows").returncode == 0
    deploy(daemon, tmp_path, "windows", windows_text(broker, receiver, "top + 0"))
    assert daemon.pipeline("windows")["state"] == "paused"
    daemon.stop()
    daemon.start()
    assert daemon.pipeline("windows")["state"] == "paused"
    assert daemon.pipeline("windows")["version"] == 2


def test_the_text_is_shown_without_its_secrets_and_not_taken_back_so(broker, receiver, daemon, tmp_path):
    daemon.start()
    text = windows_text(broker, receiver, extra={"username": "mill", "password": "opensesame"})
    deploy(daemon, tmp_path, "windows", text)
    shown = daemon.verb("pipelines", "show", "windows", "--sql")
    assert shown.returncode == 0 and "opensesame" not in shown.stdout and "'***'" in shown.stdout
    back = tmp_path / "windows.sql"
    back.write_text(shown.stdout)
    refused = daemon.verb("pipelines", "deploy", back)
    assert refused.returncode == 78 and "***" in refused.stderr
    assert "opensesame" not in daemon.log()


def test_what_waits_for_a_sink_is_thrown_away(broker, publisher, receiver, daemon, tmp_path):
    daemon.start()
    deploy(daemon, tmp_path, "windows", windows_text(broker, receiver))
    daemon.wait_connected("windows")
    receiver.stop()
    publish_all(publisher)
    close_windows(publisher)
    want = len(expected_windows(ROWS))
    eventually(lambda: daemon.outbox() and daemon.outbox()[0]["records"]["emitted"] >= want, "all windows wait")
    answer = json.loads(daemon.verb("outbox", "purge", "windows", "windows", "--json").stdout)
    records = daemon.outbox()[0]["records"]
    assert answer["dropped"] == records["dropped"] and answer["waiting"] == records["waiting"]
    assert records["emitted"] == records["delivered"] + records["rejected"] + records["dropped"] + records["waiting"]
    assert daemon.post("/api/v1/outbox/windows/nobody/purge", '{"all": true}').status == 404
    assert daemon.post("/api/v1/outbox/windows/windows/purge").status == 400
    receiver.start()
    daemon.wait_delivered()
    assert len(receiver.rows("/windows")) == answer["waiting"]


def test_wrong_requests_are_refused_with_their_reason(daemon):
    daemon.start()
    path = "/api/v1/pipelines/mill"
    for body in ({}, {"sql": 5}, {"sql": "", "cold": "maybe"}, {"sql": "", "dry_run": "yes"}):
        assert request(daemon, "PUT", path, body)[0] == 400
    assert request(daemon, "PUT", path, {"sql": ""})[0] == 422
    assert request(daemon, "DELETE", path + "?purge=jurnal")[1]["detail"].startswith("there is no part 'jurnal'")
    assert request(daemon, "DELETE", path)[0] == 404
    assert request(daemon, "POST", path + "/rename", {"to": "plant"})[0] == 404
    assert request(daemon, "POST", path + "/rename", {})[0] == 400
