#!/usr/bin/python3
"""Writes the corpora that are bytes rather than text: tests/fuzz/corpus/{journal,state,blocks,json,avro,cbor,compression,csv,debezium,influx,protobuf,rest,sparkplug}.

    make_corpora.py          (in tests/fuzz; the files are checked in)

Texts (parser, planner, topics) are written by hand. The first bytes of an input mean what the program's source says.
"""

import gzip
import pathlib

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"


def write(folder: str, name: str, data: bytes) -> None:
    (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    (CORPUS / folder / name).write_bytes(data)


def place(at: int) -> bytes:
    return at.to_bytes(4, "big")


def journal() -> None:
    """committed, then changes: place, how, value."""
    ring = 8192
    write("journal", "whole", b"\x00")
    write("journal", "committed", b"\x0a")
    for name, at in {"slot-1": 8, "slot-2": 4104, "first-record": ring, "magic": ring + 8, "length": ring + 36}.items():
        write("journal", name, b"\x00" + place(at) + b"\x00\x55")
    write("journal", "bit-in-a-payload", b"\x05" + place(ring + 700) + b"\x01\x03")
    write("journal", "zeros", b"\x05" + place(ring + 300) + b"\x02\xff")
    write("journal", "both-slots", b"\x00" + place(0) + b"\x02\xff" + place(4096) + b"\x02\xff")
    write("journal", "short-file", b"\x00" + place(9000) + b"\x03\xff")


def state() -> None:
    """query, then changes: entry, how, place, value."""
    for query in range(15):
        write("state", f"query-{query:02}-whole", bytes([query]))
        for name, how in {"byte": 0, "cut": 1, "more": 2, "other": 3, "key": 7}.items():
            write("state", f"query-{query:02}-{name}", bytes([query, 1, how]) + place(5) + b"\xff\x07\x80\x01tail")


    # A partial match that stands before, or behind, the rows that are there.
    for entry in range(4):
        write("state", f"found-match-next-before-{entry}", bytes([10, entry, 0]) + place(1) + b"\x00")
        write("state", f"found-match-next-behind-{entry}", bytes([10, entry, 0]) + place(1) + b"\x7f")


def blocks() -> None:
    def record(key: bytes, payload: bytes) -> bytes:
        return bytes([len(key)]) + key + bytes([len(payload)]) + payload + b"\x00"

    write("blocks", "empty", b"")
    write("blocks", "guess", b"\x01\x01" + record(b"", b"{}") + record(b"key", b'{"a": 1}'))
    write("blocks", "long-length", b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f")


def requests() -> None:
    """At the bounds of a request; the shorter ones are written by hand."""
    host = b" HTTP/1.1\r\nHost: localhost\r\n"
    typed = b"Content-Type: application/json\r\n"
    write("rest", "path-1000", b"GET /api/v1/pipelines/" + b"a" * 979 + host + b"\r\n")
    write("rest", "path-8000", b"GET /api/v1/pipelines/" + b"a" * 8000 + host + b"\r\n")
    write("rest", "path-9000", b"GET /api/v1/pipelines/" + b"%61" * 3000 + host + b"\r\n")
    write("rest", "range-8000", b"GET /healthz" + host + b"Range: bytes=" + b"0-0," * 1990 + b"0-0\r\n\r\n")
    write("rest", "headers-32000", b"GET /healthz" + host + (b"X: " + b"x" * 7900 + b"\r\n") * 4 + b"\r\n")
    write("rest", "headers-33000", b"GET /healthz" + host + (b"X: " + b"x" * 7900 + b"\r\n") * 5 + b"\r\n")
    write("rest", "body-as-large-as-said", b"POST /api/v1/query" + host + typed + b"Content-Length: 40960\r\n\r\n{\"sql\": \"" + b"x" * 40949 + b"\"}")
    write("rest", "body-too-large", b"POST /api/v1/query" + host + typed + b"Content-Length: 2000000\r\n\r\n{}")
    write("rest", "body-nested", b"POST /api/v1/query" + host + typed + b"Content-Length: 4000\r\n\r\n" + b'{"a":[' * 666 + b"1234")
    chunk = b"2000\r\n" + b" " * 8192 + b"\r\n"
    write("rest", "chunks", b"POST /api/v1/query" + host + typed + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 7 + b"2\r\n{}\r\n0\r\n\r\n")


def texts(folder: str, choice: bytes, named: dict[str, str]) -> None:
    for name, text in named.items():
        write(folder, name, choice + text.encode("utf-8", "surrogateescape"))


def json() -> None:
    texts("json", b"\x00", {
        "flat": '{"b": true, "i": 1, "l": 9007199254740993, "d": 1.5e3, "m": 12.345, "s": "Zürich \\u00e9\\n"}',
        "times": '{"day": "2020-01-31", "clock": "12:34:56", "ts": "2026-01-05 06:00:00.123", "at": "2026-01-05 06:00:00Z"}',
        "nested": '{"list": [1, 2, null, 3], "r": {"a": 5, "n": {"s": "x"}}, "x": "TGVhdA=="}',
        "array": '[{"i": 1}, {"i": 2}, 3, {"i": "4"}]',
        "nulls": '{"b": null, "i": null, "r": null, "list": null}',
        "deep": "[" * 200 + "]" * 200,
        "truncated": '{"s": "abc',
        "escapes": '{"s": "\\ud83d\\ude00 \\ud800 \\u0000 \\q"}',
        "twice": '{"i": 1, "i": 2, "unknown": {"a": [1, {"b": []}]}}',
        "numbers": '{"i": 1e999, "l": -9223372036854775808, "d": -0.0, "m": 1e-400}',
    })  # fmt: skip
    texts("json", b"\x10", {"lines": '{"i": 1}\n\n{"i": 2}\r\nnot json\n{"s": "no end'})
    texts("json", b"\x13", {"iso-lines": '{"ts": "2026-01-05T06:00:00"}\n{"at": "2026-01-05T06:00:00Z"}'})
    write("json", "no-utf8", b'\x00{"s": "\xff\xfe\xc3"}')


def avro() -> None:
    """The columns of formats.cc as unions of null and their type, then by the schema that is written there."""

    def number(value: int) -> bytes:
        bits, out = (value << 1) ^ (value >> 63), b""
        while bits >= 0x80:
            out, bits = out + bytes([bits & 0x7F | 0x80]), bits >> 7
        return out + bytes([bits])

    def some(value: bytes) -> bytes:
        return b"\x02" + value

    scalars = some(b"\x01") + some(number(-7)) + some(number(2**40)) + some(bytes(6) + b"\xf8\x3f") + some(number(2) + b"\x30\x39")
    texts_ = some(number(5) + b"press") + some(number(2) + b"\xff\x00")
    times = some(number(20458)) + some(number(45296000)) + some(number(-1)) + some(number(1767592800000))
    nested = some(number(2) + some(number(1)) + b"\x00" + b"\x00") + some(some(number(5)) + some(some(number(1) + b"x")))
    whole = scalars + texts_ + times + nested
    for name, data in {"whole": whole, "nulls": bytes(13), "cut": whole[:-1], "more": whole + b"x"}.items():
        write("avro", name, b"\x00" + data)
    junk = number(-1) + number(9) + number(1) + b"k" + number(1) + b"\x00" + b"\x00" + number(0)
    record = some(number(1) + b"x" + number(9) + number(0) + b"\x00" + number(5))
    endless = some(number(1) + b"x" + number(1_000_000) + number(0) + b"\x00" + number(5))
    rest = number(2) + number(1) + number(2) + number(0) + b"\x01" + number(3) + b"\x00" + bytes(4) + number(1)
    more = b"\xff" * 20 + b"\x00" + number(1) + b"a" + number(20458) + number(1000) + number(-1) + some(number(1))
    write("avro", "given", b"\x02" + number(0) + record + rest + more)
    write("avro", "junk", b"\x02" + junk + record + rest + more)
    write("avro", "endless", b"\x02" + number(0) + endless + rest + more)
    inner = number(2) + number(1) + b"x" + number(1) + number(1) + b"x" + number(2) + number(0)
    maps = number(-2) + number(20) + number(1) + b"k" + inner + number(1) + b"k" + inner + number(0)
    write("avro", "maps", b"\x06" + number(0) + record + rest + more + maps)
    unions = number(2) + number(1) + b"k" + some(number(1) + number(1) + b"x" + some(number(1)) + number(0)) + number(1) + b"l" + b"\x00" + number(0)
    write("avro", "nullable-maps", b"\x04" + whole + some(unions))


def cbor() -> None:
    scalars = "6162f5 61693863 616c1b000000e8d4a51000 6164f93e00 616dc48221196ab3 61737f616161ffff 617844deadbeef"
    times = "63646179d864193039 65636c6f636b6830313a30323a3033 627473c1fb41d452d9ec200000 626174c074323031332d30332d32315432303a30343a30305a"
    nested = "646c697374 9f01f603ff 6172bf616105616ea1617361 78ff"
    row = bytes.fromhex("bf" + (scalars.replace("616161ffff", "6161ff") + times + nested).replace(" ", "") + "ff")
    write("cbor", "whole", b"\x00" + row)
    write("cbor", "array", b"\x00\x83" + row + b"\xa0" + b"\xa1\x61i\x20")
    write("cbor", "sequence", b"\x10" + row + b"\xa0" + b"\xa1\x61i\x61x" + row + b"\xa1")
    write("cbor", "broken", b"\x00" + row[:-1])
    write("cbor", "big", b"\x00\xa2\x61m\xc2\x49\x01" + bytes(8) + b"\x61l\xc3\x41\x07")
    write("cbor", "deep", b"\x00\xa1\x61y" + b"\x81" * 200)
    write("cbor", "tags", b"\x01\xa1\x61i" + b"\xc1" * 200 + b"\x01")


def compression() -> None:
    text = b'{"device": "press", "value": 1.5}\n' * 20
    # A frame of zstd without compression: magic, descriptor, size, one raw block that is the last.
    frame = b"\x28\xb5\x2f\xfd\x20\x05" + b"\x29\x00\x00hello"
    # One of a block that repeats a byte 100,001 times.
    bomb = b"\x28\xb5\x2f\xfd\xa0\xa1\x86\x01\x00" + (100_001 << 3 | 3).to_bytes(3, "little") + b"x"
    zipped = gzip.compress(text, mtime=0)
    named = {"gzip": zipped, "gzip-twice": zipped + zipped, "gzip-cut": zipped[:-5], "gzip-bomb": gzip.compress(bytes(10_000_000), mtime=0)}
    for name, data in named.items():
        write("compression", name, b"\x00" + data)
    for name, data in {"zstd": frame, "zstd-twice": frame + frame, "zstd-cut": frame[:-1], "zstd-bomb": bomb}.items():
        write("compression", name, b"\x01" + data)


def csv() -> None:
    row = "true,1,2,1.5,3.25,text,TGVhdA==,2020-01-31,12:34:56,2026-01-05 06:00:00,2026-01-05 06:00:00Z"
    texts("csv", b"\x00", {"row": row, "few": "true,1", "many": row + ",9,9", "empty": "", "commas": "," * 40})
    texts("csv", b"\x00", {"quotes": 'true,1,2,1,1,"a ""quoted"", text",,,,,', "open-quote": 'true,"abc\n,1'})
    texts("csv", b"\x10", {"lines": row + "\n" + row + "\r\n\n" + '"a\nb",1\n'})
    texts("csv", b"\x1e", {"options": "# comment\nn/a,n/a,\\,,\\\\,1\n" + row + "\n"})


def debezium() -> None:
    row = '{"i": 1, "s": "a", "r": {"a": 5}}'
    events = {
        "create": f'{{"before": null, "after": {row}, "source": {{"db": "x"}}, "op": "c"}}',
        "update": f'{{"before": {row}, "after": {row}, "op": "u"}}',
        "delete": f'{{"op": "d", "before": {row}, "after": null}}',
        "no-before": f'{{"op": "u", "before": null, "after": {row}}}',
        "bad-after": f'{{"op": "u", "before": {row}, "after": {{"i": "x"}}}}',
        "other": '{"op": "t"}',
        "no-op": f'{{"after": {row}}}',
    }
    texts("debezium", b"\x00", events)
    texts("debezium", b"\x10", {"lines": "\n".join(events.values()) + "\n{"})
    texts("debezium", b"\x02", {"schema": f'{{"schema": {{}}, "payload": {events["update"]}}}'})


def influx() -> None:
    row = 'm,s=x\\ y,i=5 b=t,l=-7i,d=1.5e3,m=12.345,x="TGVhdA==",day="2020-01-31",ts="2026-01-05 06:00:00"'
    texts("influx", b"\x00", {
        "lines": row + " 1700000000000000000\n" + row + "\n\n# comment\nm i=18446744073709551615u\n",
        "escapes": 'a\\,b\\ c\\=d,k\\==v\\,\\=\\ w s="q\\"u\\\\o\\t\nnext" -5',
        "open-text": 'm s="open\nm s="x"y\nm i=1i\nm s="',
        "broken": "m\nm \n,t=1 f=1\nm,t= f=1\nm f=\nm f=1,\nm f=1 2 3\nm f=NaN\n",
    })  # fmt: skip
    texts("influx", b"\x1e", {"roles": row + " 17\n" + row + " 99999999999999999\n"})
    texts("influx", b"\x01", {"ignored": "m i=x\nm i=1.5\nm i=2i\n"})
    write("influx", "no-utf8", b'\x00m s="\xff"\nm s="ok"')


def protobuf() -> None:
    """The message of formats.cc by hand: tag, then varint, length and bytes, or eight bytes."""
    numbers = b"\x08\x01" + b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + b"\x18\x07" + b"\x21" + bytes(6) + b"\xf8\x3f"
    texts_ = b"\x32\x05press" + b"\x3a\x02\xff\x00"
    nested = b"\x5a\x03\x01\x02\x03" + b"\x58\x05" + b"\x62\x08\x08\x01\x12\x04\x0a\x02hi" + b"\x62\x02\x08\x02"
    time = b"\x52\x07\x08\x3c\x10\x80\xca\xb5\xee\x01"[:2 + 7]
    whole = numbers + texts_ + nested + time
    group = b"\x9b\x06\x08\x01\x9c\x06"
    for name, bytes_ in {"whole": whole, "empty": b"", "unknown": group + whole, "cut": whole[:-1]}.items():
        write("protobuf", name, b"\x00" + bytes_)
    write("protobuf", "delimited", b"\x14" + bytes([len(whole)]) + whole + b"\x00" + b"\x02\x08\x01")


def sparkplug() -> None:
    """Payloads by hand: a birth, data, a death; values that are messages themselves."""

    def field(number: int, value: int | bytes) -> bytes:
        if isinstance(value, int):
            out = b""
            while value >= 0x80:
                out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
            return bytes([*tag(number, 0), *out, value])
        return bytes([*tag(number, 2)]) + bytes([len(value)]) + value

    def tag(number: int, kind: int) -> list[int]:
        value = number << 3 | kind
        return [value] if value < 0x80 else [value & 0x7F | 0x80, value >> 7]

    def metric(*parts: bytes) -> bytes:
        return field(2, b"".join(parts))

    time = field(1, 1767592800000)
    named = field(1, b"load") + field(2, 1) + field(4, 1) + field(10, 0xFFFFFFFD)
    cells = field(1, field(1, 255)) + field(1, field(6, b"x"))
    table = field(1, 2) + field(2, b"n") + field(2, b"s") + field(3, 1) + field(3, 12) + field(4, cells)
    inner = field(4, b"In") + field(2, field(1, b"on") + field(14, 1))
    outer = field(1, b"1") + field(3, field(1, b"size") + field(2, 3) + field(3, 5)) + field(2, field(1, b"in") + field(18, inner))
    listed = field(10, field(1, field(1, b"k") + field(2, field(7, 1))))
    properties = field(1, b"Quality") + field(1, b"l") + field(2, field(1, 3) + field(3, 192)) + field(2, listed)
    birth = time + metric(field(1, b"bdSeq"), field(4, 4), field(11, 3)) + metric(named) + field(3, 0)
    data = time + metric(field(2, 1), field(10, 7)) + metric(field(2, 2), bytes([0x65, 0, 0, 0xC0, 0x3F])) + field(3, 1)
    reals = metric(bytes([0x69]) + bytes(6) + b"\xf8\x3f") + metric(field(7, 1)) + metric(field(15, b"text"), field(5, 1))
    nested = metric(field(4, 16), field(17, table)) + metric(field(18, outer)) + metric(field(9, properties))
    named_payloads = {
        "birth": birth,
        "data": data,
        "death": metric(field(1, b"bdSeq"), field(11, 3)),
        "empty": b"",
        "reals": reals,
        "nested": nested,
        "body": field(4, b"kind") + field(5, b"\xff") + metric(field(16, b"\x00\xff"), field(3, 5)),
        "cut": birth[:-1],
        "json": b'{"online":true,"timestamp":1}',
        "unknown": b"\x9b\x06\x08\x01\x9c\x06" + birth,
        "no-utf8": metric(field(1, b"\xff")),
    }
    for name, payload in named_payloads.items():
        write("sparkplug", name, b"\x00" + payload)
    write("sparkplug", "ignored", b"\x01" + birth[:-1])


def main() -> None:
    journal()
    state()
    blocks()
    json()
    avro()
    cbor()
    compression()
    csv()
    debezium()
    influx()
    protobuf()
    requests()
    sparkplug()


if __name__ == "__main__":
    main()
