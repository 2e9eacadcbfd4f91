"""A broker and a network that misbehave: what is lost is said, what can be kept is kept, nobody is disturbed."""

import os
import subprocess
import threading
import time

import pytest
from broken_broker import BrokenBroker
from leat import Daemon
from mosquitto import Mosquitto
from mqtt_publisher import Publisher
from pipeline_text import mqtt_readings, often, with_options
from ports import free_port
from processes import eventually
from tcp_proxy import TcpProxy

MB = 1 << 20


def rows_pipeline(broker_url: str, receiver_url: str, path: str = "rows", **source) -> str:
    """Every message's `seq` upstream."""
    extra = {"sink": {}, **source}.pop("sink")
    options = {key: value for key, value in source.items() if key != "sink"}
    out = {
        "connector": "http",
        "url": f"{receiver_url}/{path}",
        "format": "json",
        "sink.retry.initial-backoff": "50 ms",
        "sink.retry.max-backoff": "200 ms",
        **extra,
    }
    return (
        often()
        + mqtt_readings(broker_url, columns="seq BIGINT, pad STRING", extra=options)
        + f"CREATE TABLE o (seq BIGINT) {with_options(out)};\nINSERT INTO o SELECT seq FROM readings;"
    )


def send(publisher, begin: int, end: int, topic: str = "site/a", pad: str = "", retain: bool = False) -> None:
    for seq in range(begin, end):
        name = f"{topic}/{seq}" if retain else topic
        publisher.send(name, f'{{"seq": {seq}, "pad": "{pad}"}}', retain=retain)


def wait_for_rows(receiver, count: int, path: str = "/rows", seconds: float = 60) -> None:
    """All of 0 … count - 1, each once."""
    eventually(lambda: len(receiver.rows(path)) >= count, f"{count} rows", seconds)
    assert sorted(row["seq"] for row in receiver.rows(path)) == list(range(count))


def check_accounts(daemon, name: str, **counts) -> dict:
    status = daemon.pipeline(name)
    assert status["accounting_violations"] == []
    messages = status["sources"][0]["messages"]
    assert {key: messages[key] for key in counts} == counts, messages
    return status


