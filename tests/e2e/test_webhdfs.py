"""Files in a real HDFS cluster, over WebHDFS: written and read, by a batch and by the daemon, across kills of each side."""

import gzip
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import folders
import maven
import pytest
from hdfs import Hdfs, Refused
from pipeline_text import often, with_options
from processes import eventually


LONG = bool(os.environ.get("LEAT_TEST_LONG"))


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory):
    try:
        cluster = Hdfs(tmp_path_factory.mktemp("hdfs"))
    except maven.NoJava as missing:
        pytest.skip(f"no HDFS cluster: {missing}")
    yield cluster
    cluster.close()


def table(name: str, columns: str, path: str, form: str = "csv", partitions: str = "", **options: object) -> str:
    keys = {"connector": "filesystem", "path": path, "format": form}
    if "://" in path:
        keys["webhdfs.user"] = "root"
    keys.update({key.replace("__", "."): value for key, value in options.items()})
    by = f"PARTITIONED BY ({partitions}) " if partitions else ""
    return f"CREATE TABLE {name} ({columns}) {by}{with_options(keys)};\n"


def numbers(path, count: int) -> str:
    path.write_text("".join(f"{n},{n % 5}\n" for n in range(count)))
    return table("numbers", "id BIGINT, part INT", str(path))


def rows(run_leat, sql: str, **options) -> list[str]:
    done = run_leat("run", "--output", "csv", "-e", sql, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def ids_in(hdfs: Hdfs, folder: str) -> list[int]:
    """Of all published files."""
    ids = []
    for path in hdfs.published(folder):
        content = hdfs.read(path)
        text = gzip.decompress(content) if path.endswith(".gz") else content
        ids += [int(line.split(b",")[0]) for line in text.splitlines()]
    return sorted(ids)


# ---- batch ---------------------------------------------------------------------------------------------------------------


def test_a_batch_writes_partitions_and_reads_them_again(run_leat, hdfs, tmp_path):
    copy = (
        numbers(tmp_path / "in.csv", 50_000)
        + table("o", "id BIGINT, part INT", hdfs.url("/batch"), "csv", "part", compression="gzip",
                **{"sink__partition-commit__policy__kind": "success-file"})
        + "INSERT INTO o SELECT * FROM numbers;"
    )  # fmt: skip
    done = run_leat("run", "-e", copy)
    assert done.returncode == 0, done.stderr
    files = hdfs.files("/batch")
    assert not [path for path in files if "inprogress" in path], "nothing is left behind"
    assert [path for path in files if path.endswith("_SUCCESS")] == [f"/batch/part={n}/_SUCCESS" for n in range(5)]
    assert ids_in(hdfs, "/batch") == list(range(50_000))
    back = table("i", "id BIGINT, part INT, `path` STRING METADATA FROM 'file.path'", hdfs.url("/batch/part=[1-3]/*.csv.gz"), "csv", "part")
    got = rows(run_leat, back + "SELECT id, part, `path` FROM i;")
    assert sorted(int(row.split(",")[0]) for row in got) == [n for n in range(50_000) if n % 5 in (1, 2, 3)]
    assert all(row.split(",")[2].strip('"').startswith(hdfs.url("/batch/part=" + row.split(",")[1])) for row in got)


def test_a_file_larger_than_one_request_is_read_whole(run_leat, hdfs):
    lines = b"".join(b"%07d,%s\n" % (n, b"x" * 60) for n in range(150_000))
    hdfs.write("/large/a.csv", lines)
    sql = "SET 'execution.runtime-mode' = 'batch';\n" + table("i", "id BIGINT, t STRING", hdfs.url("/large/a.csv"))
    assert rows(run_leat, sql + "SELECT COUNT(*), SUM(id), MIN(CHAR_LENGTH(t)) FROM i;") == [f"150000,{sum(range(150_000))},60"]


def test_a_file_that_is_removed_while_it_is_read_is_not_passed_for_whole(leat, hdfs):
    hdfs.write("/removed/a.csv", b"".join(b"%07d,%s\n" % (n, b"x" * 60) for n in range(600_000)))
    source = table("i", "id BIGINT, t STRING", hdfs.url("/removed/a.csv"))
    batch = subprocess.Popen(
        [leat, "run", "--output", "csv", "-e", source + "SELECT * FROM i;"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert batch.stdout.readline()  # The rest waits for this reader: far fewer bytes than the file has fit between.
        hdfs.remove("/removed/a.csv")
        _, told = batch.communicate(timeout=60)
    finally:
        batch.kill()
    assert batch.returncode == 1
    assert b"/removed/a.csv was removed while it was read" in told


def test_folders_of_any_values_are_written_and_read(run_leat, hdfs, tmp_path):
    values = ["10:30", "a b", "ä€", "x=y", "b[1]", "h#x", "a+b", "q;t", "a&b", "50%", "", "n/a", "c?d"]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"id": n, "v": value}) + "\n" for n, value in enumerate(values)))
    source = table("i", "id BIGINT, v STRING", str(tmp_path / "in.jsonl"), "json")
    sink = table("o", "id BIGINT, v STRING", hdfs.url("/odd folder"), "csv", "v")
    done = run_leat("run", "-e", source + sink + "INSERT INTO o SELECT * FROM i;")
    assert done.returncode == 0, done.stderr
    back = table("b", "id BIGINT, v STRING", hdfs.url("/odd folder"), "csv", "v")
    done = run_leat("run", "--output", "jsonl", "-e", back + "SELECT id, v FROM b;")
    assert done.returncode == 0, done.stderr
    got = {row["id"]: row["v"] for row in map(json.loads, done.stdout.splitlines())}
    assert got == {n: value or None for n, value in enumerate(values)}


