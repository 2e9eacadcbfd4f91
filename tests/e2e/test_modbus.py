"""'connector' = 'modbus' against devices of libmodbus's own server side: over TCP, on a serial line, absent, dying, refusing,
and one that answers what it must not."""

import os
import signal
import sqlite3
import struct

import pytest
from modbus_server import LineDevice, Liar, TcpDevice
from pipeline_text import often, with_options
from ports import free_port
from processes import Program, eventually

COLUMNS = "speed INT, unit INT METADATA"
SPEED = {"registers.speed": "holding 10 int32"}
ON_LINE = {"unit": "7", "serial.parity": "none"}  # A pseudo-terminal takes no parity.


def polled(url: str, name: str = "machines", columns: str = COLUMNS, **more) -> str:
    options = {
        "connector": "modbus",
        "url": url,
        "scan.interval": "20 ms",
        "timeout": "300 ms",
        "reconnect.min-delay": "50 ms",
        "reconnect.max-delay": "100 ms",
        **{key.replace("__", "."): value for key, value in more.items()},
    }
    return f"CREATE TABLE {name} ({columns}) {with_options(options)};\n"


def kept(name: str = "taken", columns: str = "speed INT, unit INT", select: str = "speed, unit", of: str = "machines") -> str:
    return (
        f"CREATE TABLE {name} ({columns}) WITH ('connector' = 'sqlite');\n"
        f"INSERT INTO {name} SELECT {select} FROM {of};\n"
    )


def rows(daemon, name: str = "taken") -> list[tuple]:
    try:
        with sqlite3.connect(f"file:{daemon.folder}/data/leat.db?mode=ro", uri=True) as store:
            return store.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall()
    except sqlite3.OperationalError:
        return []


def wait_row(daemon, row: tuple, name: str = "taken") -> None:
    eventually(lambda: row in rows(daemon, name)[-50:], f"the row {row}")


@pytest.fixture
def device():
    device = TcpDevice(free_port())
    yield device
    device.stop()


@pytest.fixture
def line():
    device = LineDevice(7)
    yield device
    device.stop()


def test_every_kind_of_value_comes_exactly(daemon, device):
    unit = device.unit(1)
    unit.coils[3] = 1
    unit.input[100] = 235
    for at, word in enumerate(struct.unpack(">4H", struct.pack(">Q", 2**64 - 1))):
        unit.holding[at] = word
    for at, word in enumerate(struct.unpack("<2H", struct.pack("<f", 0.1))):
        unit.holding[4 + at] = word  # cdab
    for at, word in enumerate(struct.unpack(">3H", b"AB-17\0")):
        unit.holding[6 + at] = word
    unit.holding[9] = 0x8000
    device.start()
    columns = (
        "turning BOOLEAN, temperature DECIMAL(5, 1), total DECIMAL(20, 0), level DOUBLE, name STRING, gone SMALLINT, "
        "fault BOOLEAN"
    )
    mapping = {
        "registers.turning": "coil 3",
        "registers.temperature": "30101 int16 scale 0.1 offset -40",
        "registers.total": "holding 0 uint64",
        "registers.level": "holding 4 float32 cdab",
        "registers.name": "holding 6 string(6)",
        "registers.gone": "holding 9 int16 null -32768",
        "registers.fault": "holding 9 bit 15",
    }
    daemon.add("plant", often() + polled(device.url, columns=columns, **mapping)
               + kept(columns=columns, select="*"))
    daemon.start().wait_connected("plant")
    row = eventually(lambda: rows(daemon), "a row")[0]
    assert row == (1, -16.5, "18446744073709551615", 0.1, "AB-17", None, 1)


def test_units_are_polled_at_the_same_moments_and_counted(daemon, device):
    for number in (1, 2, 3):
        device.unit(number).holding[11] = number * 10
    device.start()
    columns = "speed INT, unit INT METADATA, scheduled TIMESTAMP_LTZ(3) METADATA, latency DOUBLE METADATA, url STRING METADATA"
    taken = kept(
        columns="speed INT, unit INT, polled TIMESTAMP_LTZ(3), latency DOUBLE, url STRING",
        select="speed, unit, scheduled, latency, url",
    )
    daemon.add("plant", often() + polled(device.url, columns=columns, unit="1-3", **SPEED) + taken)
    daemon.start()
    seen = eventually(lambda: rows(daemon) if len(rows(daemon)) > 30 else None, "ten polls")
    assert {(speed, unit) for speed, unit, *_ in seen} == {(10, 1), (20, 2), (30, 3)}
    assert {url for *_, url in seen} == {device.url} and all(0 <= latency < 1000 for *_, latency, _ in seen)
    assert seen[0][2] == seen[1][2] == seen[2][2] != seen[3][2]

    def adds_up():
        messages = daemon.source("plant")["messages"]
        return messages["received"] == messages["decoded"] + messages["queued"] and messages["dead"] == 0

    eventually(adds_up, "the counts add up")
    assert "leat_source_missed_total" in daemon.ask("/metrics").text


