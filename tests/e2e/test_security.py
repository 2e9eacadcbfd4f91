"""Who reaches the API, and how much of it: tokens, TLS, the socket, limits, slow peers, secrets, the audit."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time

import pytest
from leat import Daemon
from pipeline_text import often, with_options
from processes import eventually

NUMBERS = """\
CREATE TABLE numbers (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
CREATE TABLE nowhere (a INT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT a FROM numbers;
"""


class Reply:
    def __init__(self, answer: http.client.HTTPResponse):
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode()

    def json(self) -> dict:
        return json.loads(self.text)


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: pathlib.Path):
        super().__init__("localhost", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def configure(daemon: Daemon, *lines: str, listen: str = "") -> None:
    """More keys of [api], which is the last table of the file."""
    text = daemon.config.read_text()
    if listen:
        text = text.replace('listen = "127.0.0.1:0"', f'listen = "{listen}"')
    daemon.config.write_text(text + "".join(line + "\n" for line in lines))


def address(daemon: Daemon) -> tuple[str, int]:
    host, port = daemon.url.split("//")[1].rsplit(":", 1)
    return ("127.0.0.1" if host == "0.0.0.0" else host, int(port))


def ask(daemon: Daemon, path: str, method: str = "GET", token: str = "", body: str = "", **headers: str) -> Reply:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if method in ("POST", "PUT"):
        sent.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection(*address(daemon), timeout=10)
    try:
        connection.request(method, path, body or None, sent)
        return Reply(connection.getresponse())
    finally:
        connection.close()


def pause(daemon: Daemon, token: str = "") -> Reply:
    return ask(daemon, "/api/v1/pipelines/numbers/pause", "POST", token, "{}")


@pytest.fixture
def make_token(run_leat, daemon):
    def make(name: str, role: str, *more: str) -> str:
        made = run_leat("token", "create", name, "--role", role, "--config", daemon.config, *more)
        assert made.returncode == 0, made.stderr
        assert "It is shown this once" in made.stderr
        return made.stdout.strip()

    return make


# ---- Tokens ------------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_once_there_is_one(daemon, run_leat, make_token):
    daemon.add("numbers", NUMBERS)
    daemon.start()
    assert ask(daemon, "/api/v1/pipelines").status == 200
    assert "reasons" in ask(daemon, "/readyz").json()
    look, steer = make_token("grafana", "read"), make_token("boss", "admin", "--expires", "90 d")
    refused = eventually(lambda: (r := ask(daemon, "/api/v1/pipelines")).status == 401 and r, "a token is asked for")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert ask(daemon, "/metrics").status == 401
    assert ask(daemon, "/healthz").status == 200
    assert set(ask(daemon, "/readyz").json()) == {"ready"}
    assert "reasons" in ask(daemon, "/readyz", token=look).json()
    assert ask(daemon, "/api/v1/pipelines", token=look).status == 200
    assert ask(daemon, "/api/v1/pipelines", token=look[:-1] + "x").status == 401
    assert pause(daemon).status == 401
    denied = pause(daemon, look)
    assert denied.status == 403 and "'token:grafana' has the role 'read'" in denied.json()["detail"]
    assert pause(daemon, steer).status == 200

    listed = run_leat("token", "list", "--config", daemon.config).stdout
    assert re.search(r"^grafana +read +\S+ +never$", listed, re.MULTILINE), listed
    assert run_leat("token", "revoke", "boss", "--config", daemon.config).returncode == 0
    eventually(lambda: pause(daemon, steer).status == 401, "a revoked token is worth nothing")
    file = daemon.folder / "data" / "tokens"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for text in (file.read_text(), listed, daemon.log()):
        assert look[5:] not in text and steer[5:] not in text
    metrics = ask(daemon, "/metrics", token=look).text
    assert re.search(r'leat_api_turned_away_total\{gateway="gateway-7",why="role"\} 1\n', metrics)


def test_a_token_that_has_expired_is_refused_and_still_closes_loopback(daemon, run_leat, make_token):
    daemon.start()
    token = make_token("brief", "read", "--expires", "2 s")
    eventually(lambda: ask(daemon, "/metrics", token=token).status == 200, "the token is known")
    eventually(lambda: ask(daemon, "/metrics", token=token).status == 401, "the token expires")
    assert ask(daemon, "/metrics").status == 401
    listed = json.loads(run_leat("token", "list", "--json", "--config", daemon.config).stdout)
    assert [(token["name"], token["expired"]) for token in listed["tokens"]] == [("brief", True)]
    revoked = run_leat("token", "revoke", "brief", "--config", daemon.config)
    assert "open to every user of this machine" in revoked.stderr
    eventually(lambda: ask(daemon, "/metrics").status == 200, "loopback is open again")


def test_wrong_tokens_are_slowed_down(daemon, make_token):
    token = make_token("ci", "read")
    daemon.start()
    statuses = [ask(daemon, "/metrics", token="leat_wrong").status for _ in range(14)]
    assert statuses[:10] == [401] * 10 and 429 in statuses[10:], statuses
    assert ask(daemon, "/metrics", token="leat_wrong").headers["Retry-After"]
    assert ask(daemon, "/metrics", token=token).status == 200


def test_the_verbs_show_a_token(daemon, run_leat, make_token, tmp_path):
    token = make_token("ci", "read")
    daemon.start()
    (tmp_path / "token").write_text(token + "\n")
    refused = daemon.verb("pipelines", "list")
    assert refused.returncode == 1 and "--token-file, or set LEAT_TOKEN" in refused.stderr
    assert daemon.verb("pipelines", "list", "--token-file", tmp_path / "token").returncode == 0
    environment = {**os.environ, "LEAT_TOKEN": token}
    assert run_leat("pipelines", "list", "--api", daemon.url, env=environment).returncode == 0


def test_a_damaged_file_of_tokens_lets_nobody_in(daemon, make_token):
    token = make_token("ci", "read")
    daemon.start()
    (daemon.folder / "data" / "tokens").write_text("leat-tokens 1\nci read\n")
    eventually(lambda: ask(daemon, "/metrics", token=token).status == 401, "the file is read again")
    assert ask(daemon, "/metrics").status == 401
    assert "the tokens of the API cannot be read" in daemon.log()


def test_who_changed_what_is_in_the_log(daemon, make_token):
    daemon.add("numbers", NUMBERS)
    daemon.start()
    pause(daemon)
    look, steer = make_token("grafana", "read"), make_token("boss", "admin")
    eventually(lambda: ask(daemon, "/metrics").status == 401, "a token is asked for")
    pause(daemon, look)
    for _ in range(3):
        ask(daemon, "/api/v1/pipelines/numbers/resume", "POST", steer, '{"secret": 1}')
    lines = [line.split("asked of the API as an admin ")[1] for line in daemon.log().splitlines() if "asked of" in line]
    path = "path=/api/v1/pipelines/numbers"
    assert lines == [
        f"who=loopback from=127.0.0.1 method=POST {path}/pause status=200",
        f"who=token:grafana from=127.0.0.1 method=POST {path}/pause status=403",
        *[f"who=token:boss from=127.0.0.1 method=POST {path}/resume status=400"] * 3,
    ]


# ---- Other machines ------------------------------------------------------------------------------------------


def test_it_does_not_open_itself_to_other_machines(daemon, run_leat, make_token):
    configure(daemon, listen="0.0.0.0:0")
    (daemon.folder / "data").mkdir()
    place = f"{daemon.config}:8:1: api.listen: '0.0.0.0:0' is open to other machines, and there is no token"
    checked = run_leat("check", daemon.config)
    assert checked.returncode == 78 and place in checked.stderr and "leat token create" in checked.stderr
    served = daemon.launch()
    assert served.process.wait(20) == 78
    assert place in served.output()
    make_token("ci", "admin")
    assert run_leat("check", daemon.config).returncode == 0
    daemon.start()
    assert ask(daemon, "/metrics").status == 401
    assert "without TLS" in daemon.log()


def certificate(folder: pathlib.Path, name: str, *names: str, ca: str = "") -> pathlib.Path:
    """folder/name.pem and name.key, signed by `ca` or by itself."""
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl += ["-days", "2", "-subj", f"/CN={name}", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"]
    if ca:
        openssl += ["-CA", f"{folder}/{ca}.pem", "-CAkey", f"{folder}/{ca}.key"]
        openssl += ["-addext", "basicConstraints=critical,CA:FALSE"]
    if names:
        openssl += ["-addext", "subjectAltName=" + ",".join(names)]
    made = subprocess.run(openssl, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return folder / f"{name}.pem"


@pytest.fixture
def certificates(tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    certificate(folder, "ca")
    certificate(folder, "server", "DNS:localhost", "IP:127.0.0.1", ca="ca")
    return folder


def ask_tls(daemon: Daemon, path: str, folder: pathlib.Path, client: str = "", token: str = "", method="GET") -> Reply:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if client:
        context.load_cert_chain(folder / f"{client}.pem", folder / f"{client}.key")
    connection = http.client.HTTPSConnection(*address(daemon), timeout=10, context=context)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request(method, path, "{}" if method == "POST" else None,
                           {**headers, "Content-Type": "application/json"})  # fmt: skip
        return Reply(connection.getresponse())
    finally:
        connection.close()


def with_tls(daemon: Daemon, folder: pathlib.Path, *lines: str) -> None:
    configure(daemon, f'tls_cert = "{folder}/server.pem"', f'tls_key = "{folder}/server.key"', *lines)


def test_https_and_nothing_else(daemon, run_leat, certificates, make_token):
    with_tls(daemon, certificates)
    token = make_token("ci", "read")
    daemon.start()
    assert daemon.url.startswith("https://")
    assert ask_tls(daemon, "/metrics", certificates).status == 401
    assert ask_tls(daemon, "/metrics", certificates, token=token).status == 200
    plainly = ask(daemon, "/healthz")
    assert plainly.status == 400 and "this address speaks https" in plainly.json()["detail"]
    environment = {**os.environ, "LEAT_TOKEN": token}
    trusted = run_leat("pipelines", "list", "--api", daemon.url, "--ca", certificates / "ca.pem", env=environment)
    assert trusted.returncode == 0, trusted.stderr
    untrusted = run_leat("pipelines", "list", "--api", daemon.url, env=environment)
    assert untrusted.returncode == 1 and "is not trusted" in untrusted.stderr
    plain = run_leat("pipelines", "list", "--api", daemon.url.replace("https", "http"), env=environment)
    assert plain.returncode != 0 and "this address speaks https" in plain.stderr


def test_a_renewed_certificate_needs_no_restart(daemon, certificates):
    with_tls(daemon, certificates)
    daemon.start()

    def shown() -> str:
        with socket.create_connection(address(daemon), timeout=10) as plain:
            context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
                return wrapped.getpeercert()["serialNumber"]

    first = shown()
    certificate(certificates, "server", "IP:127.0.0.1", ca="ca")
    eventually(lambda: shown() != first, "the new certificate", 30)
    (certificates / "server.pem").write_text("nonsense")
    eventually(lambda: shown() and "the API keeps its old certificate" in daemon.log(), "a wrong one is told", 30)


def test_wrong_certificates_stop_the_start(daemon, run_leat, certificates):
    with_tls(daemon, certificates)
    (certificates / "server.key").write_text((certificates / "ca.key").read_text())
    served = daemon.launch()
    assert served.process.wait(20) == 78
    daemon.running = None
    assert "api.tls_key" in served.output()
    checked = run_leat("check", daemon.config)
    assert checked.returncode == 78 and "api.tls_key" in checked.stderr


def test_client_certificates_have_roles(daemon, run_leat, certificates):
    with_tls(daemon, certificates, f'tls_client_ca = "{certificates}/ca.pem"', 'tls_admins = ["alice"]')
    for name in ("alice", "bob"):
        certificate(certificates, name, ca="ca")
    certificate(certificates, "mallory")
    daemon.add("numbers", NUMBERS)
    configure(daemon, listen="0.0.0.0:0")  # A certificate is asked for: no token is needed.
    daemon.start()
    for stranger in ("", "mallory"):
        with pytest.raises((http.client.HTTPException, OSError)):
            ask_tls(daemon, "/healthz", certificates, stranger)
    path = "/api/v1/pipelines/numbers/pause"
    assert ask_tls(daemon, "/metrics", certificates, "bob").status == 200
    assert ask_tls(daemon, path, certificates, "bob", method="POST").status == 403
    assert ask_tls(daemon, path, certificates, "alice", method="POST").status == 200
    assert "who=certificate:alice" in daemon.log()
    metrics = ask_tls(daemon, "/metrics", certificates, "bob").text
    assert re.search(r'leat_api_turned_away_total\{gateway="gateway-7",why="handshake"\} 2\n', metrics)
    url = daemon.url.replace("0.0.0.0", "127.0.0.1")
    mine = ("--ca", certificates / "ca.pem", "--certificate", certificates / "bob.pem", "--key", certificates / "bob.key")
    assert run_leat("pipelines", "list", "--api", url, *mine).returncode == 0


# ---- The socket ----------------------------------------------------------------------------------------------


def ask_socket(path: pathlib.Path, resource: str) -> Reply:
    connection = SocketConnection(path)
    try:
        connection.request("GET", resource)
        return Reply(connection.getresponse())
    finally:
        connection.close()


def test_the_socket_is_for_admins_and_the_verbs_find_it(daemon, run_leat, make_token, tmp_path):
    path = tmp_path / "leat.sock"
    configure(daemon, f'socket = "{path}"', listen="")
    make_token("ci", "read")
    daemon.add("numbers", NUMBERS)
    daemon.start()
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert ask_socket(path, "/metrics").status == 200
    assert ask(daemon, "/metrics").status == 401
    paused = run_leat("pipelines", "pause", "numbers", "--config", daemon.config)
    assert paused.returncode == 0, paused.stderr
    assert re.search(r"who=socket:\S+ from=socket method=POST", daemon.log())
    assert run_leat("status", "--api", f"unix:{path}").returncode == 0
    daemon.stop()
    assert not path.exists()


def test_the_socket_alone_is_enough(daemon, run_leat, tmp_path):
    path = tmp_path / "leat.sock"
    daemon.config.write_text(daemon.config.read_text().replace("127.0.0.1:0", ""))
    configure(daemon, f'socket = "{path}"')
    daemon.start()
    assert daemon.url == "off"
    assert run_leat("status", "--config", daemon.config).returncode == 0
    # Also when its configuration is wrong by now.
    daemon.config.write_text("nonsense = 1\n" + daemon.config.read_text())
    reloaded = run_leat("reload", "--config", daemon.config)
    assert reloaded.returncode == 78 and "the configuration is refused" in reloaded.stderr
    status = run_leat("status", "--config", daemon.config)
    assert status.returncode == 1 and "unknown option 'nonsense'" in status.stdout, "the reload was refused"
    daemon.config.write_text("no toml\n" + daemon.config.read_text())
    lost = run_leat("status", "--config", daemon.config)
    assert lost.returncode == 2 and "name the daemon's address with --api" in lost.stderr


def test_a_dead_daemons_socket_is_replaced_a_living_ones_is_not(leat, daemon, tmp_path):
    path = tmp_path / "leat.sock"
    configure(daemon, f'socket = "{path}"')
    daemon.start()
    daemon.kill()
    assert path.exists()
    daemon.start()
    assert ask_socket(path, "/healthz").status == 200
    other = Daemon(leat, tmp_path / "other")
    configure(other, f'socket = "{path}"')
    served = other.launch()
    assert served.process.wait(20) == 1
    assert "another program answers at" in served.output()
    assert ask_socket(path, "/healthz").status == 200
    plain = tmp_path / "file"
    plain.write_text("mine")
    other.config.write_text(other.config.read_text().replace(str(path), str(plain)))
    served = other.launch()
    assert served.process.wait(20) == 1 and "is there and no socket" in served.output()
    assert plain.read_text() == "mine"


# ---- Limits --------------------------------------------------------------------------------------------------


def raw(daemon: Daemon, text: bytes, seconds: float = 10) -> bytes:
    """All that comes back until the daemon hangs up."""
    with socket.create_connection(address(daemon), timeout=seconds) as client:
        client.sendall(text)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        return answer


def drip(daemon: Daemon, head: bytes, piece: bytes, seconds: float) -> tuple[bytes, float]:
    """Sends `piece` again and again; the answer and how long it took."""
    begin = time.monotonic()
    with socket.create_connection(address(daemon), timeout=0.1) as client:
        client.sendall(head)
        while time.monotonic() - begin < seconds:
            try:
                client.sendall(piece)
                answer = client.recv(65536)
                return answer, time.monotonic() - begin
            except TimeoutError:
                continue
            except ConnectionError:
                break
    return b"", time.monotonic() - begin


@pytest.mark.timed
def test_slow_peers_are_cut_as_a_whole_not_per_read(daemon):
    configure(daemon, 'request_timeout = "2 s"')
    daemon.start()
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    answer, took = drip(daemon, head, b"X-A: b\r\n", 15)
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    assert 1.5 < took < 5
    body = b"POST /api/v1/pipelines/x/pause HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for length in (b"Content-Length: 5000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n"):
        answer, took = drip(daemon, body + length, b"1\r\n \r\n", 15)
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert took < 5
    assert re.search(r'why="slow"\} 3\n', ask(daemon, "/metrics").text)


def test_what_is_too_large_is_refused_before_it_is_read(daemon):
    configure(daemon, 'max_header = "4 kb"', 'max_body = "32 kb"')
    daemon.start()
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    assert raw(daemon, get + b"X-A: " + b"b" * 8000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431 ")
    assert raw(daemon, get + b"X-A: b\r\n" * 2000 + b"\r\n").startswith(b"HTTP/1.1 431 ")
    assert raw(daemon, b"G" * 100_000).startswith(b"HTTP/1.1 431 ")
    assert raw(daemon, get.replace(b"healthz", b"a" * 1024) + b"\r\n").startswith(b"HTTP/1.1 414 ")
    ranges = raw(daemon, get + b"Range: bytes=0-0,0-0,-,0-0\r\n\r\n")
    assert ranges.startswith(b"HTTP/1.1 416 ") and b"multipart" not in ranges
    post = b"POST /api/v1/dead-letters/purge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert raw(daemon, post + b"Content-Length: 99999999999\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    chunks = b"Transfer-Encoding: chunked\r\n\r\n" + (b"1000\r\n" + b" " * 4096 + b"\r\n") * 40
    assert raw(daemon, post + chunks).startswith(b"HTTP/1.1 413 ")
    assert ask(daemon, "/healthz").status == 200


def test_framing_that_two_readers_would_read_differently_is_refused(daemon):
    daemon.start()
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    post = b"POST /api/v1/dead-letters/purge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    both = b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    assert raw(daemon, post + both).startswith(b"HTTP/1.1 400 ")
    assert raw(daemon, post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}").startswith(b"HTTP/1.1 400 ")
    assert raw(daemon, get + b"Content-Length: 4\r\n\r\nGET ").startswith(b"HTTP/1.1 400 ")
    body = b"Content-Length: 2\r\n\r\n{}"
    for field in (b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding: \r\n", b"X: a\nY: b\r\n", b"X: a\r\n folded\r\n", b"nothing\r\n"):
        assert raw(daemon, post + field + body).startswith(b"HTTP/1.1 400 "), field
    assert raw(daemon, post + b"Content-Length: %32\r\n\r\n{}").startswith(b"HTTP/1.1 400 ")
    chunked = b"Transfer-Encoding: chunked\r\n"
    chunks = b"\r\n2\r\n{}\r\n0\r\n\r\n"
    assert raw(daemon, post + chunked + b"Transfer-Encoding: identity\r\n" + chunks).startswith(b"HTTP/1.1 400 ")
    assert b"Transfer-Encoding" not in raw(daemon, post + b"Connection: close\r\nTransfer-Encoding: Chunked\r\n" + chunks)
    assert raw(daemon, get + b"Range: bytes=0-,0-,0-\r\n\r\n").startswith(b"HTTP/1.1 416 ")
    assert raw(daemon, post + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}").startswith(b"HTTP/1.1 415 ")
    # What follows a refused body is not a second request.
    hidden = post.replace(b"purge", b"nothing") + b"Content-Length: 60\r\n\r\n" + get + b"\r\n"
    assert raw(daemon, hidden).count(b"HTTP/1.1 ") == 1


@pytest.mark.timed
def test_a_delete_without_a_length_does_not_wait(daemon):
    daemon.start()
    begin = time.monotonic()
    answer = raw(daemon, b"DELETE /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ") and time.monotonic() - begin < 2


def test_too_many_connections_are_told_so(daemon, tmp_path):
    path = tmp_path / "leat.sock"
    configure(daemon, "max_connections = 20", f'socket = "{path}"')
    daemon.start()
    idle = [socket.create_connection(address(daemon), timeout=10) for _ in range(20)]
    refused = eventually(lambda: (r := ask(daemon, "/healthz")).status == 503 and r, "one too many")
    assert refused.headers["Retry-After"] == "1"
    assert ask_socket(path, "/healthz").status == 200
    for connection in idle:
        connection.close()
    eventually(lambda: ask(daemon, "/healthz").status == 200, "there is room again", 5)
    assert re.search(r'why="connections"\} [1-9]', ask(daemon, "/metrics").text)


@pytest.mark.timed
def test_silent_connections_do_not_starve_the_others(daemon):
    daemon.start()
    idle = [socket.create_connection(address(daemon), timeout=10) for _ in range(250)]
    begin = time.monotonic()
    assert ask(daemon, "/healthz").status == 200
    assert time.monotonic() - begin < 3
    for connection in idle[:50]:
        assert connection.recv(1) == b""  # Cut after a while.
    for connection in idle:
        connection.close()


@pytest.mark.timed
def test_two_hundred_readers_at_once(daemon):
    daemon.add("numbers", NUMBERS)
    daemon.start()
    failures: list[object] = []

    def read() -> None:
        connection = http.client.HTTPConnection(*address(daemon), timeout=30)
        try:
            for _ in range(20):
                connection.request("GET", "/api/v1/pipelines")
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    failures.append(answer.status)
        except OSError as failure:
            failures.append(failure)
        finally:
            connection.close()

    readers = [threading.Thread(target=read) for _ in range(200)]
    for reader in readers:
        reader.start()
    slowest = 0.0
    while any(reader.is_alive() for reader in readers):
        begin = time.monotonic()
        assert ask(daemon, "/healthz").status == 200
        slowest = max(slowest, time.monotonic() - begin)
    assert failures == []
    assert slowest < 5


@pytest.mark.timed
def test_a_peer_has_a_rate(daemon):
    configure(daemon, "requests_per_second = 5")
    daemon.start()
    statuses = [ask(daemon, "/healthz").status for _ in range(30)]
    assert statuses[:10] == [200] * 10 and statuses[-1] == 429, statuses
    refused = ask(daemon, "/healthz")
    assert refused.status == 429 and refused.headers["Retry-After"] == "1"
    eventually(lambda: ask(daemon, "/healthz").status == 200, "a second later", 5)


@pytest.mark.timed
def test_a_stop_does_not_wait_for_idle_peers(daemon):
    daemon.start()
    idle = [socket.create_connection(address(daemon), timeout=10) for _ in range(10)]
    assert ask(daemon, "/healthz").status == 200
    begin = time.monotonic()
    daemon.stop()
    assert time.monotonic() - begin < 5
    for connection in idle:
        connection.close()


# ---- Browsers ------------------------------------------------------------------------------------------------


def test_names_and_pages(daemon):
    configure(daemon, 'names = ["gateway.example"]')
    daemon.start()
    assert ask(daemon, "/healthz", Host="gateway.example:8463").status == 200
    assert ask(daemon, "/healthz", Host="evil.example:8463").status == 403
    own = {"Host": "gateway.example", "Origin": "http://gateway.example"}
    assert ask(daemon, "/healthz", **own).status == 200
    assert ask(daemon, "/healthz", Origin="http://evil.example").status == 403
    reply = ask(daemon, "/api/v1/pipelines")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "no-referrer"


# ---- Secrets -------------------------------------------------------------------------------------------------

READS = ("/readyz", "/metrics", "/api/v1/pipelines", "/api/v1/outbox", "/api/v1/dead-letters", "/api/v1/tables")


def secret_pipeline(url: str, token: str) -> str:
    sink = {"connector": "http", "url": f"{url}/rows", "format": "json", "token": token, "header.X-Site": "${env:SITE}"}
    return (
        often()
        + "CREATE TABLE numbers (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');\n"
        + f"CREATE TABLE rows_out (a INT) {with_options(sink)};\nINSERT INTO rows_out SELECT a FROM numbers;\n"
    )


def everything_shown(daemon: Daemon, run_leat, *names: str) -> str:
    texts = [ask(daemon, path).text for path in READS]
    for name in names:
        texts.append(ask(daemon, f"/api/v1/pipelines/{name}").text)
        texts.append(ask(daemon, f"/api/v1/outbox/{name}/rows_out").text)
        texts.append(ask(daemon, f"/api/v1/pipelines/{name}/plan").text)
        file = daemon.pipelines / f"{name}.sql"
        for question in ("validate", "explain"):
            texts.append(ask(daemon, f"/api/v1/{question}", "POST", body=json.dumps({"sql": file.read_text()})).text)
        for verb in ("explain", "check"):
            said = run_leat(verb, file)
            texts.append(said.stdout + said.stderr)
    return "\n".join([*texts, daemon.log()])


def test_a_secret_reaches_its_receiver_and_nobody_else(daemon, run_leat, receiver, tmp_path):
    (tmp_path / "token").write_text("hunter2-file\n")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "token").write_text("hunter2-credential")
    daemon.add("file", secret_pipeline(receiver.url, f"${{file:{tmp_path}/token}}"))
    daemon.add("credential", secret_pipeline(receiver.url, "${credential:token}"))
    daemon.launch(env={**os.environ, "SITE": "hunter2-site", "CREDENTIALS_DIRECTORY": str(credentials)})
    daemon.wait_ready()

    def tokens() -> set[str]:
        return {dict(request["headers"]).get("Authorization", "") for request in receiver.requests()}

    eventually(lambda: tokens() == {"Bearer hunter2-file", "Bearer hunter2-credential"}, "both deliver", 20)
    assert {dict(request["headers"])["X-Site"] for request in receiver.requests()} == {"hunter2-site"}
    assert "hunter2" not in everything_shown(daemon, run_leat, "file", "credential")
    (tmp_path / "token").write_text("hunter2-new\n")
    assert ask(daemon, "/api/v1/pipelines/file/restart", "POST", body="{}").status == 200
    eventually(lambda: "Bearer hunter2-new" in tokens(), "a restart reads it again", 20)


def test_secrets_that_are_missing_or_wrong_do_not_show(daemon, run_leat, receiver, tmp_path):
    (tmp_path / "token").write_text("hunter2\nwith a second line\n")
    daemon.add("missing", secret_pipeline(receiver.url, "${env:NOT_THERE}"))
    daemon.add("wrong", secret_pipeline(receiver.url, f"${{file:{tmp_path}/token}}"))
    literal = secret_pipeline(receiver.url, "hunter2-literal").replace("'format' = 'json'", "'fromat' = 'json', 'token2' = 'hunter2-typo'")  # fmt: skip
    daemon.add("literal", literal.replace(", 'token'", "\n, 'password' = 'hunter2-word', 'token'"))
    daemon.launch(env={**os.environ, "SITE": "north"})
    daemon.wait_ready()
    states = {name: daemon.pipeline(name) for name in ("missing", "wrong", "literal")}
    assert {status["state"] for status in states.values()} == {"failed"}, states
    assert "has no variable 'NOT_THERE'" in states["missing"]["error"]
    assert "has a control character in it" in states["wrong"]["error"]
    assert "'token2' = '***'" in states["literal"]["error"], states["literal"]["error"]
    assert "hunter2" not in everything_shown(daemon, run_leat, "missing", "wrong", "literal")


def test_a_placeholder_is_for_secrets(run_leat, tmp_path):
    file = tmp_path / "p.sql"
    file.write_text(secret_pipeline("${env:URL}", "${evn:TOKEN}"))
    checked = run_leat("check", file)
    assert checked.returncode == 78
    assert "option 'url' takes no placeholder: it is no secret" in checked.stderr
    assert "there is no '${evn:…}' (did you mean 'env'?)" in checked.stderr


@pytest.mark.timed
def test_a_daemon_under_attack_ends_when_asked(daemon):
    daemon.start()
    begin = time.monotonic()
    slow = [socket.create_connection(address(daemon), timeout=10) for _ in range(40)]
    for connection in slow:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
    daemon.running.send(signal.SIGTERM)
    assert daemon.running.process.wait(10) == 0
    assert time.monotonic() - begin < 8
    daemon.running = None
    for connection in slow:
        connection.close()