def test_a_cluster_is_reached_by_tls(run_leat, hdfs, tmp_path):
    hdfs.write("/tls/a.csv", b"1\n2\n")
    source = table("i", "id BIGINT", hdfs.tls_url("/tls"), tls__ca_file=hdfs.ca_file).replace("tls.ca_file", "tls.ca-file")
    assert rows(run_leat, source + "SELECT id FROM i;") == ["1", "2"]
    sink = table("o", "id BIGINT", hdfs.tls_url("/tls-out"), tls__ca_file=hdfs.ca_file).replace("tls.ca_file", "tls.ca-file")
    done = run_leat("run", "-e", source + sink + "INSERT INTO o SELECT id + 10 FROM i;")
    assert done.returncode == 0, done.stderr
    assert ids_in(hdfs, "/tls-out") == [11, 12]


def test_a_cluster_of_an_unknown_authority_is_refused_unless_nothing_is_checked(run_leat, hdfs, tmp_path):
    hdfs.write("/unchecked/a.csv", b"1\n")
    trusting = table("i", "id BIGINT", hdfs.tls_url("/unchecked"), tls__verification="none")
    assert rows(run_leat, trusting + "SELECT id FROM i;") == ["1"]
    state = ["--set", "restart-strategy.type=none"]
    doubting = run_leat("run", *state, "-e", table("i", "id BIGINT", hdfs.tls_url("/unchecked")) + "SELECT id FROM i;")
    assert doubting.returncode == 1 and "certificate" in doubting.stderr, doubting.stderr


