"""The http sink against real servers: nginx with TLS and limits, a proxy, tokens by OAuth 2.0."""

import base64
import http.server
import json
import shutil
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from certificates import Authority
from nginx import Nginx
from pipeline_text import often, with_options
from ports import free_port
from processes import eventually
from test_far_side import sink
from tinyproxy import Tinyproxy

ROWS = 200


def rows(first: int, last: int) -> str:
    return "".join(f'{{"seq": {seq}}}\n' for seq in range(first, last))


class Upstream:
    """A file that is followed, and its rows by http to wherever `options` say."""

    def __init__(self, daemon, folder, url: str, **options):
        self.daemon = daemon
        self.path = folder / "rows.jsonl"
        self.path.write_text("")
        self.written = 0
        source = {"connector": "filesystem", "path": self.path, "format": "json", "source.monitor-interval": "20 ms"}
        # A dot of an option's name is written as two underscores, a dash as one.
        more = {name.replace("__", ".").replace("_", "-"): value for name, value in options.items()}
        target = {
            "connector": "http",
            "url": f"{url}/rows",
            "format": "json",
            "body": "json-lines",
            "compression": "gzip",
            "sink.batch.max-rows": 20,
            "sink.retry.initial-backoff": "20 ms",
            "sink.retry.max-backoff": "200 ms",
            **more,
        }
        daemon.add(
            "rows",
            often()
            + f"CREATE TABLE file_rows (seq BIGINT) {with_options(source)};\n"
            + f"CREATE TABLE upstream (seq BIGINT) {with_options(target)};\n"
            + "INSERT INTO upstream SELECT seq FROM file_rows;\n",
        )

    def write(self, count: int = ROWS) -> None:
        with open(self.path, "a") as file:
            file.write(rows(self.written, self.written + count))
        self.written += count

    def settle(self, receiver) -> dict:
        """All that was written has arrived, once and in order."""

        def settled():
            records = sink(self.daemon)["records"]
            return records.get("delivered") == self.written and records["waiting"] == 0

        eventually(settled, "all is delivered", 60)
        assert [row["seq"] for row in receiver.rows("/rows")] == list(range(self.written))
        return sink(self.daemon)["delivery"]

    def delivery(self) -> dict:
        return sink(self.daemon)["delivery"] or {}

    def paused_for(self, words: str) -> None:
        eventually(lambda: self.delivery().get("state") == "paused" and words in self.delivery()["last_error"], words)


@pytest.fixture
def nginx(tmp_path):
    """Starts one in front of an upstream: nginx(receiver, server lines, …)."""
    started = []

    def start(receiver, server=(), **options) -> Nginx:
        one = Nginx(tmp_path / "nginx", [*server, f"location / {{ proxy_pass {receiver.url}; }}"], **options)
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()


def test_a_renewed_client_certificate_counts_without_a_restart_and_a_retry(daemon, receiver, nginx, tmp_path):
    authority = Authority(tmp_path / "tls", "authority")
    server_key, server_certificate = authority.sign("server", 1)
    key, certificate = tmp_path / "client.key", tmp_path / "client.pem"

    def renew(serial: int) -> None:
        for new, path in zip(authority.sign("client", serial), (key, certificate)):
            staged = path.with_suffix(".new")
            shutil.copy(new, staged)
            staged.rename(path)

    renew(0x11)
    server = [
        f"ssl_certificate {server_certificate}; ssl_certificate_key {server_key};",
        f"ssl_client_certificate {authority.certificate}; ssl_verify_client on; keepalive_requests 3;",
    ]
    front = nginx(receiver, server, tls=True, log="$ssl_client_serial $connection $status")
    tls = {"tls__ca_file": authority.certificate, "tls__certificate_file": certificate, "tls__key_file": key}
    upstream = Upstream(daemon, tmp_path, front.url, **tls)
    daemon.start()
    upstream.write()
    upstream.settle(receiver)
    requests = [line.split() for line in front.lines()]
    assert {serial for serial, _, _ in requests} == {"11"} and len({connection for _, connection, _ in requests}) >= 3
    renew(0x22)
    upstream.write()
    assert upstream.settle(receiver)["retries"] == 0
    later = [line.split()[0] for line in front.lines()[len(requests) :]]
    assert set(later) == {"22"}


