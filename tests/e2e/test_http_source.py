"""Records over HTTP: what is answered, one Leat that feeds another through kills of both, TLS, and several tables."""

import gzip
import json
import os
import random
import socket
import sqlite3
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from leat import Daemon
from pipeline_text import often, with_options
from ports import free_port
from processes import eventually

KILLS = 30 if os.environ.get("LEAT_TEST_LONG") else 6


def from_http(port: int, path: str = "/readings", columns: str = "seq BIGINT", **more) -> str:
    options = {"connector": "http", "listen": f"127.0.0.1:{port}", "path": path, "format": "json", **more}
    return f"CREATE TABLE readings ({columns}) {with_options(options)};\n"


def into_table(name: str = "taken", columns: str = "seq BIGINT", select: str = "seq") -> str:
    return (
        f"CREATE TABLE {name} ({columns}) WITH ('connector' = 'sqlite');\n"
        f"INSERT INTO {name} SELECT {select} FROM readings;\n"
    )


def taken(daemon, name: str = "taken", column: str = "seq") -> list:
    with sqlite3.connect(f"file:{daemon.folder}/data/leat.db?mode=ro", uri=True) as store:
        return [row[0] for row in store.execute(f"SELECT {column} FROM {name} ORDER BY rowid")]


def wait_taken(daemon, expected: list, seconds: float = 30) -> None:
    eventually(lambda: len(taken(daemon)) >= len(expected), f"{len(expected)} rows", seconds)
    assert taken(daemon) == expected


def post(port: int, body: str | bytes, path: str = "/readings", **headers: str) -> int:
    data = body if isinstance(body, bytes) else body.encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, named, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.fixture
def second(leat, tmp_path):
    daemon = Daemon(leat, tmp_path / "second", gateway="upstream")
    yield daemon
    daemon.kill()


def test_objects_arrays_and_compressed_bodies_become_rows(daemon):
    port = free_port()
    daemon.add("devices", often() + from_http(port) + into_table())
    daemon.start().wait_connected("devices")
    assert post(port, '{"seq": 1}', Content_Type="application/json") == 202
    assert post(port, '[{"seq": 2}, {"seq": 3}]') == 202
    assert post(port, gzip.compress(b'{"seq": 4}'), Content_Encoding="gzip") == 202
    assert post(port, "not JSON") == 202
    assert post(port, '{"seq": 5}', path="/elsewhere") == 404
    assert post(port, '{"seq": 5}', Content_Encoding="br") == 415
    wait_taken(daemon, [1, 2, 3, 4])
    eventually(lambda: daemon.source("devices")["messages"]["received"] == 4, "all is counted")
    messages = daemon.source("devices")["messages"]
    assert (messages["decoded"], messages["dead"]) == (3, 1)
    eventually(lambda: daemon.source("devices")["refused"] == 2, "refusals are counted")
    assert daemon.source("devices")["last_refusal"] == "415 to 127.0.0.1"
    assert "leat_source_refused_total" in daemon.ask("/metrics").text
    eventually(lambda: "source refuses what is sent to it" in daemon.log(), "the log says so")


def test_lines_of_a_request_are_records_by_themselves(daemon):
    port = free_port()
    daemon.add("lines", often() + from_http(port, body="lines") + into_table())
    daemon.start().wait_connected("lines")
    assert post(port, '{"seq": 1}\nno JSON\n\n{"seq": 2}\n', Content_Type="application/x-ndjson") == 202
    wait_taken(daemon, [1, 2])
    eventually(lambda: daemon.source("lines")["messages"]["received"] == 4, "all is counted")
    messages = daemon.source("lines")["messages"]
    assert (messages["decoded"], messages["dead"], messages["empty"]) == (2, 1, 1)


def test_a_byte_order_mark_is_no_part_of_a_text_and_part_of_bytes(daemon):
    port = free_port()
    raw = from_http(port, columns="seq BYTES", format="raw").replace("'json'", "'raw'")
    daemon.add("raw", often() + raw + into_table(columns="seq BYTES"))
    daemon.add("lines", often() + from_http(port, path="/lines", body="lines") + into_table("texts"))
    daemon.start().wait_connected("raw", "lines")
    mark = b"\xef\xbb\xbf"
    assert [post(port, mark + b"ABC"), post(port, mark)] == [202, 202]
    assert post(port, mark + b'{"seq": 1}\n{"seq": 2}\n', "/lines") == 202
    wait_taken(daemon, [mark + b"ABC", mark])
    eventually(lambda: taken(daemon, "texts") == [1, 2], "the lines")


