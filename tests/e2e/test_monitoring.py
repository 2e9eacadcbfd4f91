"""Alert rules and the Grafana dashboard, against a real Prometheus that scrapes the daemon."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

import pytest
from conftest import ROOT
from pipeline_text import often, with_options
from ports import free_port
from processes import Program, eventually

MONITORING = ROOT / "packaging" / "monitoring"
RULES = MONITORING / "leat-alerts.yml"
DASHBOARD = MONITORING / "grafana-dashboard.json"
PAGE = ROOT / "packaging" / "docs" / "monitoring.md"
METRIC = re.compile(r"\bleat_[a-z_]+")
BROKEN = """\
CREATE TABLE t (a INT) WITH ('connector' = 'datagen');
CREATE TABLE o (a INT) WITH ('connector' = 'blackhole');
INSERT INTO o SELECT b FROM t;
"""
# What Grafana puts in by itself.
VARIABLES = {"$gateway": ".*", "$pipeline": ".*", "$__rate_interval": "30s"}


def programs_of(*names: str) -> None:
    missing = [name for name in names if shutil.which(name) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"{missing} are not installed (Debian's package prometheus)")
    assert not missing, missing


def promtool(*words: str) -> str:
    programs_of("promtool")
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, cwd=MONITORING, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def panels() -> list[dict]:
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    texts = [target["expr"] for panel in panels() for target in panel["targets"]]
    for name, value in VARIABLES.items():
        texts = [text.replace(name, value) for text in texts]
    return texts


def metrics_named_in(text: str) -> set[str]:
    """A histogram counts once, whatever of it is asked for."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in METRIC.findall(text)}


class Prometheus:
    """Debian's, on a port of its own, with our rules, scraping one daemon."""

    def __init__(self, folder: pathlib.Path, target: str):
        folder.mkdir()
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "leat", "static_configs": [{"targets": [target]}]}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # Every JSON is YAML.
        self.url = f"http://127.0.0.1:{free_port()}"
        command = [
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]
        self.program = Program("prometheus", command, folder / "log")
        self.program.wait_for_line("Server is ready")

    def ask(self, path: str, **words: str):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(words)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, expression: str) -> float | None:
        found = self.ask("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None


@pytest.fixture
def plant(broker, publisher, receiver, daemon):
    """A daemon whose metrics show all there is: a source, a local table, an outbox, a stream, and a pipeline that fails."""
    source = with_options({"connector": "mqtt", "url": broker.url, "topic": "plant/#", "format": "json"})
    sink = with_options({"connector": "http", "url": f"{receiver.url}/rows", "format": "json"})
    columns = "machine STRING, ts TIMESTAMP(3), temperature DOUBLE"
    daemon.add(
        "plant",
        often()
        + f"CREATE TABLE readings ({columns}, WATERMARK FOR ts AS ts) {source};\n"
        + "CREATE TABLE kept (machine STRING, n BIGINT, PRIMARY KEY (machine) NOT ENFORCED)\n"
        + "WITH ('connector' = 'sqlite');\n"
        + f"CREATE TABLE o ({columns}) {sink};\n"
        + f"CREATE TABLE streamed ({columns}) WITH ('connector' = 'stream');\n"
        + "INSERT INTO o SELECT machine, ts, temperature FROM readings;\n"
        + "INSERT INTO streamed SELECT machine, ts, temperature FROM readings;\n"
        + "INSERT INTO kept SELECT machine, COUNT(*) FROM readings GROUP BY machine;\n",
    )
    daemon.add("broken", BROKEN)
    daemon.start().wait_connected("plant")
    for second in range(10):
        reading = {"machine": "press-1", "ts": f"2026-01-01 00:00:0{second}", "temperature": 20}
        publisher.send("plant/press-1", json.dumps(reading))
    publisher.send("plant/press-1", "no json")
    publisher.flush()
    daemon.wait_received("plant", 11)
    daemon.wait_delivered()
    return daemon


@pytest.fixture
def prometheus(plant, tmp_path):
    programs_of("prometheus")
    prometheus = Prometheus(tmp_path / "prometheus", plant.url.removeprefix("http://"))
    yield prometheus
    prometheus.program.stop()


def test_the_rules_are_well_formed_and_fire_when_they_should():
    assert "rules found" in promtool("check", "rules", RULES.name)
    assert "SUCCESS" in promtool("test", "rules", "leat-alerts.test.yml")


def test_every_rule_has_a_test_and_a_line_in_the_documentation():
    rules = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    tested = (MONITORING / "leat-alerts.test.yml").read_text()
    documented = PAGE.read_text()
    for rule in rules:
        assert f'alertname="{rule}"' in tested and f"`{rule}`" in documented, rule
    assert set(re.findall(r"`(Leat\w+)`", documented)) == rules


def test_every_metric_that_is_named_exists(plant):
    there = set(re.findall(r"^# TYPE (\S+)", plant.ask("/metrics").text, re.MULTILINE))
    for path in (RULES, DASHBOARD, PAGE):
        named = metrics_named_in(path.read_text())
        assert len(named) > 3 and named <= there, f"{path.name}: {sorted(named - there)}"


def test_every_panel_and_every_rule_works_on_what_the_daemon_shows(prometheus, plant):
    eventually(lambda: prometheus.value('up{job="leat"}') == 1, "a scrape")
    # Rates need two of them.
    eventually(lambda: (prometheus.value("count_over_time(leat_store_well[1m])") or 0) >= 3, "three scrapes")
    for text in expressions():
        prometheus.ask("query", query=text)  # What Prometheus cannot read is answered with 400, and thrown.
    shown = {panel["title"]: panel["targets"][0]["expr"] for panel in panels()}
    for title in shown:
        if title != "Age of the oldest" and title != "Rows that reach no result":
            expression = shown[title]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            assert prometheus.value(expression) is not None, f"{title}: {expression}"
    assert prometheus.value("leat_source_received_total") == 11
    assert prometheus.value("leat_dead_letters") == 1

    def states() -> dict[str, str]:
        groups = prometheus.ask("rules")["groups"]
        assert all(rule["health"] in ("ok", "unknown") for group in groups for rule in group["rules"]), groups
        return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}

    eventually(lambda: states()["LeatPipelineDown"] == "pending", "the pipeline that has failed is noticed", 60)
    assert states()["LeatDiskRefuses"] == "inactive"
    alerts = [alert["labels"] for alert in prometheus.ask("alerts")["alerts"]]
    assert {"broken"} == {alert["pipeline"] for alert in alerts if alert["alertname"] == "LeatPipelineDown"}
    plant.kill()
    eventually(lambda: states()["LeatDown"] == "pending", "a daemon that is gone is noticed", 60)
