"""CBOR against another implementation, in both directions, over files and MQTT."""

import datetime
import decimal
import io

import cbor2
from pipeline_text import often, with_options
from processes import eventually

COLUMNS = (
    "device STRING, `value` DOUBLE, n BIGINT, price DECIMAL(30, 2), `on` BOOLEAN, `raw` BYTES, `at` TIMESTAMP_LTZ(6), `day` DATE, "
    "samples ARRAY<INT>, totals MAP<BIGINT, STRING>, place ROW<hall STRING, `row` BIGINT>"
)
UTC = datetime.timezone.utc
FULL = {
    "device": "press ä",
    "value": -1.5,
    "n": -(2**63),
    "price": decimal.Decimal("-12345678901234567890.25"),
    "on": True,
    "raw": b"\x00\xff",
    "at": datetime.datetime(2026, 1, 5, 6, 0, 0, 123456, tzinfo=UTC),
    "day": cbor2.CBORTag(100, -1),
    "samples": [1, None, -(2**31)],
    "totals": {-1: "a", 2: None},
    "place": {"hall": "A", "row": 3},
}
NOTHING = dict.fromkeys(FULL)


def sequence(data: bytes) -> list:
    stream = io.BytesIO(data)
    items = []
    while stream.tell() < len(data):
        items.append(cbor2.load(stream))
    return items


def test_what_goes_in_comes_out_of_files(run_leat, tmp_path):
    at = int(FULL["at"].timestamp())
    sent = [
        cbor2.dumps({"unknown": [1, {"x": cbor2.undefined}], **FULL}),
        cbor2.dumps({**FULL, "at": cbor2.CBORTag(1, at), "value": 1}),
        cbor2.dumps(FULL, timezone=UTC, datetime_as_timestamp=True, canonical=True),
        cbor2.dumps([{}, {"n": "x"}]),
        cbor2.dumps({}),
    ]
    (tmp_path / "in.cbor").write_bytes(b"".join(sent))
    tables = "".join(
        f"CREATE TABLE {name} ({COLUMNS}) {with_options({'connector': 'filesystem', 'path': path, 'format': 'cbor'})};\n"
        for name, path in (("i", tmp_path / "in.cbor"), ("o", tmp_path / "out"))
    )
    done = run_leat("run", "-e", tables + "INSERT INTO o SELECT * FROM i;")
    assert done.returncode == 0, done.stderr
    assert """field 'n': expected BIGINT, found "x\"""" in done.stderr
    rows = sequence(b"".join(path.read_bytes() for path in sorted((tmp_path / "out").iterdir())))
    assert rows == [FULL, {**FULL, "at": FULL["at"].replace(microsecond=0), "value": 1.0}, FULL, NOTHING]


def test_messages_over_mqtt_and_what_is_none_as_a_dead_letter(broker, publisher, receiver, daemon):
    read = with_options({"connector": "mqtt", "url": broker.url, "topic": "in", "qos": "1", "format": "cbor"})
    write = with_options({"connector": "http", "url": f"{receiver.url}/rows", "format": "json"})
    daemon.add(
        "rows",
        often()
        + f"CREATE TABLE i ({COLUMNS}) {read};\nCREATE TABLE o (device STRING, hall STRING) {write};\n"
        + "INSERT INTO o SELECT device, place.hall FROM i;\n",
    )
    daemon.start().wait_connected("rows")
    good = cbor2.dumps(FULL)
    for message in (good, good[:-1], b"{}", b"", cbor2.dumps([{"device": "x"}, {"device": "y"}])):
        publisher.send("in", message)
    publisher.flush()
    eventually(lambda: len(receiver.rows("/rows")) == 3, "the rows arrive")
    assert [row["device"] for row in receiver.rows("/rows")] == ["press ä", "x", "y"]
    letters = eventually(
        lambda: len(found := daemon.ask("/api/v1/dead-letters").json()["dead_letters"]) == 2 and found, "the others are dead"
    )
    assert all(letter["reason"].startswith("not CBOR") for letter in letters), letters
    counts = daemon.pipeline("rows")["sources"][0]["messages"]
    assert (counts["decoded"], counts["dead"], counts["empty"]) == (2, 2, 1), counts