def test_a_device_that_is_absent_is_waited_for(daemon, device):
    daemon.add("plant", often() + polled(device.url, **SPEED) + kept())
    daemon.start()
    eventually(lambda: daemon.source("plant")["link"] == "lost", "nobody is there")
    assert f"nobody listens on port {device.port} of 127.0.0.1, next try in" in daemon.source("plant")["detail"]
    eventually(lambda: "source cannot connect" in daemon.log(), "the log says so")
    device.unit(1).holding[11] = 5
    device.start()
    wait_row(daemon, (5, 1))
    assert daemon.source("plant")["link"] == "connected"


def test_a_device_that_dies_and_comes_back_is_polled_again(daemon, device):
    device.unit(1).holding[11] = 1
    device.start()
    daemon.add("plant", often() + polled(device.url, **SPEED) + kept())
    daemon.start()
    wait_row(daemon, (1, 1))
    device.stop()
    eventually(lambda: daemon.source("plant")["link"] == "lost", "the device is gone")
    missed = daemon.source("plant")["missed"]
    eventually(lambda: daemon.source("plant")["missed"] > missed, "polls are missed")
    device.unit(1).holding[11] = 2
    device.start()
    wait_row(daemon, (2, 1))
    assert daemon.source("plant")["losses"] == 1
    assert "source lost its connection" in daemon.log()


def test_what_was_polled_survives_a_kill(daemon, device):
    """The journal has it before it is committed: received messages are never fewer than before."""
    device.start()
    slow = "SET 'execution.checkpointing.interval' = '1 h';\n"
    daemon.add("plant", slow + polled(device.url, **SPEED) + kept())
    daemon.start().wait_received("plant", 20)
    device.stop()
    eventually(lambda: daemon.source("plant")["link"] == "lost", "the device is gone")
    received = daemon.source("plant")["messages"]["received"]
    daemon.kill()
    assert rows(daemon) == []
    daemon.add("plant", often() + polled(device.url, **SPEED) + kept())
    daemon.start()
    eventually(lambda: len(rows(daemon)) >= received, "the polls before the kill")
    assert len(rows(daemon)) == received


def test_a_unit_that_is_silent_or_refuses_is_named_and_stops_no_other(daemon, device):
    device.silent.add(2)
    device.unit(1).holding[11] = 1
    device.start()
    columns = "speed INT, torque SMALLINT, unit INT METADATA"
    mapping = {**SPEED, "registers.torque": "holding 900 int16"}
    daemon.add("plant", often() + polled(device.url, columns=columns, unit="1;2", **mapping)
               + kept(columns="speed INT, torque SMALLINT, unit INT", select="speed, torque, unit"))
    daemon.start()
    wait_row(daemon, (1, None, 1))
    eventually(lambda: "unit 2: " in daemon.source("plant")["trouble"], "the silent one is named")
    status = daemon.source("plant")
    assert "unit 1: holding 900 (torque): exception 2, illegal data address" in status["trouble"]
    assert "unit 2: holding 10 to 11 (speed): no answer within 300 ms, next try in" in status["trouble"]
    assert status["link"] == "connected" and status["missed"] > 0
    eventually(lambda: "a part of the source cannot be read" in daemon.log(), "the log says so")
    device.silent.clear()
    eventually(lambda: any(row[2] == 2 for row in rows(daemon)), "a row of unit 2")


def test_a_serial_line_is_polled_by_two_pipelines_at_once(daemon, line):
    unit = line.unit(7)
    unit.holding[11] = 41
    unit.input[0] = 42
    line.start()
    options = {**ON_LINE, "serial.baud-rate": "115200", "timeout": "5 s"}
    daemon.add("one", often() + polled(line.url, **options, **SPEED) + kept("ours"))
    daemon.add("two", often() + polled(line.url, **options, **{"registers.speed": "input 0 int16"}) + kept("theirs"))
    daemon.start()
    eventually(lambda: len(rows(daemon, "ours")) > 50 and len(rows(daemon, "theirs")) > 50, "rows of both")
    assert set(rows(daemon, "ours")) == {(41, 7)} and set(rows(daemon, "theirs")) == {(42, 7)}
    assert daemon.source("one")["trouble"] == daemon.source("two")["trouble"] == ""


def test_a_serial_line_that_is_unplugged_is_lost(daemon, line):
    line.start()
    daemon.add("one", often() + polled(line.url, **ON_LINE, **SPEED) + kept())
    daemon.start()
    wait_row(daemon, (0, 7))
    url = line.url
    line.unplug()
    eventually(lambda: "No such file or directory, next try in" in daemon.source("one")["detail"], "the line is gone")
    assert daemon.source("one")["link"] == "lost" and url in daemon.source("one")["detail"]


def test_leat_run_shows_rows_and_ends_at_once(leat, tmp_path, line):
    line.unit(7).holding[11] = 9
    line.start()
    path = tmp_path / "pipeline.sql"
    path.write_text(polled(line.url, **ON_LINE, **SPEED) + "SELECT speed, unit FROM machines;")
    out = tmp_path / "out"
    running = Program("leat run", [leat, "run", "--output", "jsonl", path], out)
    eventually(lambda: '{"speed":9,"unit":7}' in out.read_text().replace(" ", ""), "rows")
    running.process.send_signal(signal.SIGINT)
    running.process.wait(timeout=10)


