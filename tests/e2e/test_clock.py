"""The gateway's clock is wrong: it starts in 1970, jumps back, jumps forward, stands still. No honest row is lost.

libfaketime sets the clock of the daemon while it runs; the monotonic clock goes on as it is, as the kernel's does.
"""

import datetime
import os
import pathlib

import pytest
from leat import Daemon
from pipeline_text import often, with_options
from processes import eventually

LIBRARY = next(
    iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), pathlib.Path("libfaketime is missing")
)
NOW = datetime.datetime.now(datetime.UTC) if hasattr(datetime, "UTC") else datetime.datetime.now(datetime.timezone.utc)


def pipeline(broker_url: str, receiver_url: str) -> str:
    """One-second windows per device; rows more than an hour ahead of the clock are dead."""
    source = with_options(
        {
            "connector": "mqtt",
            "url": broker_url,
            "topic": "site/#",
            "format": "json",
            "scan.watermark.max-ahead": "1 h",
            "scan.watermark.idle-timeout": "1 h",
        }
    )
    sink = with_options({"connector": "http", "url": f"{receiver_url}/rows", "format": "json"})
    return (
        often()
        + "CREATE TABLE readings (device STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) "
        + f"{source};\nCREATE TABLE o (device STRING, window_start TIMESTAMP(3), n BIGINT) {sink};\n"
        + "INSERT INTO o SELECT device, window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), "
        + "INTERVAL '1' SECOND)) GROUP BY device, window_start, window_end;"
    )


class Gateway:
    """`leat serve` whose clock the test sets. Row n is of n seconds after the test's beginning: honest devices."""

    def __init__(self, leat, folder, publisher, receiver, broker):
        self.clock = folder / "clock"
        self.publisher = publisher
        self.receiver = receiver
        folder.mkdir()
        self.set("+0")
        environment = {
            **os.environ,
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        self.daemon = Daemon(leat, folder / "leat", env=environment)
        self.daemon.add("clock", pipeline(broker.url, receiver.url))
        self.sent = 0

    def set(self, fake: str) -> None:
        self.clock.write_text(fake + "\n")

    def send(self, count: int, device: str = "honest") -> None:
        for _ in range(count):
            ts = (NOW + datetime.timedelta(seconds=self.sent)).strftime("%Y-%m-%d %H:%M:%S.500")
            self.publisher.send("site/a", f'{{"device": "{device}", "ts": "{ts}"}}')
            self.sent += 1
        self.publisher.flush()
        # The row of a window closes the one before.
        eventually(lambda: len(self.receiver.rows("/rows")) >= self.sent - 1, f"{self.sent - 1} windows")
        rows = self.receiver.rows("/rows")
        assert len(rows) == self.sent - 1 and all(row["n"] == 1 for row in rows)

    def send_from_2099(self) -> None:
        self.publisher.send("site/a", '{"device": "liar", "ts": "2099-01-01 00:00:00"}')
        self.publisher.flush()

    def state(self) -> str:
        return self.daemon.ask("/readyz").json()["clock"]["state"]

    def dead(self) -> int:
        return self.daemon.ask("/api/v1/dead-letters").json()["count"]

    def wait_for(self, state: str) -> None:
        eventually(lambda: self.state() == state, f"the clock is {state}", 15)


@pytest.fixture
def gateway(leat, tmp_path, publisher, receiver, broker):
    assert LIBRARY.exists(), "libfaketime is not installed (Debian package: faketime)"
    gateway = Gateway(leat, tmp_path / "gateway", publisher, receiver, broker)
    yield gateway
    try:
        gateway.daemon.stop()
    finally:
        gateway.daemon.kill()


def test_a_machine_that_starts_in_1970_loses_no_row_and_judges_again_when_its_clock_is_set(gateway):
    gateway.set("@1970-01-01 00:05:00")
    gateway.daemon.start().wait_connected("clock")
    assert gateway.state() == "implausible"
    answer = gateway.daemon.ask("/readyz")
    assert answer.status == 200 and "1970" in answer.json()["clock"]["detail"]
    assert 'leat_clock_plausible{gateway="gateway-7"} 0' in gateway.daemon.ask("/metrics").text
    gateway.send(10)
    gateway.set("+0")
    gateway.wait_for("good")
    gateway.send(10)
    assert gateway.dead() == 0
    gateway.send_from_2099()
    eventually(lambda: gateway.dead() == 1, "the row of 2099 is dead")
    gateway.send(5)
    assert 'leat_clock_plausible{gateway="gateway-7"} 1' in gateway.daemon.ask("/metrics").text
    assert "the clock is not right" in gateway.daemon.log()
    eventually(lambda: "the clock is right again" in gateway.daemon.log(), "the log says that the clock is right again")
    # A restart with an unset clock: it shows less than the last commit.
    gateway.daemon.stop()
    gateway.set("@1970-01-01 00:05:00")
    gateway.daemon.start().wait_connected("clock")
    assert gateway.state() == "implausible"
    gateway.send(5)
    assert gateway.dead() == 1


def test_a_clock_that_jumps_back_a_day_or_stands_still_makes_no_honest_row_dead(gateway):
    gateway.daemon.start().wait_connected("clock")
    assert gateway.state() == "good"
    gateway.send(10)
    gateway.set("-1d")
    gateway.wait_for("held")
    gateway.send(10)
    assert gateway.dead() == 0
    gateway.send_from_2099()
    eventually(lambda: gateway.dead() == 1, "the row of 2099 is dead")
    gateway.set("+0")
    gateway.wait_for("good")
    gateway.send(5)
    gateway.set(NOW.strftime("%Y-%m-%d %H:%M:%S"))  # An absolute time: the clock stands still.
    gateway.wait_for("held")
    gateway.send(5)
    assert gateway.dead() == 1
    clock = gateway.daemon.ask("/readyz").json()["clock"]
    assert clock["jumps_back"] == 2 and "time goes on without it" in clock["detail"]
    assert gateway.daemon.pipeline("clock")["accounting_violations"] == []


def test_a_clock_that_jumps_forward_a_year_closes_no_window_and_makes_no_row_late(gateway):
    gateway.daemon.start().wait_connected("clock")
    gateway.send(10)
    gateway.set("+365d")
    eventually(lambda: gateway.daemon.ask("/readyz").json()["clock"]["jumps_forward"] >= 1, "the jump is noticed", 15)
    gateway.send(10)
    assert gateway.dead() == 0
    status = gateway.daemon.pipeline("clock")
    assert all(operator["rows"]["late"] == 0 for operator in status["operators"])
    assert gateway.daemon.ask("/readyz").status == 200
    eventually(lambda: "the clock was set forward" in gateway.daemon.log(), "the log tells of the jump")
