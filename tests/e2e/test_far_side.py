"""An HTTP far side that misbehaves in every way: nothing lost, nothing double by idempotency key, order kept."""

import subprocess
import time

import pytest
from pipeline_text import often, with_options
from ports import free_port
from processes import eventually
from receiver import Receiver, rows_of

ROWS = 300
PER_SHIPMENT = 20


def in_a_second() -> str:
    """A date for Retry-After in the form without a comma, which a script's step could not hold."""
    return time.asctime(time.gmtime(time.time() + 1.5))


def over_http(tmp_path, url: str, rows: int = ROWS, extra: dict[str, object] | None = None) -> str:
    """A file of numbered rows to an HTTP server, in order, fifteen shipments of twenty."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"seq": {seq}, "text": "row {seq:05}."}}\n' for seq in range(rows)))
    source = with_options({"connector": "filesystem", "path": path, "format": "json"})
    options = {
        "connector": "http",
        "url": f"{url}/rows",
        "format": "json",
        "body": "json-lines",
        "request.timeout": "1500 ms",
        "connect.timeout": "1 s",
        "sink.batch.max-rows": PER_SHIPMENT,
        "sink.retry.initial-backoff": "20 ms",
        "sink.retry.max-backoff": "100 ms",
        **(extra or {}),
    }
    return (
        often()
        + f"CREATE TABLE file_rows (seq BIGINT, text STRING) {source};\n"
        + f"CREATE TABLE upstream (seq BIGINT, text STRING) {with_options(options)};\n"
        + "INSERT INTO upstream SELECT seq, text FROM file_rows;\n"
    )


def sink(daemon) -> dict:
    sinks = daemon.outbox()
    return sinks[0] if sinks else {"records": {}, "delivery": None}


def wait_settled(daemon, rows: int = ROWS, seconds: float = 60) -> dict:
    def settled():
        records = sink(daemon)["records"]
        return records.get("emitted") == rows and records.get("waiting") == 0 and records

    records = eventually(settled, "everything is settled", seconds)
    assert records["emitted"] == records["delivered"] + records["rejected"] + records["dropped"]
    return records


def check_once_and_in_order(receiver, want):
    assert [row["seq"] for row in receiver.rows("/rows")] == list(want)
    keys = [entry["key"] for entry in receiver.taken("/rows")]
    assert len(set(keys)) == len(keys)
    # The receiver answers 422 to other bytes under a key that it knows.
    assert 422 not in {request["status"] for request in receiver.requests()}


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("500,500,502", id="server-errors"),
        pytest.param("429;retry-after=1", id="retry-after-seconds"),
        pytest.param("date", id="retry-after-date"),
        pytest.param("401,403,404,407", id="needs-a-human"),
        pytest.param("307;location=http://127.0.0.1:1/", id="redirect"),
        pytest.param("reset,200,reset", id="reset-before-it-was-taken"),
        pytest.param("cut,200,cut", id="reset-in-mid-response"),
        pytest.param("hang,200,hang", id="never-answers"),
        pytest.param("drip,200,drip", id="answers-byte-by-byte"),
        pytest.param("mute,mute", id="half-open-connections"),
        pytest.param("garbage,200,nonsense", id="answers-that-are-no-http"),
        pytest.param("continue,continue;delay=0.2", id="100-continue"),
        pytest.param("hints,hints;delay=0.2", id="103-early-hints"),
        pytest.param("trailer,trailer", id="fields-behind-chunks"),
        pytest.param("headers,200,headers", id="headers-without-end"),
        pytest.param("409,421,423", id="not-now"),
        pytest.param("405,410,411,415,426,451", id="needs-a-human-too"),
    ],
)
def test_a_far_side_that_misbehaves_gets_everything_once_and_in_order(tmp_path, receiver, daemon, script):
    receiver.script(f"429;retry-after={in_a_second()}" if script == "date" else script)
    daemon.add("rows", over_http(tmp_path, receiver.url))
    daemon.start()
    records = wait_settled(daemon)
    assert records["delivered"] == ROWS and records["rejected"] == 0
    check_once_and_in_order(receiver, range(ROWS))
    attempts = [dict(request["headers"]).get("Leat-Attempt") for request in receiver.requests()]
    assert script.startswith(("continue", "hints", "trailer")) or "2" in attempts, "no attempt was repeated"


def test_an_answer_without_a_body_is_an_answer(tmp_path, receiver, daemon):
    receiver.script(",".join(["204"] * (ROWS // PER_SHIPMENT)))
    daemon.add("rows", over_http(tmp_path, receiver.url))
    daemon.start()
    assert wait_settled(daemon)["delivered"] == ROWS
    check_once_and_in_order(receiver, range(ROWS))
    assert len(receiver.requests()) == ROWS // PER_SHIPMENT and sink(daemon)["delivery"]["why"] is None


def test_a_far_side_that_refuses_connections_for_a_while(tmp_path, receiver, daemon):
    receiver.stop()
    daemon.add("rows", over_http(tmp_path, receiver.url))
    daemon.start()
    told = eventually(lambda: (sink(daemon)["delivery"] or {}).get("why") and sink(daemon), "the API says why")
    assert told["delivery"]["state"] in ("waiting", "delivering") and "no connection" in told["delivery"]["why"]
    assert told["delivery"]["next_try"] and told["records"]["waiting"] == ROWS and told["age_seconds"] >= 0
    receiver.start()
    wait_settled(daemon)
    check_once_and_in_order(receiver, range(ROWS))


def test_one_bad_record_is_found_and_only_it_is_buried(tmp_path, daemon):
    receiver = Receiver(tmp_path / "picky", arguments=("--refuse", "row 00137."))
    try:
        daemon.add("rows", over_http(tmp_path, receiver.url))
        daemon.start()
        assert wait_settled(daemon)["rejected"] == 1
        check_once_and_in_order(receiver, (seq for seq in range(ROWS) if seq != 137))
        letters = daemon.ask("/api/v1/dead-letters").json()
        assert "row 00137." in str(letters)
        eventually(lambda: daemon.pipeline("rows")["dead_letters"] == 1, "it is counted")
        assert "refuses records for good" in daemon.log()
        daemon.stop()
        daemon.start()
        eventually(lambda: daemon.pipeline("rows").get("dead_letters") == 1, "it is remembered")
    finally:
        receiver.stop()


def test_what_is_too_large_is_split_and_nothing_is_buried(tmp_path, daemon):
    """A record takes about 31 bytes: six of them pass, a shipment of twenty does not."""
    receiver = Receiver(tmp_path / "small", arguments=("--max-body", "200"))
    try:
        daemon.add("rows", over_http(tmp_path, receiver.url))
        daemon.start()
        assert wait_settled(daemon)["rejected"] == 0
        check_once_and_in_order(receiver, range(ROWS))
        assert 413 in {request["status"] for request in receiver.requests()}
    finally:
        receiver.stop()


def test_a_record_that_alone_is_too_large_is_buried_alone(tmp_path, daemon):
    """{"seq":9,"text":"row 00009."} is 29 bytes long and one more with its line's end; from 10 on a byte longer."""
    receiver = Receiver(tmp_path / "tiny", arguments=("--max-body", "30"))
    try:
        daemon.add("rows", over_http(tmp_path, receiver.url, rows=13))
        daemon.start()
        assert wait_settled(daemon, rows=13)["rejected"] == 3
        check_once_and_in_order(receiver, range(10))
    finally:
        receiver.stop()


