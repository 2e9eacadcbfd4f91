"""Disks that are full, that may not be written, that somebody else has: the daemon stays up, or says what to do."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

import pytest

from disk_trouble import DiskTrouble, can_trace
from leat import Daemon
from pipeline_text import mqtt_readings, often, with_options
from processes import eventually
from readings import lines, readings

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems and becomes somebody else")
needs_strace = pytest.mark.skipif(not can_trace(), reason="no strace, or it may not trace here")
ROWS = readings(8000)


@pytest.fixture
def small_disk(daemon):
    """The daemon's data folder is a file system of 32 MB."""
    folder = daemon.folder / "data"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder], check=True)
    yield folder
    daemon.stop()
    subprocess.run(["umount", folder], check=True)


def rows_over_http(broker, receiver) -> str:
    out = with_options({"connector": "http", "url": f"{receiver.url}/rows", "format": "json"})
    source = mqtt_readings(broker.url, extra={"journal.size": "512 kb", "max-packet-size": "16 kb"})
    return often() + source + f"CREATE TABLE o (seq BIGINT) {out};\nINSERT INTO o SELECT seq FROM readings;"


def fill(folder: pathlib.Path) -> pathlib.Path:
    filler = folder / "of-somebody-else"
    with filler.open("ab", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            return filler


def begin_rows(broker, publisher, receiver, daemon, count: int = len(ROWS)) -> threading.Thread:
    """A daemon that takes rows from the broker to the receiver, and who publishes them."""
    daemon.add("rows", rows_over_http(broker, receiver))
    daemon.start().wait_connected("rows")
    messages = [(f"site/mill/{row['device']}", line) for row, line in zip(ROWS[:count], lines(ROWS[:count]))]
    sender = threading.Thread(target=publisher.send_paced, args=(messages, 2000), daemon=True)
    sender.start()
    return sender


def arrive_in_order(daemon, publisher, receiver, count: int) -> None:
    publisher.flush()
    eventually(lambda: len(receiver.rows("/rows")) >= count, "every row at the receiver", 120)
    daemon.wait_delivered()
    assert [row["seq"] for row in receiver.rows("/rows")] == [row["seq"] for row in ROWS[:count]]
    status = daemon.pipeline("rows")
    assert status["accounting_violations"] == [] and status["sources"][0]["messages"]["dropped"] == 0


@needs_root
def test_a_disk_that_fills_up_under_load_and_is_freed_loses_nothing(small_disk, broker, publisher, receiver, daemon):
    sender = begin_rows(broker, publisher, receiver, daemon)
    daemon.wait_received("rows", 1000)

    def is_told() -> bool:
        fill(small_disk)  # Whatever the daemon gives back is taken, too.
        answer = daemon.ask("/readyz")
        told = answer.status == 503 and "disk" in answer.text and "leat.db" in answer.text
        return told and 'leat_store_well{gateway="gateway-7"} 0' in daemon.ask("/metrics").text

    eventually(is_told, "/readyz names the disk")
    sender.join()
    assert daemon.ask("/healthz").status == 200
    assert len(receiver.rows("/rows")) < len(ROWS)
    fill(small_disk).unlink()
    eventually(lambda: daemon.ask("/readyz").status == 200, "it is ready again by itself")
    arrive_in_order(daemon, publisher, receiver, len(ROWS))
    assert daemon.log().count("the store takes commits again") >= 1


@needs_root
def test_a_store_that_fills_its_disk_by_itself_goes_on_when_the_far_side_is_back(
    small_disk, broker, publisher, receiver, daemon
):
    count, pad = 25_000, "y" * 1500  # More than the disk holds.
    out = with_options({"connector": "http", "url": f"{receiver.url}/rows", "format": "json", "body": "json-lines"})
    source = mqtt_readings(broker.url, columns="seq BIGINT, pad STRING", extra={"journal.size": "2 mb", "max-packet-size": "16 kb"})
    table = f"CREATE TABLE o (seq BIGINT, pad STRING) {out};\n"
    daemon.add("rows", often() + source + table + "INSERT INTO o SELECT seq, pad FROM readings;")
    daemon.start().wait_connected("rows")
    receiver.stop()
    for seq in range(count):
        publisher.send("site/a", f'{{"seq": {seq}, "pad": "{pad}"}}')
    eventually(lambda: "its disk has" in daemon.ask("/readyz").text, "/readyz tells of the disk", 120)
    assert daemon.ask("/healthz").status == 200
    receiver.start()
    publisher.flush()
    eventually(lambda: len(receiver.rows("/rows")) >= count, "every row at the receiver", 120)
    assert [row["seq"] for row in receiver.rows("/rows")] == list(range(count))
    eventually(lambda: daemon.ask("/readyz").status == 200, "it is ready again by itself")
    assert daemon.pipeline("rows")["accounting_violations"] == []


@pytest.mark.timed
@needs_strace
def test_a_disk_whose_syncs_take_a_second_holds_back_and_loses_nothing(broker, publisher, receiver, daemon):
    count = 6000
    sender = begin_rows(broker, publisher, receiver, daemon, count)
    with DiskTrouble(daemon.running.process.pid, "fsync,fdatasync", "delay_enter=1000000", daemon.folder) as slow:
        eventually(lambda: slow.met() >= 8, "eight slow syncs", 60)
        # The loop and the API wait for no disk: asked without a pause, one request begins with each sync.
        longest, until = 0.0, slow.met() + 5
        while slow.met() < until:
            begin = time.monotonic()
            assert daemon.ask("/healthz").status == 200 and daemon.pipeline("rows")["state"] != "failed"
            longest = max(longest, time.monotonic() - begin)
        assert longest < 0.9
        sender.join()
    arrive_in_order(daemon, publisher, receiver, count)


@needs_strace
@pytest.mark.parametrize("error, told", [("EROFS", "Read-only file system"), ("EIO", "Input/output error")])
def test_a_disk_that_refuses_while_the_daemon_runs_is_told_and_loses_nothing(
    broker, publisher, receiver, daemon, error, told
):
    sender = begin_rows(broker, publisher, receiver, daemon)
    daemon.wait_received("rows", 1000)
    with DiskTrouble(daemon.running.process.pid, "pwrite64,fsync,fdatasync,ftruncate", f"error={error}", daemon.folder):
        # Of the journal and of the store.
        eventually(lambda: daemon.ask("/readyz").text.count(told) == 2, "/readyz tells", 10)
        sender.join()
        assert daemon.ask("/healthz").status == 200
        assert len(receiver.rows("/rows")) < len(ROWS)
    eventually(lambda: daemon.ask("/readyz").status == 200, "it is ready again by itself")
    arrive_in_order(daemon, publisher, receiver, len(ROWS))


@needs_root
def test_a_folder_on_a_read_only_disk_is_named_and_taken_when_it_can_be_written(small_disk, daemon):
    daemon.start()
    daemon.stop()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    refused = subprocess.run(
        [daemon.leat, *map(str, daemon.arguments)], capture_output=True, text=True, timeout=30, check=False
    )
    assert refused.returncode == 1
    assert str(small_disk) in refused.stderr and "ead-only" in refused.stderr, refused.stderr
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    daemon.start()
    assert daemon.ask("/readyz").status == 200


def test_a_second_daemon_on_the_folder_is_told_who_has_it(leat, daemon):
    daemon.start()
    second = subprocess.run([leat, "serve", "--config", daemon.config], capture_output=True, text=True, timeout=30)
    assert second.returncode == 1
    assert f"in use by process {daemon.running.process.pid}" in second.stderr


@needs_root
@pytest.mark.parametrize("locked", ["data", "leat.db", "leat.db.lock"])
def test_files_of_another_user_are_named_with_what_to_do(leat, tmp_path, locked):
    folder = pathlib.Path(tempfile.mkdtemp())  # pytest's own folder is closed to others.
    try:
        binary = shutil.copy(leat, folder / "leat")
        daemon = Daemon(leat, folder)
        daemon.start()
        daemon.stop()
        subprocess.run(["chown", "-R", "65534", folder], check=True)
        target = folder / "data" / locked if locked != "data" else folder / "data"
        os.chown(target, 0, 0)
        target.chmod(0o700 if locked == "data" else 0o600)
        command = ["setpriv", "--reuid=65534", "--clear-groups", binary, "serve", "--config", daemon.config]
        other = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert other.returncode == 1, other.stderr
        assert str(folder / "data") in other.stderr and ("writable" in other.stderr or "may write" in other.stderr), other.stderr
    finally:
        shutil.rmtree(folder)


def test_a_store_is_checked_and_backed_up_while_the_daemon_writes_and_restored(broker, publisher, receiver, daemon, run_leat):
    daemon.add("rows", rows_over_http(broker, receiver))
    daemon.start().wait_connected("rows")
    publisher.send_paced([(f"site/mill/{row['device']}", line) for row, line in zip(ROWS[:500], lines(ROWS[:500]))], 5000)
    daemon.wait_received("rows", 500)
    eventually(lambda: len(receiver.rows("/rows")) == 500, "every row at the receiver")
    daemon.wait_delivered()
    checked = run_leat("store", "check", "--config", daemon.config)
    assert checked.returncode == 0 and "sound" in checked.stdout, checked.stderr
    copy = daemon.folder / "copy.db"
    made = run_leat("store", "backup", copy, "--config", daemon.config)
    assert made.returncode == 0, made.stderr
    again = run_leat("store", "backup", copy, "--config", daemon.config)
    assert again.returncode == 1 and "exists already" in again.stderr
    busy = run_leat("store", "repair", "--config", daemon.config)
    assert busy.returncode == 1 and "in use by process" in busy.stderr
    daemon.stop()
    store = daemon.folder / "data" / "leat.db"
    copy.replace(store)
    daemon.start().wait_connected("rows")
    assert "comes from a backup or a repair" in daemon.log()
    assert daemon.outbox()[0]["records"]["delivered"] == 500


def test_a_damaged_store_is_told_and_repaired(daemon, run_leat):
    daemon.start()
    daemon.stop()
    store = daemon.folder / "data" / "leat.db"
    with store.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\x5a" * 4096)
    checked = run_leat("store", "check", "--config", daemon.config)
    assert checked.returncode == 1 and "leat store repair" in checked.stderr
    repaired = run_leat("store", "repair", "--config", daemon.config)
    assert repaired.returncode == 0, repaired.stderr
    assert (daemon.folder / "data" / "leat.db.damaged-1").exists()
    assert run_leat("store", "check", "--config", daemon.config).returncode == 0
    daemon.start()