# ---- what is wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("hdfs://namenode:8020/a", {}, "for hdfs:// that is 'webhdfs://namenode:9870/…'"),
        ("webhdfs://user@namenode/a", {}, "without user and password in it"),
        ("webhdfs:///a", {}, "found no host"),
        ("webhdfs://namenode:99999/a", {}, "found a port that is no number from 1 to 65535"),
        ("s3://bucket/a", {}, "expected a path, or a URL with the scheme file, webhdfs or swebhdfs"),
        ("/tmp/a", {"webhdfs__user": "me"}, "option 'webhdfs.user' is for a path that begins with webhdfs://"),
        ("webhdfs://namenode/a", {"tls__verification": "none"}, "is for a path that begins with swebhdfs://"),
    ],
)
def test_a_wrong_path_is_refused_before_anything_runs(run_leat, tmp_path, path, options, message):
    declared = table("t", "id BIGINT", path, **options).replace("'webhdfs.user' = 'root'", "'webhdfs.timeout' = '1 s'")
    for use in ("SELECT id FROM t;", "INSERT INTO t VALUES (1);"):
        (tmp_path / "wrong.sql").write_text(declared + use)
        done = run_leat("check", tmp_path / "wrong.sql")
        assert done.returncode == 78, done.stdout
        assert message in done.stderr


def test_files_of_a_cluster_are_not_looked_up(run_leat, hdfs, tmp_path):
    (tmp_path / "lookup.sql").write_text(
        table("names", "id BIGINT, name STRING", hdfs.url("/names.csv"))
        + "CREATE TABLE n (id BIGINT, pt AS PROCTIME()) WITH ('connector' = 'datagen', 'number-of-rows' = '1');\n"
        + "SELECT n.id, names.name FROM n JOIN names FOR SYSTEM_TIME AS OF n.pt ON n.id = names.id;"
    )
    done = run_leat("check", tmp_path / "lookup.sql")
    assert done.returncode == 78
    assert "rows of 'names' cannot be looked up: its files are in a cluster" in done.stderr


def test_a_batch_ends_where_there_is_nothing_to_read(run_leat, hdfs):
    done = run_leat("run", "-e", table("t", "id BIGINT", hdfs.url("/nowhere")) + "SELECT id FROM t;")
    assert done.returncode == 1
    assert "/nowhere: no such file or folder" in done.stderr


def test_who_may_not_write_is_told_and_nothing_is_lost(daemon, hdfs, tmp_path):
    hdfs.make_folder("/roots", permission="755")
    sink = table("o", "id BIGINT, part INT", hdfs.url("/roots/out")).replace("'webhdfs.user' = 'root'", "'webhdfs.user' = 'mallory'")
    daemon.add("copy", often("20 ms") + numbers(tmp_path / "in.csv", 100) + sink + "INSERT INTO o SELECT * FROM numbers;")
    daemon.start()
    sink = eventually(lambda: next((s for s in daemon.outbox() if s["delivery"]["state"] == "paused"), None), "the sink pauses")
    assert "Permission denied: user=mallory" in json.dumps(sink)
    assert sink["records"]["waiting"] == 100
    hdfs.permit("/roots", "777")
    assert daemon.post("/api/v1/outbox/copy/o/resume").status == 200
    daemon.wait_delivered()
    eventually(lambda: ids_in(hdfs, "/roots/out") == list(range(100)), "all records are there")


# ---- following -----------------------------------------------------------------------------------------------------------


def following(hdfs: Hdfs, folder: str, out) -> str:
    return (
        often("20 ms")
        + table("i", "id BIGINT", hdfs.url(folder), **{"source__monitor-interval": "200 ms"})
        + table("o", "id BIGINT", str(out), **{"sink__rolling-policy__file-size": "1 b"})
        + "INSERT INTO o SELECT * FROM i;"
    )


def numbers_in(out) -> list[int]:
    return [int(line) for text in folders.texts(out) for line in text.split()]


def test_files_that_grow_are_followed_under_every_name(daemon, hdfs, tmp_path):
    hdfs.write("/logs/a.csv", b"1\n2\n")
    out = tmp_path / "out"
    daemon.add("follow", following(hdfs, "/logs", out))
    daemon.start()
    eventually(lambda: numbers_in(out) == [1, 2], "what is there comes")
    hdfs.append("/logs/a.csv", b"3\n")
    eventually(lambda: numbers_in(out) == [1, 2, 3], "what is appended comes")
    hdfs.rename("/logs/a.csv", "/logs/a.csv.1")
    hdfs.write("/logs/a.csv", b"4\n")
    eventually(lambda: numbers_in(out) == [1, 2, 3, 4], "a rotated file is not read again")
    daemon.kill()
    hdfs.append("/logs/a.csv", b"5\n")
    for n in range(6, 14):  # More than one part of a list.
        hdfs.write(f"/logs/b{n:02}.csv", b"%d\n" % n)
    daemon.start()
    eventually(lambda: numbers_in(out) == list(range(1, 14)), "a restart goes on where it was")