def test_a_year_long_retry_after_is_cut_to_an_hour_and_said(tmp_path, receiver, daemon):
    receiver.script("503;retry-after=31536000")
    daemon.add("rows", over_http(tmp_path, receiver.url))
    daemon.start()
    told = eventually(lambda: (sink(daemon)["delivery"] or {}).get("why") and sink(daemon), "the API says why")
    assert "it asks for 365 d, tried again in 60 min" in told["delivery"]["why"]
    outages = daemon.ask("/readyz").json()["outages"]
    assert len(outages) == 1 and "HTTP 503" in outages[0] and "next try" in outages[0] and "block" in outages[0]
    assert daemon.ask("/readyz").status == 200
    eventually(lambda: "sink does not take what is sent" in daemon.log(), "the log says so")


def test_a_far_side_that_needs_a_human_is_told_as_paused(tmp_path, receiver, daemon):
    receiver.script(",".join(["401"] * 40))
    daemon.add("rows", over_http(tmp_path, receiver.url))
    daemon.start()
    eventually(lambda: (sink(daemon)["delivery"] or {}).get("state") == "paused", "the sink is paused")
    eventually(lambda: 'state="paused"} 1' in daemon.ask("/metrics").text, "the metrics say so")
    wait_settled(daemon)
    check_once_and_in_order(receiver, range(ROWS))
    assert daemon.log().count("somebody must act") == 1, "told once per outage"
    eventually(lambda: daemon.log().count("sink delivers again") == 1, "the end is told")


def test_a_run_tells_what_the_far_side_refuses(tmp_path, run_leat):
    receiver = Receiver(tmp_path / "picky", arguments=("--refuse", "row"))
    try:
        (tmp_path / "run.sql").write_text(over_http(tmp_path, receiver.url, rows=5))
        done = run_leat("run", tmp_path / "run.sql")
        assert "5 records could not be used" in done.stderr, done.stderr
    finally:
        receiver.stop()


def make_certificate(folder, name):
    """Self-signed, for the loopback address."""
    folder.mkdir(exist_ok=True)
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return key, certificate