def test_a_request_tells_where_it_came_from(daemon):
    port = free_port()
    columns = """seq BIGINT, `path` STRING METADATA, remote STRING METADATA FROM 'remote-address',
      kind STRING METADATA FROM 'content-type', headers MAP<STRING, STRING> METADATA"""
    table = into_table(
        columns="seq BIGINT, source STRING", select="seq, `path` || ' ' || remote || ' ' || kind || ' ' || headers['x-site']"
    )
    daemon.add("devices", often() + from_http(port, columns=columns) + table)
    daemon.start().wait_connected("devices")
    assert post(port, '{"seq": 1}', Content_Type="application/json", X_Site="north") == 202
    wait_taken(daemon, [1])
    assert taken(daemon, column="source") == ["/readings 127.0.0.1 application/json north"]


def test_what_was_answered_survives_a_kill(daemon):
    port = free_port()
    slow = "SET 'execution.checkpointing.interval' = '1 h';\n"
    daemon.add("devices", slow + from_http(port) + into_table())
    daemon.start().wait_connected("devices")
    for seq in range(50):
        assert post(port, json.dumps({"seq": seq}), Idempotency_Key=f"key {seq}") == 202
    daemon.kill()
    daemon.add("devices", often() + from_http(port) + into_table())
    daemon.start().wait_connected("devices")
    for seq in range(50):  # Some are committed by now, some not: all are known.
        assert post(port, json.dumps({"seq": seq}), Idempotency_Key=f"key {seq}") == 202
    wait_taken(daemon, list(range(50)))
    eventually(lambda: daemon.source("devices")["messages"]["redelivered"] == 50, "repeats are counted")
    daemon.kill()
    daemon.start().wait_connected("devices")
    assert post(port, '{"seq": 7}', Idempotency_Key="key 7") == 202
    assert post(port, '{"seq": 50}', Idempotency_Key="key 50") == 202
    wait_taken(daemon, list(range(51)))


def test_one_leat_feeds_another_exactly_once_across_kills_of_both(daemon, second, tmp_path):
    rows = 20000
    port = free_port()
    source = tmp_path / "numbers.jsonl"
    source.write_text("".join(f'{{"seq": {seq}}}\n' for seq in range(rows)))
    sink = {
        "connector": "http",
        "url": f"http://127.0.0.1:{port}/readings",
        "format": "json",
        "token": "between the two".replace(" ", "-"),
        "compression": "gzip",
        "sink.batch.max-rows": "50",
        "sink.retry.initial-backoff": "20 ms",
        "sink.retry.max-backoff": "100 ms",
    }
    daemon.add(
        "edge",
        often("20 ms")
        + f"CREATE TABLE numbers (seq BIGINT) WITH ('connector' = 'filesystem', 'path' = '{source}', 'format' = 'json');\n"
        + f"CREATE TABLE upstream (seq BIGINT) {with_options(sink)};\nINSERT INTO upstream SELECT seq FROM numbers;\n",
    )
    second.add("centre", often("50 ms") + from_http(port, token="between-the-two") + into_table())
    second.start().wait_connected("centre")
    daemon.start()
    random_moments = random.Random(5)
    for _ in range(KILLS):
        time.sleep(random_moments.random() * 0.4)  # A moment of the test's own choice, not a wait for anything.
        victim = random_moments.choice([daemon, second])
        victim.kill()
        victim.start()
    eventually(lambda: len(taken(second)) >= rows, f"{rows} rows have come", 120)
    daemon.wait_delivered()
    assert taken(second) == list(range(rows))
    messages = second.source("centre")["messages"]
    assert messages["received"] == messages["decoded"] + messages["redelivered"] + messages["queued"]


def test_back_pressure_reaches_the_sender_and_nothing_is_lost(daemon, receiver):
    port = free_port()
    receiver.stop()
    sink = f"""CREATE TABLE upstream (seq BIGINT, filling STRING) WITH ('connector' = 'http', 'url' = '{receiver.url}/x',
      'format' = 'json', 'sink.buffer.max-bytes' = '64 kb', 'sink.retry.initial-backoff' = '20 ms',
      'sink.retry.max-backoff' = '50 ms', 'request.timeout' = '2 s');
    INSERT INTO upstream SELECT seq, filling FROM readings;\n"""
    table = from_http(port, columns="seq BIGINT, filling STRING", **{"journal.size": "1 mb", "max-body": "64 kb"})
    daemon.add("full", often("20 ms") + table + sink)
    daemon.start().wait_connected("full")
    filling = "x" * 2000
    accepted, refused = [], 0
    for seq in range(3000):
        status = post(port, json.dumps({"seq": seq, "filling": filling}))
        assert status in (202, 429)
        if status == 202:
            accepted.append(seq)
        else:
            refused += 1
        if refused >= 3:
            break
    assert refused >= 3
    receiver.start()
    eventually(lambda: [row["seq"] for row in receiver.rows("/x")] == accepted, "all that was accepted arrives", 60)
    daemon.wait_connected("full")
    assert post(port, json.dumps({"seq": 5000, "filling": ""})) == 202