def test_limits_of_nginx_lose_nothing_and_bury_nothing(daemon, receiver, nginx, tmp_path):
    limits = ["client_max_body_size 120; limit_req zone=few burst=2 nodelay; limit_req_status 429;"]
    zone = ["limit_req_zone $server_port zone=few:1m rate=40r/s;"]
    front = nginx(receiver, limits, http=zone)
    upstream = Upstream(daemon, tmp_path, front.url, compression="none")
    daemon.start()
    upstream.write()
    assert upstream.settle(receiver)["retries"] > 0
    assert {"413", "429", "200"} <= set(front.lines())
    assert daemon.ask("/api/v1/dead-letters").json()["totals"]["letters"] == 0


class TokenServer(http.server.ThreadingHTTPServer):
    """Grants token-1, token-2, … to the client 'gateway' with the secret 's3:cr t'."""

    def __init__(self, port: int = 0, lifetime: int = 3600):
        super().__init__(("127.0.0.1", port), Granting)
        self.lifetime = lifetime
        self.granted = 0
        self.forms: list[dict] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/token"


class Granting(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.server.forms.append(form)
        basic = self.headers.get("Authorization", "")
        if basic:
            words = base64.b64decode(basic.split()[1]).decode().split(":", 1)
            credentials = [urllib.parse.unquote_plus(word) for word in words]
        else:
            credentials = [form.get("client_id"), form.get("client_secret")]
        good = credentials == ["gateway", "s3:cr t"] and form["grant_type"] == "client_credentials"
        answer: dict = {"error": "invalid_client", "error_description": "nobody by that name"}
        if good:
            self.server.granted += 1
            answer = {"access_token": f"token-{self.server.granted}", "token_type": "Bearer", "expires_in": self.server.lifetime}
        body = json.dumps(answer).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture
def tokens():
    server = TokenServer()
    yield server
    server.shutdown()
    server.server_close()


def taking(token: str) -> list[str]:
    """Lines of nginx that let nobody else in."""
    return [f'if ($http_authorization !~ "^Bearer {token}$") {{ return 401; }}']


def by_oauth(tokens, secret: str = "s3:cr t", **more) -> dict:
    return {"oauth2__token_url": tokens.url, "oauth2__client_id": "gateway", "oauth2__client_secret": secret, **more}


def test_a_bearer_token_opens_the_door(daemon, receiver, nginx, tmp_path):
    front = nginx(receiver, taking("right"))
    upstream = Upstream(daemon, tmp_path, front.url, token="right")
    daemon.start()
    upstream.write()
    upstream.settle(receiver)


@pytest.mark.parametrize("credentials", ["header", "body"])
def test_a_granted_token_is_used_until_it_is_revoked(daemon, receiver, nginx, tokens, tmp_path, credentials):
    front = nginx(receiver, taking("token-1"))
    more = {"oauth2__credentials": credentials, "oauth2__scope": "rows.write", "oauth2__audience": "https://mill"}
    upstream = Upstream(daemon, tmp_path, front.url, **by_oauth(tokens, **more))
    daemon.start()
    upstream.write()
    upstream.settle(receiver)
    assert tokens.granted == 1 and tokens.forms[0]["scope"] == "rows.write" and tokens.forms[0]["audience"] == "https://mill"
    assert ("client_secret" in tokens.forms[0]) == (credentials == "body")
    front.reconfigure([*taking("token-2"), f"location / {{ proxy_pass {receiver.url}; }}"])
    eventually(lambda: "401" in [asked(front, "token-1")], "the first token is revoked")
    upstream.write()
    assert upstream.settle(receiver)["retries"] == 0 and tokens.granted == 2
    log = daemon.log()
    assert "s3:cr" not in log and "token-1" not in log and "s3:cr" not in daemon.ask("/api/v1/pipelines/rows").text


def asked(front: Nginx, token: str) -> str:
    request = urllib.request.Request(front.url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as refused:
        return str(refused.code)


def test_a_token_that_expires_is_asked_for_again(daemon, receiver, nginx, tmp_path):
    short = TokenServer(lifetime=0)
    try:
        front = nginx(receiver, taking("token-[0-9]+"))
        upstream = Upstream(daemon, tmp_path, front.url, **by_oauth(short))
        daemon.start()
        upstream.write()
        assert upstream.settle(receiver)["retries"] == 0
        assert short.granted == len(front.lines()) >= ROWS / 20
    finally:
        short.shutdown()
        short.server_close()


def test_a_token_endpoint_that_is_away_or_refuses_is_told_and_nothing_is_lost(daemon, receiver, nginx, tokens, tmp_path):
    front = nginx(receiver, taking("token-1"))
    port = free_port()
    away = {**by_oauth(tokens), "oauth2__token_url": f"http://127.0.0.1:{port}/token"}
    upstream = Upstream(daemon, tmp_path, front.url, **away)
    daemon.start()
    upstream.write()
    words = f"the token endpoint http://127.0.0.1:{port}"
    eventually(lambda: words in upstream.delivery().get("last_error", ""), "it is named")
    assert upstream.delivery()["state"] != "paused", "it may come"
    back = TokenServer(port)
    upstream.settle(receiver)
    back.shutdown()
    back.server_close()


def test_a_wrong_secret_pauses_the_sink_and_says_what_the_server_says(daemon, receiver, nginx, tokens, tmp_path):
    front = nginx(receiver, taking("token-1"))
    upstream = Upstream(daemon, tmp_path, front.url, **by_oauth(tokens, secret="wrong"))
    daemon.start()
    upstream.write()
    upstream.paused_for("answered 401: invalid_client: nobody by that name")
    assert sink(daemon)["records"]["waiting"] == ROWS


@pytest.fixture
def proxy(tmp_path):
    one = Tinyproxy(tmp_path / "proxy", user="leat", password="pr0xy")
    yield one
    one.stop()


def by_proxy(proxy, password: str = "pr0xy") -> dict:
    return {"proxy__url": proxy.url, "proxy__user": "leat", "proxy__password": password}


def test_a_proxy_is_gone_through(daemon, receiver, proxy, tmp_path):
    upstream = Upstream(daemon, tmp_path, receiver.url, **by_proxy(proxy))
    daemon.start()
    upstream.write()
    upstream.settle(receiver)
    assert f"POST {receiver.url}/rows" in proxy.requests()[0]


def test_tls_goes_through_a_proxy_as_a_tunnel(daemon, receiver, nginx, proxy, tmp_path):
    authority = Authority(tmp_path / "tls", "authority")
    key, certificate = authority.sign("server", 1)
    front = nginx(receiver, [f"ssl_certificate {certificate}; ssl_certificate_key {key};"], tls=True)
    upstream = Upstream(daemon, tmp_path, front.url, tls__ca_file=authority.certificate, **by_proxy(proxy))
    daemon.start()
    upstream.write()
    upstream.settle(receiver)
    assert all(f"CONNECT 127.0.0.1:{front.port}" in each for each in proxy.requests())


@pytest.mark.parametrize("tls", [False, True])
def test_a_proxy_that_refuses_or_is_away_is_named(daemon, receiver, nginx, proxy, tmp_path, tls):
    authority = Authority(tmp_path / "tls", "authority")
    key, certificate = authority.sign("server", 1)
    front = nginx(receiver, [f"ssl_certificate {certificate}; ssl_certificate_key {key};"] if tls else [], tls=tls)
    ca = {"tls__ca_file": authority.certificate}
    upstream = Upstream(daemon, tmp_path, front.url, **ca, **by_proxy(proxy, "wrong"))
    daemon.start()
    upstream.write()
    by = f"by the proxy 127.0.0.1:{proxy.port}"
    if tls:
        upstream.paused_for(f"{by}: it answered 401")
    else:
        # It closes before it has read the request, which takes its answer along.
        eventually(lambda: by in upstream.delivery().get("last_error", ""), "it is named")
    proxy.stop()
    words = f"{by}: no connection: nobody listens on port {proxy.port}"
    eventually(lambda: words in upstream.delivery()["last_error"], "it is away")
    assert sink(daemon)["records"]["waiting"] == ROWS