def test_a_certificate_that_is_not_trusted_pauses_until_it_is(tmp_path, daemon):
    key, certificate = make_certificate(tmp_path / "tls", "server")
    _, other = make_certificate(tmp_path / "tls", "other")
    arguments = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    receiver = Receiver(tmp_path / "secure", arguments=arguments)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(other.read_bytes())
    try:
        daemon.add("rows", over_http(tmp_path, receiver.url, extra={"tls.ca-file": trusted}))
        daemon.start()
        eventually(lambda: (sink(daemon)["delivery"] or {}).get("state") == "paused", "the sink is paused")
        assert sink(daemon)["records"]["waiting"] == ROWS
        trusted.write_bytes(certificate.read_bytes())
        wait_settled(daemon)
        assert [row["seq"] for row in receiver.rows("/rows")] == list(range(ROWS))
    finally:
        receiver.stop()


def test_a_name_that_nobody_knows_holds_up_nobody_else(tmp_path, receiver, daemon):
    (tmp_path / "b").mkdir()
    daemon.add("nowhere", over_http(tmp_path, f"http://nowhere.invalid:{free_port()}"))
    daemon.add("rows", over_http(tmp_path / "b", receiver.url))
    daemon.start()

    def by_pipeline():
        return {one["pipeline"]: one for one in daemon.outbox()}

    eventually(lambda: by_pipeline().get("rows", {}).get("records", {}).get("delivered") == ROWS, "the other delivers")
    lost = eventually(
        lambda: (one := by_pipeline().get("nowhere")) and one["delivery"]["retries"] > 0 and one, "it is tried again"
    )
    assert lost["records"]["waiting"] == ROWS and lost["records"]["dropped"] == 0
    check_once_and_in_order(receiver, range(ROWS))


def starts_of(receiver) -> list[int]:
    """The first row of each shipment that was taken, in order."""
    starts = []
    for entry in receiver.taken("/rows"):
        numbers = [row["seq"] for row in rows_of(entry["body"])]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "in order inside a shipment"
        starts.append(numbers[0])
    return starts


def test_newest_first_the_backlog_comes_behind(tmp_path, receiver, daemon):
    receiver.stop()
    daemon.add("rows", over_http(tmp_path, receiver.url, extra={"sink.delivery.order": "newest-first"}))
    daemon.start()
    eventually(lambda: sink(daemon)["records"].get("emitted") == ROWS, "all rows wait")
    daemon.kill()
    daemon.start()
    receiver.start()
    wait_settled(daemon)
    starts = starts_of(receiver)
    # The first one had its number before the rest was there, and kept it over the restart.
    assert starts[1:] == sorted(starts[1:], reverse=True) and len(starts) == ROWS / PER_SHIPMENT
    assert sorted(row["seq"] for row in receiver.rows("/rows")) == list(range(ROWS))


def test_a_rate_bounds_how_fast_a_backlog_drains(tmp_path, receiver, daemon):
    receiver.stop()
    daemon.add("rows", over_http(tmp_path, receiver.url, extra={"sink.rate-limit.rows-per-second": 100}))
    daemon.start()
    eventually(lambda: sink(daemon)["records"].get("emitted") == ROWS, "all rows wait")
    receiver.start()
    eventually(lambda: (sink(daemon)["delivery"] or {}).get("state") == "throttled", "the API says that it is throttled")
    told = sink(daemon)
    assert told["policy"]["rows_per_second"] == 100
    wait_settled(daemon)
    times = [entry["time"] for entry in receiver.taken("/rows")]
    # A second's worth may go at once.
    assert times[-1] - times[0] >= (ROWS - 100 - PER_SHIPMENT) / 100 - 0.1
    check_once_and_in_order(receiver, range(ROWS))


def test_outside_of_its_hours_a_sink_waits_and_a_stop_does_not(tmp_path, receiver, daemon):
    def hours(begin: int, end: int) -> dict[str, str]:
        now = time.time()
        clock = [time.strftime("%H:%M", time.gmtime(now + hour * 3600)) for hour in (begin, end)]
        return {"sink.schedule": "-".join(clock), "sink.schedule.time-zone": "UTC"}

    (tmp_path / "b").mkdir()
    daemon.add("later", over_http(tmp_path, f"{receiver.url}/later", extra=hours(2, 3)))
    daemon.add("now", over_http(tmp_path / "b", receiver.url, extra=hours(-1, 1)))
    daemon.start()
    eventually(lambda: len(receiver.rows("/rows")) == ROWS, "what is within its hours is delivered")

    def later() -> dict:
        return next((one for one in daemon.outbox() if one["pipeline"] == "later"), {})

    eventually(lambda: later().get("records", {}).get("waiting") == ROWS, "what is outside waits")
    told = eventually(lambda: later()["delivery"]["state"] == "off schedule" and later(), "the API says why")
    assert "outside of 'sink.schedule'" in told["delivery"]["why"] and told["delivery"]["next_try"]
    assert daemon.ask("/readyz").json()["outages"] == []
    begin = time.monotonic()
    daemon.stop()
    assert time.monotonic() - begin < 8, "a stop waits for hours that are far away"
    assert receiver.taken("/later/rows") == []