def test_a_port_that_others_reach_is_not_opened_without_a_say(run_leat, tmp_path):
    file = tmp_path / "open.sql"
    open_table = from_http(8464).replace("127.0.0.1", "0.0.0.0") + into_table()
    file.write_text(open_table)
    refused = run_leat("check", file)
    assert refused.returncode == 78
    assert "open to other machines" in refused.stderr and "insecure" in refused.stderr
    file.write_text(open_table.replace("'format'", "'token' = '${env:LEAT_TOKEN}', 'format'"))
    assert run_leat("check", file).returncode == 0
    file.write_text(open_table.replace("'format'", "'insecure' = 'true', 'format'"))
    assert run_leat("check", file).returncode == 0


def test_tables_of_a_folder_that_are_in_each_others_way_are_found(run_leat, tmp_path):
    for name, path, more in (("a", "/a", {}), ("b", "/b", {}), ("c", "/b", {"max-connections": "7"})):
        (tmp_path / f"{name}.sql").write_text(from_http(8464, path, **more) + into_table(f"taken_{name}"))
    refused = run_leat("check", tmp_path)
    assert refused.returncode == 78
    assert "all take /b at 127.0.0.1:8464" in refused.stderr and "must agree on" in refused.stderr
    (tmp_path / "c.sql").unlink()
    assert run_leat("check", tmp_path).returncode == 0


def test_a_token_is_compared_as_it_was_sent(daemon):
    port = free_port()
    daemon.add("devices", from_http(port, token="abc%41") + into_table())
    daemon.start().wait_connected("devices")
    for token, status in [("abc%41", 202), ("abcA", 401), ("abc%2541", 401)]:
        assert post(port, '{"seq": 1}', Authorization=f"Bearer {token}") == status, token


def test_a_token_whose_file_is_empty_opens_nothing(daemon, tmp_path):
    port = free_port()
    (tmp_path / "token").write_text("\n")
    daemon.add("devices", from_http(port, token=f"${{file:{tmp_path}/token}}") + into_table())
    daemon.start()
    eventually(lambda: daemon.pipeline("devices")["state"] == "failed", "the pipeline fails")
    assert "token" in daemon.pipeline("devices")["error"]
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readings", timeout=5)


def test_pipelines_share_an_address_by_their_paths(daemon):
    port = free_port()
    daemon.add("a", often() + from_http(port, "/a", token="for-a") + into_table("taken_a"))
    daemon.add("b", often() + from_http(port, "/b", token="for-b") + into_table("taken_b"))
    daemon.start().wait_connected("a", "b")
    assert post(port, '{"seq": 1}', "/a", Authorization="Bearer for-a") == 202
    assert post(port, '{"seq": 2}', "/b", Authorization="Bearer for-b") == 202
    assert post(port, '{"seq": 3}', "/b", Authorization="Bearer for-a") == 401
    eventually(lambda: taken(daemon, "taken_a") == [1] and taken(daemon, "taken_b") == [2], "each has its own")
    assert daemon.post("/api/v1/pipelines/a/pause").status == 200
    eventually(lambda: post(port, '{"seq": 4}', "/a", Authorization="Bearer for-a") == 503, "a is away")
    assert post(port, '{"seq": 5}', "/b", Authorization="Bearer for-b") == 202
    assert daemon.post("/api/v1/pipelines/a/resume").status == 200
    eventually(lambda: post(port, '{"seq": 6}', "/a", Authorization="Bearer for-a") == 202, "a is back")


def test_an_address_that_is_taken_is_told_and_taken_up_when_it_is_free(daemon):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        daemon.add("devices", often() + from_http(port) + into_table())
        daemon.start()
        eventually(lambda: "in use" in daemon.source("devices").get("detail", ""), "the source says so")
        assert daemon.source("devices")["link"] == "lost"
    daemon.wait_connected("devices")
    assert post(port, '{"seq": 1}') == 202
    wait_taken(daemon, [1])


def test_tls_with_certificates_of_devices(daemon, tmp_path):
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=tmp_path)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    for name in ("server", "device"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (tmp_path / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.pem", "-days", "2", "-extfile", "ext",
        )  # fmt: skip
    port = free_port()
    tls = {
        "tls.certificate-file": tmp_path / "server.pem",
        "tls.key-file": tmp_path / "server.key",
        "tls.client-ca-file": tmp_path / "ca.pem",
    }
    table = from_http(port, **tls).replace("127.0.0.1", "0.0.0.0")
    daemon.add("devices", often() + table + into_table())
    daemon.start().wait_connected("devices")

    def sent(body: str, *certificate) -> int:
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        if certificate:
            context.load_cert_chain(*certificate)
        request = urllib.request.Request(f"https://127.0.0.1:{port}/readings", body.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return answer.status

    assert sent('{"seq": 1}', tmp_path / "device.pem", tmp_path / "device.key") == 202
    with pytest.raises(OSError):
        sent('{"seq": 2}')
    assert post(port, '{"seq": 2}') == 400
    wait_taken(daemon, [1])
    eventually(lambda: daemon.source("devices")["refused"] >= 2, "both are counted")