def rss(daemon) -> int:
    with open(f"/proc/{daemon.running.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def test_a_broker_with_persistence_keeps_what_is_published_while_leat_is_away(broker, publisher, receiver, daemon):
    daemon.add("rows", rows_pipeline(broker.url, receiver.url))
    daemon.start().wait_connected("rows")
    send(publisher, 0, 100)
    publisher.flush()
    wait_for_rows(receiver, 100)
    daemon.stop()
    send(publisher, 100, 300)
    publisher.flush()
    broker.stop()
    broker.start()
    daemon.start().wait_connected("rows")
    wait_for_rows(receiver, 300)
    assert daemon.source("rows")["sessions_lost"] == 0 and "forgotten" not in daemon.log()


def test_a_broker_that_has_forgotten_the_session_is_noticed_said_and_subscribed_anew(tmp_path, receiver, daemon):
    broker = Mosquitto(tmp_path / "forgetful")
    try:
        daemon.add("rows", rows_pipeline(broker.url, receiver.url))
        daemon.start().wait_connected("rows")
        assert daemon.source("rows")["sessions_lost"] == 0
        broker.kill()
        eventually(lambda: daemon.source("rows")["link"] == "lost", "the link is lost")
        broker.start()
        eventually(lambda: daemon.source("rows")["sessions_lost"] == 1, "the loss of the session shows")
        eventually(lambda: "the broker had forgotten the session" in daemon.log(), "and is in the log")
        daemon.wait_connected("rows")
        assert 'leat_source_sessions_lost_total{gateway="gateway-7",pipeline="rows",source="readings"} 1' in (
            daemon.ask("/metrics").text
        )
        publisher = Publisher(broker.port)
        send(publisher, 0, 50)
        publisher.flush()
        wait_for_rows(receiver, 50)
        # Over a restart of Leat, too: its journal tells that there was a session.
        daemon.stop()
        publisher.close()
        broker.kill()
        broker.start()
        daemon.start().wait_connected("rows")
        assert daemon.source("rows")["sessions_lost"] == 1
    finally:
        broker.stop()


def test_a_cable_that_is_pulled_for_longer_than_the_keep_alive_loses_nothing(broker, publisher, receiver, daemon):
    network = TcpProxy(broker.port)
    try:
        daemon.add("rows", rows_pipeline(network.url, receiver.url, **{"keep-alive": "2 s", "connect-timeout": "1 s"}))
        daemon.start().wait_connected("rows")
        send(publisher, 0, 200)
        publisher.flush()
        network.stall()
        send(publisher, 200, 500)
        publisher.flush()
        eventually(lambda: daemon.source("rows")["link"] == "lost", "the silence is noticed", 20)
        # Through every attempt, so that no alert comes and goes.
        seen = []
        eventually(lambda: seen.append(daemon.source("rows")) or "no answer: the port takes" in seen[-1]["detail"], "the reason")
        eventually(lambda: seen.append(daemon.source("rows")) or "trying now" in seen[-1]["detail"], "another attempt")
        assert {source["link"] for source in seen} == {"lost"}
        network.heal()
        send(publisher, 500, 600)
        publisher.flush()
        daemon.wait_connected("rows")
        wait_for_rows(receiver, 600)
        status = check_accounts(daemon, "rows", dropped=0, dead=0)
        assert status["sources"][0]["sessions_lost"] == 0 and status["sources"][0]["losses"] >= 1
    finally:
        network.close()


def test_a_slow_line_that_breaks_again_and_again_loses_and_doubles_nothing(broker, publisher, receiver, daemon):
    network = TcpProxy(broker.port)
    try:
        daemon.add("rows", rows_pipeline(network.url, receiver.url))
        daemon.start().wait_connected("rows")
        network.delay = 0.02
        sent = 0
        for _ in range(6):
            send(publisher, sent, sent + 500)
            sent += 500
            publisher.flush()
            daemon.wait_received("rows", sent - 450)
            network.cut()
            network.refusing = False
        network.heal()
        wait_for_rows(receiver, sent)
        check_accounts(daemon, "rows", dropped=0, dead=0, decoded=sent)
    finally:
        network.close()


def test_a_storm_ten_times_what_goes_through_is_held_back_and_memory_stays_flat(broker, publisher, receiver, daemon):
    """The sink stands still, its outbox and the journal fill; the broker, which queues without limit, keeps the rest."""
    small = {"sink": {"sink.buffer.max-bytes": "128 kb", "sink.buffer.on-full": "block"}, "journal.size": "4 mb", "max-packet-size": "64 kb"}
    daemon.add("rows", rows_pipeline(broker.url, receiver.url, **small))
    daemon.start().wait_connected("rows")
    count = 60_000
    pad = "x" * 500
    send(publisher, 0, 1000, pad=pad)
    wait_for_rows(receiver, 1000)
    before = rss(daemon)
    receiver.stop()
    send(publisher, 1000, count, pad=pad)
    publisher.flush(120)
    eventually(lambda: daemon.source("rows")["link"] == "paused", "the source is paused", 60)
    eventually(lambda: daemon.pipeline("rows")["state"] == "stalled", "the pipeline waits")
    ready = daemon.ask("/readyz")
    assert ready.status == 503 and "the outbox of 'o' is full" in ready.text
    assert rss(daemon) - before < 24 * MB, (before, rss(daemon))
    assert daemon.source("rows")["intake_bytes"] <= 4 * MB
    receiver.start()
    wait_for_rows(receiver, count, seconds=180)
    check_accounts(daemon, "rows", dropped=0, dead=0, decoded=count)
    assert rss(daemon) - before < 32 * MB, (before, rss(daemon))


@pytest.mark.timed
def test_one_stalled_pipeline_holds_up_no_other(broker, publisher, receiver, daemon):
    small = {"sink": {"sink.buffer.max-bytes": "64 kb", "sink.buffer.on-full": "block"}, "journal.size": "1 mb", "max-packet-size": "64 kb"}
    nobody = f"http://127.0.0.1:{free_port()}"
    daemon.add("stalled", rows_pipeline(broker.url, nobody, **small))
    daemon.add("runs", rows_pipeline(broker.url, receiver.url))
    daemon.start().wait_connected("stalled", "runs")
    pad = "x" * 400
    send(publisher, 0, 8000, pad=pad)
    publisher.flush()
    wait_for_rows(receiver, 8000)
    eventually(lambda: daemon.source("stalled")["link"] == "paused", "the one is paused")
    for seq in range(8000, 8100):
        begin = time.monotonic()
        send(publisher, seq, seq + 1, pad=pad)
        publisher.flush()
        eventually(lambda seq=seq: len(receiver.rows("/rows")) == seq + 1, "the other goes on", 5)
        assert time.monotonic() - begin < 5
        if seq > 8005:
            break
    assert daemon.source("runs")["losses"] == 0


def test_256_mb_of_retained_messages_come_in_once_and_memory_stays_bounded(broker, publisher, receiver, daemon):
    count, pad = 2560, "r" * 100_000
    send(publisher, 0, count, pad=pad, retain=True)
    publisher.flush(120)
    daemon.add("rows", rows_pipeline(broker.url, receiver.url))
    daemon.start()
    wait_for_rows(receiver, count, seconds=240)
    status = check_accounts(daemon, "rows", dropped=0, dead=0, decoded=count)
    assert status["sources"][0]["received_bytes"] > 256_000_000
    assert rss(daemon) < 160 * MB, rss(daemon)
    # Whatever the broker repeated stands before the next message in its queue: after that one, nothing is on the way.
    send(publisher, count, count + 1)
    wait_for_rows(receiver, count + 1)
    received = daemon.source("rows")["messages"]["received"]
    broker.stop()
    broker.start()
    daemon.wait_connected("rows")
    send(publisher, count + 1, count + 2)
    wait_for_rows(receiver, count + 2)
    assert daemon.source("rows")["messages"]["received"] == received + 1, "retained messages came again"


MALFORMED = {
    "a length that never ends": b"\x30\xff\xff\xff\xff\xff",
    "a topic longer than its packet": b"\x32\x05\xff\xff\x61\x00\x01",
    "an empty publish": b"\x32\x00",
    "properties longer than the packet": b"\x32\x08\x00\x01a\x00\x01\xff\xff\x7f",
    "an unknown property": b"\x30\x07\x00\x01a\x02\x7e\x01x",
    "a reserved packet type": b"\x00\x00",
    "QoS 3": b"\x36\x06\x00\x01a\x00\x01\x00",
    "a topic that is no UTF-8": b"\x30\x06\x00\x02\xff\xfe\x00x",
    "an acknowledgement of nothing": b"\x40\x02\x12\x34",
    "a second CONNACK": b"\x20\x03\x00\x00\x00",
    "noise": bytes(range(256)) * 4,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_packet_costs_a_connection_and_no_more(name, tmp_path, receiver, daemon):
    fake = BrokenBroker(MALFORMED[name])
    real = Mosquitto(tmp_path / "real")
    try:
        daemon.add("broken", rows_pipeline(fake.url, receiver.url, path="broken"))
        daemon.add("rows", rows_pipeline(real.url, receiver.url))
        daemon.start().wait_connected("rows")
        eventually(lambda: fake.connects >= 1, "it connects")
        publisher = Publisher(real.port)
        send(publisher, 0, 100)
        publisher.flush()
        wait_for_rows(receiver, 100)
        publisher.close()
        assert daemon.ask("/healthz").status == 200 and daemon.pipeline("broken")["state"] == "running"
        assert daemon.pipeline("broken")["accounting_violations"] == []
    finally:
        fake.close()
        real.stop()


def test_two_daemons_with_one_client_id_say_so_and_do_not_fight_at_full_speed(broker, receiver, daemon, leat, tmp_path):
    same = {"client-id": "gateway-of-the-mill", "reconnect.min-delay": "500 ms", "reconnect.max-delay": "60 s"}
    other = Daemon(leat, tmp_path / "other")
    try:
        daemon.add("rows", rows_pipeline(broker.url, receiver.url, **same))
        other.add("rows", rows_pipeline(broker.url, receiver.url, **same))
        daemon.start().wait_connected("rows")
        other.start()
        # mosquitto 2.0 closes the connection without a word.
        words = "if another client connects as 'gateway-of-the-mill', give each of the two a 'client-id' of its own"
        eventually(lambda: words in daemon.log() and words in other.log(), "both say what is wrong", 60)
        begin = daemon.source("rows")["connects"] + other.source("rows")["connects"]
        time.sleep(8)
        made = daemon.source("rows")["connects"] + other.source("rows")["connects"] - begin
        assert made <= 6, f"{made} connections in 8 s"
        other.stop()
        eventually(lambda: daemon.source("rows")["link"] == "connected", "the one that stays is connected", 120)
    finally:
        other.kill()


def test_a_wrong_password_is_told_with_what_to_do_and_tried_again(tmp_path, receiver, daemon):
    folder = tmp_path / "guarded"
    folder.mkdir()
    passwords = folder / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "mill", "right"], check=True, capture_output=True)
    os.chmod(passwords, 0o600)
    guarded = Mosquitto(folder, extra=["allow_anonymous false", f"password_file {passwords}"])
    try:
        for name, version in (("five", "5"), ("three", "3.1.1")):
            guess = {"username": "mill", "password": "s3cr3t-guess", "protocol-version": version}
            daemon.add(name, rows_pipeline(guarded.url, receiver.url, **guess))
        daemon.start()
        for name in ("five", "three"):
            source = eventually(
                lambda name=name: (one := daemon.source(name))["link"] == "lost" and "next try in" in one["detail"] and one,
                "it is refused",
            )
            assert guarded.url in source["detail"] and "check 'username' and 'password'" in source["detail"]
        assert "s3cr3t-guess" not in daemon.log()
    finally:
        guarded.stop()


