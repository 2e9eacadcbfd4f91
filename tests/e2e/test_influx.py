"""Line protocol there and back over files, and messages of several lines over MQTT."""

import json

from pipeline_text import often, with_options
from processes import eventually

COLUMNS = "m STRING, site STRING, temperature DOUBLE, n BIGINT, note STRING, `ok` BOOLEAN, ts TIMESTAMP_LTZ(6)"
PLACES = {
    "format": "influx",
    "influx.measurement-column": "m",
    "influx.tags": "site",
    "influx.timestamp-column": "ts",
    "influx.precision": "us",
}
ROWS = [
    {"m": "w", "site": "old town, =", "temperature": 1.5, "n": -(2**63), "note": 'q"\\\nend', "ok": True, "ts": "2026-01-05 06:00:00.000001Z"},
    {"m": "w x", "site": None, "temperature": None, "n": 0, "note": None, "ok": False, "ts": None},
]


def files(tmp_path, extra: dict) -> str:
    return "".join(
        f"CREATE TABLE {name} ({COLUMNS}) {with_options({'connector': 'filesystem', 'path': path, **options})};\n"
        for name, path, options in (
            ("json_in", tmp_path / "in.jsonl", {"format": "json"}),
            ("lines_out", tmp_path / "lines", PLACES),
            ("lines_in", tmp_path / "lines", {**PLACES, **extra}),
            ("json_out", tmp_path / "back", {"format": "json"}),
        )
    )


def written(folder) -> str:
    return "".join(path.read_text() for path in sorted(folder.iterdir()))


def test_rows_become_lines_and_lines_the_same_rows(run_leat, tmp_path):
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*ROWS, {"m": "nothing", "site": "x"}]))
    tables = files(tmp_path, {})
    done = run_leat("run", "-e", tables + "INSERT INTO lines_out SELECT * FROM json_in;")
    assert done.returncode == 0, done.stderr
    assert "all of the row's are NULL" in done.stderr
    assert written(tmp_path / "lines") == (
        'w,site=old\\ town\\,\\ \\= temperature=1.5,n=-9223372036854775808i,note="q\\"\\\\\nend",ok=true 1767592800000001\n'
        "w\\ x n=0i,ok=false\n"
    )
    done = run_leat("run", "-e", tables + "INSERT INTO json_out SELECT * FROM lines_in;")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in written(tmp_path / "back").splitlines()] == ROWS


def test_a_message_of_several_lines_keeps_the_good_ones(tmp_path, broker, publisher, receiver, daemon):
    read = with_options({"connector": "mqtt", "url": broker.url, "topic": "lines", "qos": "1", **PLACES})
    write = with_options({"connector": "http", "url": f"{receiver.url}/rows", "format": "json"})
    daemon.add(
        "rows",
        often()
        + f"CREATE TABLE i ({COLUMNS}) {read};\nCREATE TABLE o (m STRING, n BIGINT) {write};\n"
        + "INSERT INTO o SELECT m, n FROM i;\n",
    )
    daemon.start().wait_connected("rows")
    for message in ("a n=1i\nb n=oops\nc n=2i\n", "d n=3i\n# comment\n\ne n=4i", "", "f n="):
        publisher.send("lines", message)
    publisher.flush()
    eventually(lambda: len(receiver.rows("/rows")) == 4, "the good lines arrive")
    assert receiver.rows("/rows") == [{"m": m, "n": n} for m, n in zip("acde", (1, 2, 3, 4))]
    eventually(lambda: daemon.source("rows")["messages"]["received"] == 4, "all is read")
    letters = eventually(lambda: daemon.ask("/api/v1/dead-letters").json()["dead_letters"], "bad lines are dead")
    assert sorted(letter["payload"] for letter in letters) == ["b n=oops", "f n="]
    status = daemon.pipeline("rows")
    assert status["accounting_violations"] == []
    counts = status["sources"][0]["messages"]
    # Of the four messages two hold a bad line.
    assert (counts["decoded"], counts["dead"], counts["empty"]) == (1, 2, 1), counts


def test_lines_over_http_as_influxdb_takes_them(run_leat, tmp_path, receiver):
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    read = with_options({"connector": "filesystem", "path": tmp_path / "in.jsonl", "format": "json"})
    write = with_options({"connector": "http", "url": f"{receiver.url}/api/v2/write?bucket=b", "body": "lines", **PLACES})
    sql = f"CREATE TABLE i ({COLUMNS}) {read};\nCREATE TABLE o ({COLUMNS}) {write};\nINSERT INTO o SELECT * FROM i;"
    done = run_leat("run", "-e", sql)
    assert done.returncode == 0, done.stderr
    (request,) = receiver.requests()
    headers = {name.lower(): value for name, value in request["headers"]}
    assert headers["content-type"] == "text/plain; charset=utf-8", headers
    assert request["text"].splitlines()[-1] == "w\\ x n=0i,ok=false"