def test_files_that_are_removed_do_not_hold_up_the_others(daemon, hdfs, tmp_path):
    for n in range(12):
        hdfs.write(f"/cleaned/{n:02}.csv", b"%d\n" % n)
    daemon.add("follow", following(hdfs, "/cleaned", tmp_path / "out"))
    daemon.start()
    eventually(lambda: numbers_in(tmp_path / "out") == list(range(12)), "all come")
    for n in range(11):
        hdfs.remove(f"/cleaned/{n:02}.csv")
    hdfs.append("/cleaned/11.csv", b"99\n")
    eventually(lambda: 99 in numbers_in(tmp_path / "out"), "what is left is followed", 3)


def test_a_file_that_is_rewritten_in_place_is_read_from_its_start(daemon, hdfs, tmp_path):
    hdfs.write("/rewritten/a.csv", b"1\n2\n3\n")
    daemon.add("follow", following(hdfs, "/rewritten", tmp_path / "out"))
    daemon.start()
    eventually(lambda: numbers_in(tmp_path / "out") == [1, 2, 3], "all come")
    hdfs.name_node.send(signal.SIGSTOP)  # The cut is not seen alone.
    cut = threading.Thread(target=lambda: hdfs.truncate("/rewritten/a.csv", 2))
    cut.start()
    hdfs.name_node.send(signal.SIGCONT)
    cut.join()

    def appended() -> bool:
        try:
            hdfs.append("/rewritten/a.csv", b"7\n8\n9\n")
            return True
        except Refused:  # The cluster is still cutting it.
            return False

    eventually(appended, "it can be appended to")
    eventually(lambda: numbers_in(tmp_path / "out")[-3:] == [7, 8, 9], "what is new comes")


# ---- trouble -------------------------------------------------------------------------------------------------------------


def copying(hdfs: Hdfs, folder: str, source: str, rate: int) -> str:
    return (
        often("20 ms")
        + source
        + table("o", "id BIGINT, part INT", hdfs.url(folder), webhdfs__timeout="5 s",
                **{"sink__rolling-policy__file-size": "8 kb", "sink__batch__max-rows": "300",
                   "sink__rate-limit__rows-per-second": rate, "sink__retry__max-backoff": "500 ms"})
        + "INSERT INTO o SELECT * FROM numbers;"
    )  # fmt: skip


def stall(hdfs: Hdfs, meanwhile=lambda: None) -> None:
    """The data node stands still: what is sent to it is given up, sent again, and all of it is carried out at once."""
    hdfs.data_node.send(signal.SIGSTOP)
    time.sleep(2)
    meanwhile()
    hdfs.data_node.send(signal.SIGCONT)


def restart(daemon) -> None:
    daemon.kill()
    daemon.start()


def kill_name_node(hdfs: Hdfs) -> None:
    hdfs.name_node.stop(signal.SIGKILL)
    hdfs.start_name_node()
    hdfs.wait_ready()


def kill_data_node(hdfs: Hdfs) -> None:
    hdfs.data_node.stop(signal.SIGKILL)
    hdfs.start_data_node()
    hdfs.wait_ready()


