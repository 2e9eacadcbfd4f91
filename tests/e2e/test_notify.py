"""What the daemon tells systemd: a socket of ours in NOTIFY_SOCKET takes systemd's part."""

import ctypes
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from processes import eventually

pytestmark = pytest.mark.timed
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000


class Listener:
    """Everything that was sent, with the time it came."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.heard: list[tuple[float, dict]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                message = self.socket.recv(4096).decode()
            except OSError:
                return
            self.heard.append((time.monotonic(), dict(line.split("=", 1) for line in message.splitlines())))

    def words(self, *names: str) -> list[str]:
        """The messages with one of these, in order: their first names."""
        return [name for _, message in list(self.heard) for name in names if name in message]

    def count(self, name: str) -> int:
        return len(self.words(name))

    def last(self, name: str) -> str:
        return next((message[name] for _, message in reversed(list(self.heard)) if name in message), "")

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def systemd(tmp_path):
    listener = Listener(tmp_path / "notify")
    yield listener
    listener.close()


def environment(systemd, watchdog: float = 0) -> dict:
    added = {"NOTIFY_SOCKET": systemd.path}
    if watchdog:
        added["WATCHDOG_USEC"] = str(int(watchdog * 1_000_000))
    return {**os.environ, **added}


GOOD = """CREATE TABLE a (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
CREATE TABLE b (n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT n FROM a;
"""


def test_ready_reloading_and_stopping_are_told_in_their_order(daemon, systemd):
    daemon.add("good", GOOD)
    daemon.add("wrong", "nonsense;")
    daemon.launch(env=environment(systemd))
    daemon.wait_ready()
    eventually(lambda: systemd.count("READY"), "READY=1")
    names = systemd.words("EXTEND_TIMEOUT_USEC", "READY")
    assert names[0] == "EXTEND_TIMEOUT_USEC", "a long start asks for more time"
    assert systemd.last("STATUS") == "1 pipeline runs, 1 failed"
    assert systemd.count("WATCHDOG") == 0, "nobody asked for it"

    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    daemon.add("wrong", GOOD)
    daemon.running.send(signal.SIGHUP)
    eventually(lambda: systemd.count("READY") == 2, "READY=1 again")
    assert int(systemd.last("MONOTONIC_USEC")) / 1e6 >= before - 0.001
    assert systemd.last("STATUS") == "2 pipelines run"
    assert daemon.verb("reload").returncode == 0
    eventually(lambda: systemd.count("READY") == 3, "READY=1 after the verb's")
    daemon.stop()
    told = systemd.words("READY", "RELOADING", "STOPPING")
    assert told == ["READY", "RELOADING", "READY", "RELOADING", "READY", "STOPPING"]
    assert int(systemd.last("EXTEND_TIMEOUT_USEC")) > 10_000_000, "as much as stop_timeout, and more"


def test_signs_of_life_come_three_times_in_the_time_that_systemd_gives(daemon, systemd):
    daemon.launch(env=environment(systemd, watchdog=0.6))
    daemon.wait_ready()
    eventually(lambda: systemd.count("WATCHDOG") >= 6, "signs of life", 20)
    first_ready = next(at for at, message in systemd.heard if "READY" in message)
    signs = [at for at, message in systemd.heard if "WATCHDOG" in message]
    assert signs[0] >= first_ready
    assert (signs[5] - signs[0]) / 5 > 0.15, "not more often than it takes"


def test_another_process_watchdog_is_not_ours(daemon, systemd):
    daemon.launch(env={**environment(systemd, watchdog=0.1), "WATCHDOG_PID": "1"})
    daemon.wait_ready()
    time.sleep(0.3)
    assert systemd.count("WATCHDOG") == 0


def stop_thread(thread: int) -> None:
    """Stops this one thread of a process, as if it were stuck."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(PTRACE_SEIZE, thread, None, None) != 0:
        pytest.skip("this user may not stop a thread of another process")
    assert libc.ptrace(PTRACE_INTERRUPT, thread, None, None) == 0
    os.waitpid(thread, WALL)


def test_a_loop_that_is_stuck_gives_no_sign_though_the_process_lives(daemon, systemd):
    daemon.launch(env=environment(systemd, watchdog=0.6))
    daemon.wait_ready()
    eventually(lambda: systemd.count("WATCHDOG") >= 2, "signs of life")
    stop_thread(daemon.running.process.pid)  # The main thread runs the loop.
    signs = systemd.count("WATCHDOG")
    assert daemon.ask("/healthz").status == 200, "the API's threads live"
    time.sleep(1.5)
    assert systemd.count("WATCHDOG") <= signs + 1, "one may have been under way"
    daemon.kill()  # What systemd does.
    daemon.launch(env=environment(systemd, watchdog=0.6))
    daemon.wait_ready()


def test_lines_go_to_the_journal_with_priority_and_fields(daemon, tmp_path):
    """In a mount of its own, where the journal's socket is ours."""
    if os.geteuid() != 0 or not os.path.isdir("/run/systemd"):
        pytest.skip("needs root and /run/systemd")
    run = tmp_path / "systemd"
    (run / "journal").mkdir(parents=True)
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind(str(run / "journal" / "socket"))
    journal.settimeout(10)
    log = tmp_path / "stderr"
    log.touch()
    status = log.stat()
    daemon.add("wrong", "nonsense;")
    serve = f"mount --bind {run} /run/systemd && exec {daemon.leat} serve --config {daemon.config}"
    with open(log, "ab") as out:
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", serve],
            stderr=out,
            env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"},
        )
    try:
        records = []
        while not any("MESSAGE=ready " in record for record in records):
            records.append(journal.recv(65536).decode("utf-8", "replace"))
    finally:
        process.terminate()
        assert process.wait(20) == 0, log.read_text()
        journal.close()
    failed = next(record for record in records if "MESSAGE=pipeline failed" in record)
    assert "LEAT_PIPELINE=wrong\n" in failed and "PRIORITY=3\n" in failed and "LEAT_ERROR" in failed
    assert "SYSLOG_IDENTIFIER=leat\n" in failed
    assert log.read_text() == "", "what the journal has is not written twice"
