"""Protocol Buffers against Google's own implementation, in both directions, over files and MQTT."""

import importlib.util
import pathlib
import subprocess

import pytest
from pipeline_text import often, with_options
from processes import eventually

PROTO = """\
syntax = "proto3";
package plant.v1;
import "google/protobuf/timestamp.proto";
message Reading {
  string device = 1;
  double value = 2;
  optional int64 counter = 3;
  Kind kind = 4;
  repeated sint32 samples = 5;
  map<string, uint64> totals = 6;
  Place place = 7;
  google.protobuf.Timestamp at = 8;
  oneof extra { string note = 9; bytes raw = 10; }
  fixed32 big = 11;
  bool on = 12;
}
enum Kind { UNKNOWN = 0; HOT = 1; }
message Place { string hall = 1; int64 row = 2; }
"""
COLUMNS = (
    "device STRING, `value` DOUBLE, counter BIGINT, kind STRING, samples ARRAY<INT>, totals MAP<STRING, BIGINT>, "
    "place ROW<hall STRING, `row` BIGINT>, `at` TIMESTAMP_LTZ(6), note STRING, `raw` BYTES, big BIGINT, `on` BOOLEAN"
)


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    """The folder with plant.proto and its descriptor set, and the module that protoc makes."""
    folder = tmp_path_factory.mktemp("proto")
    (folder / "plant.proto").write_text(PROTO)
    protoc = ["protoc", f"-I{folder}", f"--python_out={folder}", "--include_imports"]
    subprocess.run([*protoc, f"--descriptor_set_out={folder}/plant.desc", "plant.proto"], check=True)
    spec = importlib.util.spec_from_file_location("plant_pb2", folder / "plant_pb2.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return folder, module


def messages(module) -> list:
    full = module.Reading(device="press ä", value=-1.5, counter=0, kind=1, samples=[-1, 70000, 0], note="n", big=2**32 - 1)
    full.totals.update({"a": 2**63 - 1, "": 0})
    full.place.hall, full.place.row = "A", -3
    full.at.FromMicroseconds(-1)
    full.on = True
    other = module.Reading(raw=b"\x00\xff", kind=7)
    other.place.SetInParent()
    return [full, module.Reading(), other]


def delimited(made: list) -> bytes:
    out = bytearray()
    for message in made:
        data = message.SerializeToString(deterministic=True)  # Else maps come in any order.
        length = len(data)
        while length >= 0x80:
            out.append(length & 0x7F | 0x80)
            length >>= 7
        out.append(length)
        out += data
    return bytes(out)


def undelimited(module, data: bytes) -> list:
    made = []
    while data:
        length = shift = 0
        for at, byte in enumerate(data):
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        made.append(module.Reading.FromString(data[at + 1 : at + 1 + length]))
        data = data[at + 1 + length :]
    return made


def tables(folder: pathlib.Path, source: pathlib.Path, target: pathlib.Path, schema_option: dict) -> str:
    options = {"format": "protobuf", "protobuf.message-name": "Reading", "protobuf.delimited": "true", **schema_option}
    read = with_options({"connector": "filesystem", "path": source, **options})
    write = with_options({"connector": "filesystem", "path": target, **options})
    return f"CREATE TABLE i ({COLUMNS}) {read};\nCREATE TABLE o ({COLUMNS}) {write};\n"


@pytest.mark.parametrize("given", ["proto", "desc"])
def test_what_protoc_knows_goes_through_unchanged(run_leat, tmp_path, schema, given):
    folder, module = schema
    key = "protobuf.proto-file" if given == "proto" else "protobuf.descriptor-file"
    sent = messages(module)
    (tmp_path / "in.bin").write_bytes(delimited(sent))
    (tmp_path / "out").mkdir()
    sql = tables(folder, tmp_path / "in.bin", tmp_path / "out", {key: folder / f"plant.{given}"})
    done = run_leat("run", "-e", sql + "INSERT INTO o SELECT * FROM i;")
    assert done.returncode == 0, done.stderr
    written = b"".join(path.read_bytes() for path in sorted((tmp_path / "out").iterdir()))
    got = undelimited(module, written)
    assert got == sent, got  # The third one's kind has a number that is no name of the schema.


def test_rows_as_the_schema_means_them(run_leat, tmp_path, schema):
    folder, module = schema
    (tmp_path / "in.bin").write_bytes(delimited(messages(module)))
    sql = tables(folder, tmp_path / "in.bin", tmp_path / "out", {"protobuf.proto-file": folder / "plant.proto"})
    query = "SELECT device, counter, kind, samples, totals, place, note, big, `on` FROM i;"
    done = run_leat("run", "--output", "changelog", "-e", sql + query)
    assert done.stdout.splitlines() == [
        "+I[press ä, 0, HOT, [-1, 70000, 0], {=0, a=9223372036854775807}, +I[A, -3], n, 4294967295, true]",
        "+I[, null, UNKNOWN, [], {}, null, null, 0, false]",
        "+I[, null, 7, [], {}, +I[, 0], null, 0, false]",
    ], done.stdout + done.stderr


def test_messages_over_mqtt_and_what_is_none_as_a_dead_letter(tmp_path, schema, broker, publisher, receiver, daemon):
    folder, module = schema
    options = {"format": "protobuf", "protobuf.proto-file": folder / "plant.proto", "protobuf.message-name": "Reading"}
    read = with_options({"connector": "mqtt", "url": broker.url, "topic": "readings", "qos": "1", **options})
    write = with_options({"connector": "http", "url": f"{receiver.url}/rows", "format": "json"})
    daemon.add(
        "rows",
        often()
        + f"CREATE TABLE i ({COLUMNS}) {read};\nCREATE TABLE o (device STRING, hall STRING) {write};\n"
        + "INSERT INTO o SELECT device, place.hall FROM i;\n",
    )
    daemon.start().wait_connected("rows")
    for data in (messages(module)[0].SerializeToString(), b"{}", b"", messages(module)[2].SerializeToString()):
        publisher.send("readings", data)
    publisher.flush()
    eventually(lambda: len(receiver.rows("/rows")) == 3, "the messages arrive")
    assert [row["hall"] for row in receiver.rows("/rows")] == ["A", None, ""]
    letters = eventually(lambda: daemon.ask("/api/v1/dead-letters").json()["dead_letters"], "the other one is dead")
    assert "not a message" in letters[0]["reason"]


def test_what_does_not_fit_is_said_by_check(run_leat, tmp_path, schema):
    folder, _ = schema
    good = {"connector": "filesystem", "path": "x", "format": "protobuf", "protobuf.message-name": "Reading"}
    proto = {"protobuf.proto-file": folder / "plant.proto", "protobuf.delimited": "true"}

    def complaint(columns: str, options: dict) -> str:
        (tmp_path / "p.sql").write_text(
            f"CREATE TABLE i ({columns}) {with_options(options)};\n"
            "CREATE TABLE o (a INT) WITH ('connector' = 'blackhole');\nINSERT INTO o SELECT 1 FROM i;\n"
        )
        done = run_leat("check", tmp_path / "p.sql")
        assert done.returncode == 78
        return done.stderr

    assert "has no field 'devise' (did you mean 'device'?)" in complaint("devise STRING", {**good, **proto})
    assert "cannot hold a field of type double" in complaint("`value` INT", {**good, **proto})
    assert "is no file of at most 4 MiB" in complaint("a INT", {**good, **proto, "protobuf.proto-file": "/dev/zero"})
    assert "set 'protobuf.delimited'" in complaint("device STRING", {**good, **proto, "protobuf.delimited": "false"})