def answer_to(request: bytes, pdu: bytes, transaction: bytes | None = None, length: int | None = None) -> bytes:
    size = len(pdu) + 1 if length is None else length
    return (transaction or request[:2]) + b"\0\0" + struct.pack(">H", size) + request[6:7] + pdu


GOOD = b"\x03\x04\x00\x00\x00\x05"
LIES = {
    "another transaction": lambda r: answer_to(r, GOOD, transaction=b"\xde\xad"),
    "too few registers": lambda r: answer_to(r, b"\x03\x02\x00\x05"),
    "too many registers": lambda r: answer_to(r, b"\x03\xfa" + bytes(250)),
    "more bytes than there can be": lambda r: answer_to(r, b"\x03\xff" + bytes(255)),
    "a byte count of nothing": lambda r: answer_to(r, b"\x03\x00"),
    "another function": lambda r: answer_to(r, b"\x04\x04\x00\x00\x00\x05"),
    "another unit": lambda r: answer_to(r, GOOD)[:6] + b"\x63" + GOOD,
    "an exception that does not exist": lambda r: answer_to(r, b"\x83\x63"),
    "exception 0": lambda r: answer_to(r, b"\x83\x00"),
    "another protocol": lambda r: r[:2] + b"\x12\x34" + answer_to(r, GOOD)[4:],
    "half an answer": lambda r: answer_to(r, GOOD)[:7],
    "a second answer behind the first": lambda r: answer_to(r, GOOD) + answer_to(r, GOOD),
    "noise": lambda r: os.urandom(64),
    "http": lambda r: b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "a flood": lambda r: bytes(100_000),
    "nothing, and closes": lambda r: None,
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_device_that_answers_what_it_must_not_harms_nobody(daemon, device, lie):
    liar = Liar(lie)
    device.unit(1).holding[11] = 5
    device.start()
    daemon.add("liar", often() + polled(liar.url, **SPEED) + kept("lied"))
    daemon.add("good", often() + polled(device.url, **SPEED) + kept("told"))
    daemon.start()
    wait_row(daemon, (5, 1), "told")
    eventually(lambda: liar.requests >= 5, "the liar is asked again and again")
    seen = len(rows(daemon, "told"))
    eventually(lambda: len(rows(daemon, "told")) > seen + 5, "the other one is polled on")
    assert {row for row in rows(daemon, "lied")} <= {(5, 1)}
    if lie is not LIES["a second answer behind the first"]:
        assert rows(daemon, "lied") == [] and daemon.source("liar")["missed"] > 0
        assert daemon.source("liar")["detail"] != ""
    daemon.stop()
    liar.stop()


def test_a_device_that_loses_answers_is_polled_on(daemon):
    asked = 0

    def lose_every_tenth(request: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return b"" if asked % 10 == 0 else answer_to(request, GOOD)

    device = Liar(lose_every_tenth)
    daemon.add("plant", often() + polled(device.url, timeout="100 ms", **SPEED) + kept())
    daemon.start()
    eventually(lambda: device.requests > 100 and len(rows(daemon)) > 80, "rows")
    assert daemon.source("plant")["losses"] == 0 and daemon.source("plant")["trouble"] == ""
    daemon.stop()
    device.stop()


@pytest.mark.parametrize(
    ("lie", "words", "link"),
    [
        ("another unit", "an answer of unit 99", "lost"),
        ("another function", "an answer to function 4, not to 3", "lost"),
        ("too few registers", "an answer of 2 bytes where 4 were due", "lost"),
        ("another transaction", "an answer to another request", "lost"),
        ("an exception that does not exist", "exception 99, the device's own", "connected"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(daemon, lie, words, link):
    liar = Liar(LIES[lie])
    daemon.add("liar", often() + polled(liar.url, **SPEED) + kept())
    daemon.start()
    eventually(lambda: words in daemon.source("liar")["detail"], "it is said")
    assert daemon.source("liar")["link"] == link
    daemon.stop()
    liar.stop()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"registers.sped": "holding 1 int16"}, "did you mean 'speed'?"),
        ({"registers.speed": "holdin 1 int16"}, "did you mean 'holding'?"),
        ({"registers.speed": "holding 1 uint32"}, "INT does not hold every uint32; take BIGINT"),
        ({"registers.speed": "holding 1 int16 scale 0.1"}, "take DECIMAL(5, 1) or DOUBLE"),
        ({}, "column 'speed' needs 'registers.speed'"),
        ({**SPEED, "unit": "300"}, "expected units from 0 to 247"),
        ({**SPEED, "format": "json"}, "format"),
        ({**SPEED, "serial.parity": "none"}, "is for a serial line"),
    ],
)
def test_what_is_wrong_is_said_when_a_file_is_checked(run_leat, tmp_path, options, message):
    path = tmp_path / "plant.sql"
    path.write_text(polled("tcp://127.0.0.1:1", **options) + "SELECT * FROM machines;")
    answer = run_leat("check", path)
    assert answer.returncode == 78 and message in answer.stderr and "^" in answer.stderr
