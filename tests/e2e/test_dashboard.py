"""The dashboard in a real Chromium: every page, by mouse, by keyboard and on a phone.

Screenshots of the run are in `screens` beside the binary; packaging/docs/screenshots takes those of the documentation
from there.
"""

import datetime
import gzip
import json
import os
import pathlib
import re
import urllib.request

import browser as browsers
import pytest
from pipeline_text import often, with_options
from processes import eventually
from tcp_proxy import TcpProxy

PHONE = {"viewport": {"width": 390, "height": 844}, "isMobile": True, "hasTouch": True}
PAGES = (
    *("#/", "#/pipelines", "#/pipelines/plant", "#/tables", "#/tables/judged"),
    *("#/dead-letters", "#/editor", "#/logs"),
)
MOST_BYTES = 200 * 1024
BEGIN = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(minutes=2)
HOT = 90
BROKEN = """\
CREATE TABLE t (a INT) WITH ('connector' = 'datagen');
CREATE TABLE o (a INT) WITH ('connector' = 'blackhole');
INSERT INTO o SELECT b FROM t;
"""
COUNTS = """\
CREATE TABLE t (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50', 'fields.n.kind' = 'sequence',
  'fields.n.start' = '1', 'fields.n.end' = '1000000');
CREATE TABLE counts (tens BIGINT, n BIGINT, PRIMARY KEY (tens) NOT ENFORCED) WITH ('connector' = 'sqlite');
INSERT INTO counts SELECT MOD(n, 10), COUNT(*) FROM t GROUP BY MOD(n, 10);
"""


def plant(broker_url: str, receiver_url: str) -> str:
    """Readings into a local table, with what is too hot marked, and upstream."""
    source = with_options({"connector": "mqtt", "url": broker_url, "topic": "plant/#", "format": "json", "qos": 1})
    sink = with_options({"connector": "http", "url": f"{receiver_url}/rows", "format": "json"})
    columns = "machine STRING, ts TIMESTAMP(3), temperature DOUBLE"
    return (
        often()
        + f"CREATE TABLE readings ({columns}, WATERMARK FOR ts AS ts) {source};\n"
        + f"CREATE TABLE judged ({columns}, is_anomaly BOOLEAN) WITH ('connector' = 'sqlite');\n"
        + f"CREATE TABLE upstream ({columns}) {sink};\n"
        + f"INSERT INTO judged SELECT machine, ts, temperature, temperature > {HOT} FROM readings;\n"
        + "INSERT INTO upstream SELECT machine, ts, temperature FROM readings WHERE temperature > 50;\n"
    )