def test_kills_and_late_requests_lose_and_double_nothing(daemon, hdfs, tmp_path):
    troubles = [
        lambda: stall(hdfs),
        lambda: restart(daemon),
        lambda: kill_name_node(hdfs),
        lambda: stall(hdfs, daemon.kill) or daemon.start(),
        lambda: kill_data_node(hdfs),
    ] * (4 if LONG else 1)
    count = 9_000 * len(troubles)
    sql = copying(hdfs, "/trouble", numbers(tmp_path / "in.csv", count), 3_000)
    daemon.add("copy", sql.replace("'webhdfs.timeout' = '5 s'", "'webhdfs.timeout' = '800 ms'"))
    chance = random.Random(4)
    daemon.start()
    for trouble in troubles:
        before = len(hdfs.published("/trouble"))
        eventually(lambda before=before: len(hdfs.published("/trouble")) > before or finished(daemon), "files come", 120)
        time.sleep(chance.uniform(0, 0.2))
        trouble()
    eventually(lambda: finished(daemon), "the pipeline ends", 180)
    time.sleep(2)  # Whatever is still to be carried out.
    assert ids_in(hdfs, "/trouble") == list(range(count))


def finished(daemon) -> bool:
    return daemon.pipeline("copy").get("state") == "finished"


def test_what_an_unsettled_attempt_has_left_is_cut(daemon, hdfs, tmp_path):
    """The cluster carries a request out whose sender has died: half a shipment behind what is settled."""
    daemon.add("copy", copying(hdfs, "/cut", numbers(tmp_path / "in.csv", 6_000), 600))
    daemon.start()

    def open_file() -> str | None:
        return next((path for path in hdfs.files("/cut") if "inprogress" in path), None)

    eventually(lambda: len(hdfs.files("/cut")) > 2, "files come", 60)
    daemon.stop()
    hidden = eventually(open_file, "one is open")
    hdfs.append(hidden, b"17,2\n18,3\n19,")
    daemon.start()
    eventually(lambda: finished(daemon), "the pipeline ends", 120)
    assert ids_in(hdfs, "/cut") == list(range(6_000))


def test_a_file_that_is_gone_is_given_up_by_an_empty_one_in_its_place(daemon, hdfs, tmp_path):
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "a.csv"
    source.write_text("1,1\n")
    read = table("numbers", "id BIGINT, part INT", str(tmp_path / "in"), source__monitor_interval="50 ms")
    sql = copying(hdfs, "/gone", read.replace("monitor_interval", "monitor-interval"), 3_000)
    daemon.add("copy", sql.replace("'8 kb'", "'10 b'"))
    daemon.start()
    hidden = lambda: [path for path in hdfs.files("/gone") if path.endswith(".inprogress")]  # noqa: E731
    sink = lambda: daemon.pipeline("copy")["sinks"][0]  # noqa: E731
    eventually(lambda: sink()["last_success"] and hidden(), "a row is in a file that is not yet published")
    hdfs.remove(hidden()[0])
    with source.open("a") as more:
        more.write("".join(f"{n},1\n" for n in range(2, 30)))
    eventually(lambda: "create an empty file of the second name" in sink()["last_error"], "it says what to do", 60)
    final = re.search(r"was not published as (\S+);", sink()["last_error"])[1]
    hdfs.write(final.removeprefix(hdfs.url("")), b"")
    written = lambda: b"".join(hdfs.read(path) for path in hdfs.files("/gone"))  # noqa: E731
    eventually(lambda: written() == b"".join(b"%d,1\n" % n for n in range(2, 30)), "what comes behind it arrives", 60)


def test_an_absent_cluster_is_waited_for(daemon, hdfs, tmp_path):
    sql = copying(hdfs, "/absent", numbers(tmp_path / "in.csv", 100), 1_000)
    daemon.add("copy", sql.replace(f":{hdfs.ports['http']}/", ":1/"))
    daemon.start()
    sink = eventually(lambda: next((s for s in daemon.outbox() if s["records"]["waiting"] == 100), None), "all wait")
    shown = eventually(lambda: "webhdfs://127.0.0.1:1/absent" in json.dumps(daemon.outbox()) and json.dumps(daemon.outbox()), "why")
    assert "nobody listens on port 1 of 127.0.0.1" in shown
    assert sink["delivery"]["state"] != "paused"
