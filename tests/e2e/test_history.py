"""One pipeline, over the live stream and over its history in files, batch and streaming: the same windows."""

import json

import pytest

from pipeline_text import file_readings, mqtt_readings, often, with_options
from processes import eventually
from readings import closing, lines, readings

ROWS = readings(6000)
WINDOWS = {
    "tumble": "TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '5' SECOND)",
    "hop": "HOP(TABLE readings, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND)",
    "cumulate": "CUMULATE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '4' SECOND)",
    "session": "SESSION(TABLE readings PARTITION BY device, DESCRIPTOR(ts), INTERVAL '0.300' SECOND)",
}
COLUMNS = "device STRING, window_start TIMESTAMP(3), window_end TIMESTAMP(3), n BIGINT, total BIGINT, top DOUBLE"


def pipeline(source: str, sink: dict[str, object], window: str) -> str:
    """All but where rows come from and go to is the same."""
    return (
        source
        + f"CREATE TABLE windows ({COLUMNS}) {with_options({**sink, 'format': 'json'})};\n"
        + "INSERT INTO windows SELECT device, window_start, window_end, COUNT(*), SUM(seq), MAX(v)\n"
        + f"FROM {WINDOWS[window]} WHERE device NOT LIKE 'closing%' GROUP BY device, window_start, window_end;\n"
    )


def in_order(windows: list[dict]) -> list[dict]:
    return sorted(windows, key=lambda row: (row["device"], row["window_start"], row["window_end"]))


def over_history(run_leat, folder, window: str, mode: str) -> list[dict]:
    history = folder / "history.jsonl"
    history.write_text("".join(line + "\n" for line in lines(ROWS + closing(ROWS))))
    out = folder / mode
    text = pipeline(file_readings(history), {"connector": "filesystem", "path": out}, window)
    done = run_leat("run", "--set", f"execution.runtime-mode={mode}", "-e", text)
    assert done.returncode == 0, done.stderr
    return in_order([json.loads(line) for path in out.iterdir() for line in path.read_text().splitlines()])


@pytest.mark.parametrize("window", WINDOWS)
def test_history_and_live_stream_give_the_same_windows(
    run_leat, tmp_path, broker, publisher, receiver, daemon, window
):
    wanted = over_history(run_leat, tmp_path, window, "batch")
    assert sum(row["n"] for row in wanted) >= len(ROWS) and len(wanted) > 50
    assert over_history(run_leat, tmp_path, window, "streaming") == wanted
    sink = {"connector": "http", "url": f"{receiver.url}/windows", "body": "json-lines"}
    daemon.add("live", often() + pipeline(mqtt_readings(broker.url), sink, window))
    daemon.start().wait_connected("live")
    for row, line in zip(ROWS, lines(ROWS)):
        publisher.send(f"site/{row['device']}", line)
    # A restart in the middle: what is live is not always up.
    daemon.wait_received("live", len(ROWS) // 2)
    daemon.kill()
    daemon.start()
    for line in lines(closing(ROWS)):
        publisher.send("site/closing", line)
    publisher.flush()
    eventually(lambda: len(receiver.rows("/windows")) >= len(wanted), "all windows have come", 60)
    daemon.wait_delivered()
    assert in_order(receiver.rows("/windows")) == wanted
