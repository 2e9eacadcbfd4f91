"""Every pipeline that ships passes `leat check`, and runs against the sensor fleet."""

import json
import sys

import pytest
from conftest import ROOT
from processes import Program, eventually

EXAMPLES = sorted((ROOT / "pipelines" / "examples").glob("*.sql"))
FLEET = ROOT / "packaging" / "sensor-fleet"


def test_there_are_examples():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_passes_check(run_leat, path):
    done = run_leat("check", path)
    assert (done.returncode, done.stderr) == (0, "")


def test_all_examples_run_on_the_fleet(broker, receiver, daemon, tmp_path):
    for path in EXAMPLES:
        text = (
            path.read_text().replace("tcp://127.0.0.1:1883", broker.url).replace("http://127.0.0.1:8080", receiver.url)
        )
        daemon.add(path.stem, text.replace("'5 s'", "'500 ms'"))
    names = [path.stem for path in EXAMPLES]
    daemon.start().wait_connected(*names)
    fleet = Program(
        "sensor-fleet",
        [sys.executable, FLEET, "--broker", f"127.0.0.1:{broker.port}", "--rate", "40", "--for", "4", "--seed", "3"],
        tmp_path / "fleet.log",
    )
    assert eventually(lambda: fleet.process.poll() is not None, "the fleet ends", 60) and fleet.process.returncode == 0
    counts = json.loads(fleet.output().splitlines()[-1])
    assert counts["published"] == counts["acknowledged"] > 500
    for name in names:
        daemon.wait_received(name, counts["published"])
        eventually(lambda name=name: daemon.source(name)["messages"]["queued"] == 0, f"{name} has taken all", 30)
    eventually(lambda: accounted(receiver, daemon) == counts["published"], "every reading in a window, or late", 30)
    daemon.wait_delivered()
    for name in names:
        status = daemon.pipeline(name)
        assert status["accounting_violations"] == [] and status["state"] == "running", status["error"]


def accounted(receiver, daemon) -> int:
    """Readings in the windows that the receiver has, and those that were late."""
    late = sum(node["rows"]["late"] for node in daemon.pipeline("machine-windows")["operators"])
    return late + sum(row["readings"] for row in receiver.rows("/windows"))