def at(second: int) -> str:
    """The time of a reading."""
    return (BEGIN + datetime.timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S")


class Plant:
    """Two machines, a reading a second of each; every tenth of press-2 is too hot."""

    def __init__(self, publisher):
        self.publisher = publisher
        self.seconds = 0

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            hot = HOT + 5 if self.seconds % 10 == 9 else 60
            for machine, temperature in (("press-1", 40 + self.seconds % 7), ("press-2", hot)):
                reading = {"machine": machine, "ts": at(self.seconds), "temperature": temperature}
                self.publisher.send(f"plant/{machine}", json.dumps(reading))
            self.seconds += 1
        self.publisher.flush()

    def spoil(self, payload: str) -> None:
        self.publisher.send("plant/press-9", payload)
        self.publisher.flush()


@pytest.fixture(scope="session")
def folder(leat) -> pathlib.Path:
    """Of the build: what is installed and shown lies beside the binary."""
    return leat.parent


@pytest.fixture(scope="session")
def chromium(folder, tmp_path_factory):
    missing = browsers.missing()
    if missing and not os.environ.get("CI"):
        pytest.skip(missing)
    assert not missing, missing
    chromium = browsers.Browser(browsers.install(folder / "browser"), tmp_path_factory.mktemp("browser") / "log")
    yield chromium
    chromium.close()


@pytest.fixture
def open_page(chromium, daemon):
    """`open_page("#/tables")`: a fresh browser at this page. At the end nothing may have been thrown or refused."""
    pages = []

    def open_it(path: str = "", url: str = "", script: str = "", **options):
        page = chromium.open(**options)
        pages.append(page)
        if script:
            page.add_init_script({"content": script})
        page.goto(f"{url or daemon.url}/{path}")
        return page

    yield open_it
    if pages:
        assert pages[-1].complaints() == []


@pytest.fixture
def screen(folder):
    """`screen(page, "overview")`: a picture of what is seen now."""

    def take(page, name: str) -> None:
        (folder / "screens").mkdir(exist_ok=True)
        page.screenshot({"path": str(folder / "screens" / f"{name}.png")})

    return take


@pytest.fixture
def machines(broker, publisher, receiver, daemon):
    """A running daemon with a pipeline that has worked a while."""
    daemon.add("plant", plant(broker.url, receiver.url))
    daemon.start().wait_connected("plant")
    if daemon.ask("/").text.startswith("This build"):
        assert not os.environ.get("CI"), "this build has no dashboard"
        pytest.skip("this build has no dashboard")
    machines = Plant(publisher)
    machines.run(40)
    daemon.wait_received("plant", 80)
    daemon.wait_delivered()
    return machines


def sees(page, selector: str, text: str, seconds: float = 20) -> None:
    """Until what `selector` finds has the text, in whatever lines and case a style shows it."""

    def shown() -> bool:
        return text.lower() in " ".join(" ".join(page.evaluate(texts_of(selector))).split()).lower()

    eventually(shown, f"'{text}' in {selector}", seconds)


def texts_of(selector: str) -> str:
    return f"[...document.querySelectorAll({json.dumps(selector)})].map((each) => each.innerText ?? each.textContent)"


def number_in(page, selector: str) -> int:
    found = re.search(r"[\d,]+", page.text(selector))
    return int(found[0].replace(",", "")) if found else 0


def fetch(url: str, **headers: str):
    request = urllib.request.Request(url, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as other:
        return other


def put(url: str, body: dict) -> int:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="PUT")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.status


def test_the_files_are_small_kept_by_browsers_and_allow_no_other_script(machines, daemon):
    page = fetch(daemon.url + "/", **{"Accept-Encoding": "gzip"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Encoding"] == "gzip" and page.headers["Cache-Control"] == "no-cache"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    packed = page.read()
    text = gzip.decompress(packed).decode()
    assert fetch(daemon.url + "/").read().decode() == text
    assert not re.search(r"<script(?![^>]*src=)|<style|style=|//[a-z]", text)
    total = len(packed)
    for path in re.findall(r'"\./(assets/[^"]+)"', text):
        file = fetch(f"{daemon.url}/{path}", **{"Accept-Encoding": "gzip, br"})
        body = file.read()
        total += len(body)
        assert file.headers["Content-Encoding"] == "gzip" and "immutable" in file.headers["Cache-Control"]
        assert gzip.decompress(body) == fetch(f"{daemon.url}/{path}").read()
        again = fetch(f"{daemon.url}/{path}", **{"If-None-Match": file.headers["ETag"]})
        assert (again.status, again.read()) == (304, b"")
    assert 20_000 < total <= MOST_BYTES
    assert fetch(daemon.url + "/assets/other.js").status == 404


def test_the_overview_tells_health_rates_and_that_all_adds_up(machines, daemon, open_page, screen):
    daemon.add("broken", BROKEN)
    machines.spoil("no json")
    page = open_page()
    sees(page, ".health", "Ready")
    sees(page, ".card", "81 received")
    sees(page, ".card", "80 decoded")
    sees(page, ".card", "1 dead")
    sees(page, ".card", "80 written")
    sees(page, ".card", "delivered")
    assert set(page.evaluate(texts_of(".sum"))) == {"adds up"}
    sees(page, "[aria-label='Watermark lag'] td", at(39))
    sees(page, "[aria-label=Outbox] th", "upstream")
    for _ in range(6):
        machines.run(5)
        page.wait_for_timeout(1000)  # So that there is something to see in the plot.
    sees(page, ".card", "141 received")
    eventually(lambda: number_in(page, "section[aria-label=Rates] dd") > 0, "a rate of messages")
    screen(page, "overview")
    daemon.stop()
    daemon.start()
    page = open_page()
    sees(page, ".health", "Not ready")
    sees(page, "pre.error", "INSERT INTO o SELECT b FROM t;")


def test_a_pipeline_shows_its_plan_its_sql_and_its_error_and_is_steered(machines, daemon, open_page, screen):
    daemon.stop()
    daemon.add("broken", BROKEN)
    daemon.start().wait_connected("plant")
    page = open_page("#/pipelines/plant")
    sees(page, "svg .node", "scan readings")
    sees(page, "svg .node", "sink judged")
    assert page.count("svg .edge") >= 4
    sees(page, ".sql .sql-keyword", "SELECT")
    page.click("role=button[name='Pause']")
    sees(page, "h1 + .state", "paused")
    assert daemon.pipeline("plant")["state"] == "paused"
    page.click("role=button[name='Resume']")
    sees(page, "h1 + .state", "running")
    daemon.wait_connected("plant")
    machines.run(20)
    eventually(lambda: number_in(page, "svg .node .live") > 0, "a rate at an operator")
    screen(page, "pipeline")
    page.click("role=button[name='Restart']")
    sees(page, ".note", "plant is restarted")
    page.goto(f"{daemon.url}/#/pipelines/broken")
    sees(page, "pre.error", "unknown column 'b'")
    lines = page.text("pre.error").splitlines()
    at = next(i for i, line in enumerate(lines) if "INSERT INTO o" in line)
    assert lines[at + 1].index("^") == lines[at].index("b FROM t")


def test_delivery_is_paused_and_goes_on(machines, daemon, open_page):
    page = open_page("#/pipelines/plant")
    page.click("role=button[name='Pause delivery']")
    sees(page, ".note", "upstream is paused")
    sees(page, ".flow .state", "paused")
    assert daemon.outbox()[0]["delivery"]["hold"] == "by user"
    machines.run(10)
    sees(page, ".flow .parts", "10 waiting")
    page.click("role=button[name='Resume delivery']")
    sees(page, ".flow .parts", "50 delivered")
    daemon.wait_delivered()


def test_the_last_rows_of_a_pipeline_come_by_themselves(machines, daemon, open_page):
    page = open_page("#/pipelines/plant")
    page.select_option("section[aria-label='Last rows'] select", "judged")
    sees(page, "section[aria-label='Last rows']", "No row has come yet")
    machines.run(20)
    sees(page, "[aria-label='Last rows of judged'] tbody", "press-2")
    sees(page, "[aria-label='Last rows of judged'] th", "temperature")
    sees(page, "[aria-label='Last rows of judged'] tbody", "+I")
    page.select_option("section[aria-label='Last rows'] select", "")
    eventually(lambda: page.count("[aria-label='Last rows of judged']") == 0, "the rows go")


def test_a_plot_moves_and_marks_anomalies(machines, daemon, open_page, screen):
    page = open_page("#/tables")
    page.click("role=link[name='judged']")
    sees(page, ".marks summary", "4 rows with is_anomaly")
    sees(page, ".marks li", f"{at(39)} · press-2 · 95")
    sees(page, ".legend", "press-1")
    page.wait_for_selector(".plot canvas")
    before = page.evaluate(picture())
    machines.run(30)
    sees(page, ".marks summary", "7 rows with is_anomaly")
    eventually(lambda: page.evaluate(picture()) != before, "another picture")
    assert page.evaluate(f"({red_pixels()})(document.querySelector('.plot canvas'))") > 50
    screen(page, "plot")
    page.select_option("select[name=mark]", "")
    eventually(lambda: page.count(".marks") == 0, "nothing is marked")
    assert "mark=" in page.evaluate("location.hash")
    page.select_option("select[name=by]", "")
    sees(page, ".legend", "temperature")
    page.reload()
    sees(page, ".legend", "temperature")
    sees(page, "[aria-label='Newest rows of judged'] tbody", "press-1")


def test_a_plot_that_was_zoomed_stands_still_until_it_is_let_go(machines, open_page):
    page = open_page("#/tables/judged")
    sees(page, ".marks summary", "4 rows with is_anomaly")
    page.wait_for_selector(".u-over")
    box = page.evaluate("document.querySelector('.u-over').getBoundingClientRect().toJSON()")
    x, y, width = box["x"], box["y"], box["width"]
    page.mouse("move", x + width * 0.4, y + 50)
    page.mouse("down")
    page.mouse("move", x + width * 0.8, y + 50)
    page.mouse("up")
    page.wait_for_selector("role=button[name='Back to live']")
    page.mouse("move", 0, 0)
    zoomed = page.evaluate(picture())
    machines.run(10)
    sees(page, ".marks summary", "5 rows with is_anomaly")
    assert page.evaluate(picture()) == zoomed
    page.click("role=button[name='Back to live']")
    eventually(lambda: page.evaluate(picture()) != zoomed, "it moves again")


def picture() -> str:
    return "document.querySelector('.plot canvas').toDataURL()"


def red_pixels() -> str:
    """How many pixels of a canvas are as red as a mark."""
    return """(canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let red = 0;
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 200 && data[i] > 170 && data[i + 1] < 70 && data[i + 2] < 70) red += 1;
      return red;
    }"""


def test_dead_letters_are_shown_as_text_replayed_and_purged(machines, daemon, open_page, screen):
    evil = "<img src=x onerror=\"document.title='owned'\"> no json"
    for payload in ("no json", evil, "[1]"):
        machines.spoil(payload)
    eventually(lambda: daemon.ask("/api/v1/dead-letters").json()["count"] == 3, "three letters")
    page = open_page("#/dead-letters")
    sees(page, "[aria-label='Dead letters'] tbody", evil)
    screen(page, "dead-letters")
    page.click("role=button[name='2']")
    sees(page, "dialog pre.payload", evil)
    sees(page, "dialog", "plant/press-9")
    page.keyboard("press", "Escape")
    eventually(lambda: page.count("dialog") == 0, "the letter is closed")
    assert page.evaluate("document.title") != "owned"

    page.check("role=checkbox[name='Letter 1']")
    page.click("role=button[name='Replay 1']")
    page.click("dialog >> role=button[name='Replay']")
    sees(page, ".note", "1 replayed, 1 dead again")
    page.click("role=button[name=/Purge/]")
    page.click("dialog >> role=button[name='Cancel']")
    assert daemon.ask("/api/v1/dead-letters").json()["count"] == 3
    page.select_option("label:has-text('Pipeline') select", "plant")
    page.click("role=button[name='Purge all of these']")
    page.click("dialog >> role=button[name='Purge']")
    sees(page, ".note", "3 letters purged")
    sees(page, "main", "There is none")
    assert daemon.ask("/api/v1/dead-letters").json()["count"] == 0


def test_what_is_wrong_is_underlined_while_it_is_typed(machines, daemon, open_page, screen):
    page = open_page("#/editor")
    page.fill("textarea[aria-label=SQL]", BROKEN)
    sees(page, ".problems", "line 3, column 22")
    sees(page, ".problems", "unknown column 'b'")
    eventually(lambda: page.evaluate(texts_of(".paper .wrong")) == ["b"], "the name is underlined")
    screen(page, "editor")
    page.click("role=button[name='line 3, column 22']")
    assert page.evaluate("document.activeElement.selectionStart") == BROKEN.index("b FROM t")
    page.keyboard("type", "a")
    sees(page, "#verdict", "Nothing is wrong")
    assert page.count(".paper .wrong") == 0
    assert page.input_value("textarea[aria-label=SQL]") == BROKEN.replace("b FROM", "a FROM")


def test_a_deployment_with_an_error_is_refused_with_the_caret_and_one_without_runs(machines, daemon, open_page, screen):
    page = open_page("#/editor")
    page.fill("input[name=name]", "counts")
    page.fill("textarea[aria-label=SQL]", COUNTS.replace("GROUP BY MOD(n, 10)", "GROUP BY MOD(m, 10)"))
    page.click("role=button[name='Deploy…']")
    sees(page, "dialog pre.caret", "unknown column 'm'")
    sees(page, "dialog pre.caret", "^")
    screen(page, "deploy-error")
    page.click("dialog >> role=button[name='Close']")
    assert daemon.ask("/api/v1/pipelines/counts").status == 404

    page.fill("textarea[aria-label=SQL]", COUNTS)
    page.click("role=button[name='Deploy…']")
    sees(page, "dialog", "Deploy counts as a new pipeline?")
    page.click("dialog >> role=button[name='Deploy']")
    sees(page, ".note", "counts is deployed")
    sees(page, "h1 + .state", "running")
    eventually(lambda: daemon.pipeline("counts")["state"] == "running", "it runs")


def test_a_deployment_tells_what_starts_anew_before_it_does(machines, daemon, open_page, screen):
    assert put(f"{daemon.url}/api/v1/pipelines/counts", {"sql": COUNTS}) == 201
    eventually(lambda: daemon.pipeline("counts")["last_commit"] > 0, "a commit")
    page = open_page("#/editor?pipeline=counts")
    eventually(lambda: "MOD(n, 10)" in page.input_value("textarea[aria-label=SQL]"), "the pipeline's SQL")
    page.click("role=button[name='Deploy…']")
    sees(page, ".note", "it runs this text already")
    page.fill("textarea[aria-label=SQL]", COUNTS.replace("COUNT(*)", "SUM(n)"))
    page.click("role=button[name='Deploy…']")
    sees(page, "dialog", "Replace counts?")
    sees(page, "dialog", "Starts anew")
    screen(page, "deploy")
    page.click("dialog >> role=button[name='Cancel']")
    assert daemon.pipeline("counts")["version"] == 1
    page.click("role=button[name='Deploy…']")
    page.click("dialog >> role=button[name='Deploy, and start these anew']")
    sees(page, ".note", "counts is deployed, version 2")
    page.click("role=button[name='Remove']")
    page.check("dialog >> text=delete its tables")
    page.click("dialog >> role=button[name='Remove']")
    sees(page, ".note", "counts is removed")
    sees(page, "h1", "Pipelines")
    assert daemon.ask("/api/v1/pipelines/counts").status == 404


def test_a_pipeline_of_a_file_is_not_deployed_over(machines, daemon, open_page):
    page = open_page("#/pipelines/plant")
    sees(page, "h1 ~ .row", "Copy to the editor")
    sees(page, ".facts", "a file")
    assert "version" not in page.text(".facts")
    page.goto(f"{daemon.url}/#/editor?pipeline=plant")
    sees(page, ".told.warn", "is changed there")
    page.click("role=button[name='Deploy…']")
    sees(page, ".note.bad", "change the file")


def test_a_file_that_is_refused_for_its_name_is_not_the_pipeline_that_has_it(machines, daemon, open_page):
    daemon.stop()
    daemon.add("zz", f"SET 'pipeline.name' = 'plant';\n{COUNTS}")
    daemon.start().wait_connected("plant")
    page = open_page("#/pipelines")
    eventually(lambda: page.count("tbody tr") == 1, "one is listed")
    rows = page.evaluate("[...document.querySelectorAll('tbody tr')].map((row) => row.innerText)")
    assert "running" in rows[0] and "refused" in rows[0]
    page.goto(daemon.url)
    sees(page, ".card", "another file's pipeline is named 'plant'")
    listed = daemon.verb("top", "--once")
    assert listed.returncode == 0 and listed.stdout.count("plant") == 1


def test_a_trial_shows_rows_of_pasted_lines_and_touches_nothing(machines, daemon, open_page, screen):
    page = open_page("#/editor?pipeline=plant")
    sees(page, "#verdict", "Nothing is wrong")
    rows = daemon.ask("/api/v1/tables").json()["tables"][0]["rows"]
    page.fill("label:has-text('Lines for readings') textarea", '{"machine": "pasted-1", "ts": "2026-01-02 00:00:00"}')
    page.click("role=button[name='Try']")
    sees(page, "[aria-label='Rows of the trial']", "pasted-1")
    sees(page, "section[aria-label=Trial]", "ended")
    screen(page, "trial")
    page.fill("textarea[aria-label=SQL]", COUNTS)
    eventually(lambda: "ended" not in page.text("section[aria-label=Trial]"), "what was said of the other text goes")
    assert page.count("[aria-label='Rows of the trial']") == 0
    assert daemon.ask("/api/v1/tables").json()["tables"][0]["rows"] == rows


def test_a_plan_is_explained(machines, open_page):
    page = open_page("#/editor")
    page.fill("textarea[aria-label=SQL]", COUNTS)
    page.click("role=button[name='Explain']")
    sees(page, "dialog pre", "scan t")
    page.click("dialog >> role=button[name='Close']")
    page.fill("textarea[aria-label=SQL]", BROKEN)
    page.click("role=button[name='Explain']")
    sees(page, "dialog pre", "unknown column 'b'")
    sees(page, "dialog pre", "^")


def test_the_log_is_read_and_searched(machines, daemon, open_page):
    page = open_page("#/logs")
    sees(page, "ol.log", "ready")
    lines = page.count("ol.log li")
    page.fill("input[type=search]", "ready")
    eventually(lambda: 0 < page.count("ol.log li") < lines, "fewer lines")


def test_a_lost_connection_is_told_and_comes_back_by_itself(machines, daemon, open_page, screen):
    line = TcpProxy(int(daemon.url.rsplit(":", 1)[1]))
    page = open_page(url=f"http://127.0.0.1:{line.port}")
    sees(page, ".card", "80 received")
    line.cut()
    sees(page, "[role=alert]", "No connection to the daemon since")
    sees(page, "[role=alert]", " UTC.")
    sees(page, ".card", "80 received")
    screen(page, "lost")
    machines.run(10)
    line.heal()
    eventually(lambda: page.count("[role=alert]") == 0, "the connection is back", 40)
    sees(page, ".card", "100 received")
    line.close()


@pytest.fixture
def token(run_leat, daemon):
    """`token("read")`: a fresh token, which a running daemon takes a second later."""

    def create(role: str) -> str:
        done = run_leat("token", "create", f"a-{role}", "--role", role, "--json", "--config", daemon.config)
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)["token"]
        eventually(lambda: daemon.ask("/api/v1/pipelines").status == 401, "the daemon asks for a token")
        return made

    return create


def test_a_token_is_asked_for_and_kept_for_this_tab_alone(machines, open_page, token):
    right = token("admin")
    page = open_page()
    sees(page, "dialog", "asks for a token")
    sees(page, ".health", "said to who shows a token")
    assert "Everything runs" not in page.text(".health")
    page.keyboard("press", "Escape")
    page.fill("input[name=token]", "wrong")
    page.keyboard("press", "Enter")
    sees(page, "dialog .error", "token")
    page.fill("input[name=token]", right)
    page.keyboard("press", "Enter")
    sees(page, ".card", "80 received")
    assert page.count("dialog") == 0
    page.reload()
    sees(page, ".card", "80 received")
    assert right not in page.evaluate("JSON.stringify([localStorage, document.cookie])")
    assert page.evaluate("Object.values(sessionStorage)") == [right]
    page.click("role=button[name='Forget token']")
    sees(page, "dialog", "asks for a token")
    assert page.evaluate("sessionStorage.length") == 0


def test_who_may_only_read_sees_all_and_changes_nothing(machines, daemon, open_page, token):
    made = token("read")
    page = open_page("#/pipelines/plant", script=f"sessionStorage.setItem('leat.token', '{made}')")
    sees(page, "svg .node", "scan readings")
    eventually(lambda: page.is_disabled("role=button[name='Pause']"), "it may not pause")
    page.goto(f"{daemon.url}/#/tables/judged")
    sees(page, ".marks summary", "4 rows with is_anomaly")
    page.goto(f"{daemon.url}/#/editor?pipeline=plant")
    sees(page, "#verdict", "Nothing is wrong")
    assert page.is_disabled("role=button[name='Deploy…']")


COUNTING = """
const real = window.fetch;
window.asked = 0;
window.fetch = (...words) => { window.asked += 1; return real(...words); };
window.hide = (hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
};
"""


def test_a_tab_in_the_background_asks_less(machines, open_page):
    page = open_page(script=COUNTING)
    sees(page, ".card", "80 received")

    def asked_within(milliseconds: int) -> int:
        page.evaluate("window.asked = 0")
        page.wait_for_timeout(milliseconds)
        return page.evaluate("window.asked")

    seen = asked_within(5000)
    page.evaluate("hide(true)")
    page.wait_for_timeout(2500)  # What was planned before still comes.
    hidden = asked_within(5000)
    assert seen >= 6 and hidden <= 2
    page.evaluate("window.asked = 0; hide(false)")
    eventually(lambda: page.evaluate("window.asked") >= 3, "all is asked at once", 2)


def test_everything_is_reached_by_keyboard(machines, daemon, open_page):
    page = open_page()
    sees(page, ".card", "80 received")
    focused = "document.activeElement.innerText || document.activeElement.getAttribute('aria-label')"

    def tab_to(name: str) -> None:
        for _ in range(60):
            page.keyboard("press", "Tab")
            if page.evaluate(focused) == name:
                outline = "getComputedStyle(document.activeElement).outlineStyle"
                assert page.evaluate(outline) != "none", f"the focus on {name} is not seen"
                return
        raise AssertionError(f"Tab does not lead to '{name}'")

    page.keyboard("press", "Tab")
    assert page.evaluate(focused) == "Skip to the content"
    page.keyboard("press", "Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.reload()
    sees(page, ".card", "80 received")
    tab_to("Pipelines")
    page.keyboard("press", "Enter")
    sees(page, "h1", "Pipelines")
    eventually(lambda: page.evaluate("document.activeElement.id") == "content", "the focus is on the new page")
    tab_to("plant")
    page.keyboard("press", "Enter")
    sees(page, "h1 + .state", "running")
    tab_to("Pause")
    page.keyboard("press", "Enter")
    sees(page, "h1 + .state", "paused")
    page.goto(f"{daemon.url}/#/editor")
    page.focus("textarea[aria-label=SQL]")
    page.keyboard("press", "Tab")
    assert page.evaluate("document.activeElement.ariaLabel") != "SQL", "Tab does not leave the editor"


VIOLATIONS = """
axe.run({ resultTypes: ["violations"] }).then((result) =>
  result.violations.map((each) => `${each.id}: ${each.help}: ${each.nodes.map((node) => node.html).join(" ")}`),
)
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_people_with_aids_out(machines, daemon, folder, open_page, scheme):
    machines.spoil("no json")
    page = open_page(colorScheme=scheme)
    axe = (folder / "browser" / "node_modules" / "axe-core" / "axe.min.js").read_text()
    page.evaluate(axe + ";0")
    for path in PAGES:
        page.goto(f"{daemon.url}/{path}")
        eventually(lambda: page.count("h1") == 1, f"{path} is there")
        page.wait_for_timeout(500)
        assert page.evaluate(VIOLATIONS) == [], path


def test_every_page_fits_a_phone_and_is_dark_or_light_as_wished(machines, daemon, open_page, screen):
    page = open_page(colorScheme="dark", **PHONE)
    background = "getComputedStyle(document.body).backgroundColor"
    for path in PAGES:
        page.goto(f"{daemon.url}/{path}")
        eventually(lambda: page.count("h1") == 1, f"{path} is there")
        page.wait_for_timeout(300)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} pixels too wide"
        if path == "#/pipelines/plant":
            screen(page, "phone")
    dark = page.evaluate(background)
    page.click("role=button[name=/Colours: auto/]")
    page.click("role=button[name=/Colours: dark/]")
    eventually(lambda: page.evaluate(background) != dark, "it is light")
    page.reload()
    sees(page, ".head", "light")
    assert page.evaluate(background) != dark