def certificate(folder, name: str, begin: str, end: str, signer: str = "") -> None:
    """Made by openssl's program; times as YYYYMMDDHHMMSSZ."""
    key, request, made = folder / f"{name}.key", folder / f"{name}.csr", folder / f"{name}.pem"
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    if not signer:
        command = [*new, "-x509", "-days", "3650", "-subj", f"/CN={name}", "-keyout", key, "-out", made]
        subprocess.run(command, check=True, capture_output=True)
        return
    subprocess.run(
        [*new, "-subj", f"/CN={name}", "-keyout", key, "-out", request], check=True, capture_output=True
    )
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01\n")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\nserial={folder}/serial\nnew_certs_dir={folder}\n"
        f"default_md=sha256\npolicy=p\nx509_extensions=e\nunique_subject=no\n[p]\ncommonName=supplied\n"
        "[e]\nsubjectAltName=IP:127.0.0.1\n"
    )
    subprocess.run(
        ["openssl", "ca", "-batch", "-config", folder / "ca.cnf", "-in", request, "-out", made, "-notext"]
        + ["-cert", folder / f"{signer}.pem", "-keyfile", folder / f"{signer}.key"]
        + ["-startdate", begin, "-enddate", end],
        check=True,
        capture_output=True,
    )


def test_certificates_that_cannot_be_used_are_told_with_the_reason_and_the_remedy(tmp_path, receiver, daemon):
    folder = tmp_path / "tls"
    folder.mkdir()
    certificate(folder, "authority", "", "")
    certificate(folder, "stranger", "", "")
    certificate(folder, "old", "20200101000000Z", "20210101000000Z", "authority")
    certificate(folder, "young", "20900101000000Z", "20910101000000Z", "authority")
    certificate(folder, "good", "20200101000000Z", "20910101000000Z", "authority")
    brokers = {
        name: Mosquitto(
            tmp_path / f"broker-{name}", extra=[f"certfile {folder}/{name}.pem", f"keyfile {folder}/{name}.key"]
        )
        for name in ("old", "young", "good")
    }
    plain = Mosquitto(tmp_path / "plain")
    wanting = [f"certfile {folder}/good.pem", f"keyfile {folder}/good.key", f"cafile {folder}/authority.pem"]
    brokers["wants"] = Mosquitto(tmp_path / "wants", extra=[*wanting, "require_certificate true"])
    authorities = folder / "authorities"
    authorities.mkdir()
    (authorities / "authority.pem").write_bytes((folder / "authority.pem").read_bytes())
    subprocess.run(["openssl", "rehash", authorities], check=True)
    lock = ["openssl", "pkey", "-in", folder / "good.key", "-aes256", "-passout", "pass:secret"]
    subprocess.run([*lock, "-out", folder / "locked.key"], check=True)

    def add(name: str, port: int, **options) -> None:
        tls = {"tls.ca-file": f"{folder}/authority.pem", **options}
        tls = {key: value for key, value in tls.items() if value is not None}
        daemon.add(name, rows_pipeline(f"mqtts://127.0.0.1:{port}", receiver.url, **tls))

    expected = {
        "old": "has expired on 2021-01-01T00:00:00Z",
        "young": "is valid from 2090-01-01T00:00:00Z on",
        "stranger": "comes from an authority that is not trusted",
        "plain": "what answers speaks no TLS",
        "client": "the client certificate",
        "locked": "is encrypted: set 'tls.key-password', or decrypt it",
        "absent": "absent.pem' holds no certificate that can be read",
        "wants": "the server wants a client certificate",
    }
    try:
        add("old", brokers["old"].port)
        add("young", brokers["young"].port)
        add("good", brokers["good"].port)
        add("stranger", brokers["good"].port, **{"tls.ca-file": f"{folder}/stranger.pem"})
        add("plain", plain.port)
        own = {"tls.certificate-file": f"{folder}/old.pem", "tls.key-file": f"{folder}/old.key"}
        add("client", brokers["old"].port, **own)
        locked = {"tls.certificate-file": f"{folder}/good.pem", "tls.key-file": f"{folder}/locked.key"}
        add("locked", brokers["good"].port, **locked)
        add("unlocked", brokers["wants"].port, **locked, **{"tls.key-password": "secret"})
        add("absent", brokers["good"].port, **{"tls.ca-file": f"{folder}/absent.pem"})
        add("wants", brokers["wants"].port)
        add("folder", brokers["good"].port, **{"tls.ca-file": None, "tls.ca-path": authorities})
        daemon.start().wait_connected("good", "folder", "unlocked")
        for name, words in expected.items():
            eventually(lambda name=name, words=words: words in daemon.source(name)["detail"], f"{name}: {words}", 30)
            assert "127.0.0.1" in daemon.source(name)["detail"]
        remedy = "renew it at the server, or set the clock"
        eventually(lambda: remedy in daemon.source("old")["detail"], "what to do, between two attempts")
        untrusted = "name its certificate in 'tls.ca-file'"
        eventually(lambda: untrusted in daemon.source("stranger")["detail"], "what to do about a stranger")
    finally:
        for one in (*brokers.values(), plain):
            one.stop()


def test_it_starts_with_no_broker_and_no_uplink_and_runs_when_they_come(tmp_path, receiver, daemon):
    port = free_port()
    url = receiver.url
    receiver.stop()
    daemon.add("rows", rows_pipeline(f"tcp://127.0.0.1:{port}", url))
    daemon.start()
    assert daemon.ask("/readyz").status == 200 and daemon.pipeline("rows")["state"] == "running"
    late = Mosquitto(tmp_path / "late", port=port)
    try:
        daemon.wait_connected("rows")
        publisher = Publisher(port)
        threading.Thread(target=send, args=(publisher, 0, 500)).start()
        eventually(lambda: daemon.outbox() and daemon.outbox()[0]["records"]["waiting"] > 0, "rows wait")
        receiver.start()
        wait_for_rows(receiver, 500)
        publisher.close()
    finally:
        late.stop()
