"""A pipeline whose outbox is full: it waits, its source is paused, its neighbours go on, and nothing is lost."""

from leat import Daemon
from pipeline_text import mqtt_readings, often, with_options
from processes import eventually

MESSAGES = 30_000
TEXT = "x" * 200


def rows_over_http(broker_url: str, url: str, topic: str, **extra: object) -> str:
    options = {
        "connector": "http",
        "url": url,
        "format": "json",
        "body": "json-lines",
        "connect.timeout": "1 s",
        "sink.retry.initial-backoff": "50 ms",
        "sink.retry.max-backoff": "300 ms",
        **extra,
    }
    columns = "seq BIGINT, text STRING"
    # A journal of 2 MB: 1.5 MB fill it, so that the source is paused soon.
    small = {"journal.size": "2 mb", "max-packet-size": "64 kb", "receive-maximum": 100}
    source = mqtt_readings(broker_url, columns=columns, topic=topic, extra=small)
    table = f"CREATE TABLE upstream ({columns}) {with_options(options)};\n"
    return often() + source + table + "INSERT INTO upstream SELECT seq, text FROM readings;\n"


def publish(publisher, topic: str, count: int):
    for seq in range(count):
        publisher.send(topic, f'{{"seq": {seq}, "text": "{TEXT}"}}')
    publisher.flush()


def outbox_of(daemon, name: str) -> dict:
    return next((one for one in daemon.outbox() if one["pipeline"] == name), {})


def dropped_for_the_file(daemon, name: str) -> int:
    return outbox_of(daemon, name).get("records", {}).get("dropped_by", {}).get("store.max_bytes", 0)


def test_a_full_outbox_pauses_its_source_disturbs_no_other_and_loses_nothing(
    tmp_path, broker, publisher, receiver, daemon
):
    away = type(receiver)(tmp_path / "away")
    away.stop()
    daemon.add("blocked", rows_over_http(broker.url, f"{away.url}/rows", "blocked", **{"sink.buffer.max-bytes": "64 kb"}))
    daemon.add("free", rows_over_http(broker.url, f"{receiver.url}/rows", "free"))
    daemon.start().wait_connected("blocked", "free")
    publish(publisher, "blocked", MESSAGES)
    eventually(lambda: daemon.source("blocked")["link"] == "paused", "the source of the full pipeline is paused", 120)
    status = daemon.pipeline("blocked")
    assert status["state"] == "stalled" and "outbox of 'upstream' is full" in status["waiting_for"]
    assert status["sources"][0]["messages"]["dropped"] == 0
    full = outbox_of(daemon, "blocked")
    assert full["records"]["dropped"] == 0 and full["bytes"] < 8 << 20, "a commit above the bound at most"
    ready = daemon.ask("/readyz")
    assert ready.status == 503 and "is full" in ready.text and len(ready.json()["outages"]) == 1
    # Its neighbour, at the same broker and in the same store, does not notice.
    publish(publisher, "free", 2_000)
    eventually(lambda: len(receiver.rows("/rows")) == 2_000, "the other pipeline delivers all of its rows")
    assert daemon.pipeline("free")["state"] == "running"
    away.start()
    try:
        eventually(lambda: len(away.rows("/rows")) >= MESSAGES, "everything arrives", 120)
        assert sorted(row["seq"] for row in away.rows("/rows")) == list(range(MESSAGES))
        daemon.wait_delivered()
        assert outbox_of(daemon, "blocked")["records"]["dropped"] == 0
        counts = daemon.pipeline("blocked")["sources"][0]["messages"]
        assert counts["dropped"] == 0 and counts["dead"] == 0
        assert daemon.pipeline("blocked")["accounting_violations"] == []
        eventually(lambda: daemon.ask("/readyz").status == 200, "the daemon is ready again")
    finally:
        away.stop()


def test_the_bound_of_the_file_makes_those_wait_that_block_and_those_drop_that_may(
    tmp_path, broker, publisher, receiver, leat
):
    receiver.stop()
    daemon = Daemon(leat, tmp_path / "small")
    daemon.config.write_text(daemon.config.read_text() + '[store]\nmax_bytes = "3 mb"\n')
    try:
        may_drop = {"sink.buffer.on-full": "drop-oldest"}
        daemon.add("drops", rows_over_http(broker.url, f"{receiver.url}/drops", "drops", **may_drop))
        daemon.add("blocks", rows_over_http(broker.url, f"{receiver.url}/blocks", "blocks"))
        daemon.start().wait_connected("drops", "blocks")
        publish(publisher, "blocks", 8_000)
        publish(publisher, "drops", 20_000)
        eventually(lambda: daemon.source("drops")["messages"].get("decoded") == 20_000, "the one that may drop goes on", 120)
        eventually(lambda: dropped_for_the_file(daemon, "drops") > 0, "it drops")
        publish(publisher, "blocks", 20_000)
        eventually(lambda: daemon.pipeline("blocks")["state"] == "stalled", "the one that blocks waits", 120)
        assert outbox_of(daemon, "blocks")["records"]["dropped"] == 0
        receiver.start()
        eventually(lambda: len(receiver.rows("/blocks")) >= 28_000, "what blocked loses nothing", 120)
        daemon.wait_delivered()
        records = outbox_of(daemon, "drops")["records"]
        assert records["emitted"] == 20_000 == records["delivered"] + records["dropped"]
        assert records["dropped"] == sum(records["dropped_by"].values())
        assert len(receiver.rows("/drops")) == records["delivered"]
    finally:
        daemon.stop()
