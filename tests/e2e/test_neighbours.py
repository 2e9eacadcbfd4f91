"""Pipelines that want what only one of them can have: told when one is deployed, and when the folder is read again."""

import pytest
from ports import free_port
from test_reload import outcomes, reload
from test_streams import hop


@pytest.fixture
def port() -> int:
    return free_port()


def listening(port: int, path: str) -> str:
    return f"""CREATE TABLE sent (n INT) WITH ('connector' = 'http', 'listen' = '127.0.0.1:{port}', 'path' = '{path}',
      'format' = 'json');
    CREATE TABLE b (n INT) WITH ('connector' = 'blackhole');
    INSERT INTO b SELECT n FROM sent;
    """


def deploy(daemon, tmp_path, name: str, text: str, *options):
    path = tmp_path / f"{name}.sql"
    path.write_text(text)
    return daemon.verb("pipelines", "deploy", path, *options)


def test_a_path_that_another_pipeline_takes_is_not_deployed(daemon, port, tmp_path):
    daemon.add("first", listening(port, "/one"))
    daemon.start()
    for options in (["--dry-run"], []):
        refused = deploy(daemon, tmp_path, "second", listening(port, "/one"), *options)
        assert refused.returncode == 1, refused.stdout
        assert f"'sent' of pipeline 'first' and 'sent' of pipeline 'second' all take /one at 127.0.0.1:{port}" in refused.stderr
    assert daemon.pipeline("second").get("status") == 404
    assert deploy(daemon, tmp_path, "second", listening(port, "/two")).returncode == 0
    # Its own new version may have what it has.
    assert deploy(daemon, tmp_path, "second", listening(port, "/two").replace("n FROM", "n + 1 FROM")).returncode == 0
    assert deploy(daemon, tmp_path, "second", listening(port, "/one")).returncode == 1
    assert daemon.pipeline("second")["version"] == 2 and daemon.pipeline("second")["state"] == "running"


def test_a_circle_of_streams_is_not_closed(daemon, tmp_path):
    daemon.start()
    assert deploy(daemon, tmp_path, "there", hop("cold", "warm")).returncode == 0
    refused = deploy(daemon, tmp_path, "back", hop("warm", "cold"))
    assert refused.returncode == 1 and "each row would go round for ever" in refused.stderr, refused.stderr


def test_a_file_that_wants_what_another_has_is_refused_and_two_may_swap(daemon, port):
    daemon.add("one", listening(port, "/one"))
    daemon.add("two", listening(port, "/two"))
    daemon.start()
    daemon.add("one", listening(port, "/two"))
    for options in (["--dry-run"], []):
        report = reload(daemon, *options, code=78)
        assert outcomes(report) == {"one": "refused", "two": "unchanged"}
        assert "all take /two" in report["files"][0]["error"]
    assert "all take /two" in daemon.pipeline("one")["refused"] and daemon.pipeline("one")["state"] == "running"

    daemon.add("two", listening(port, "/one"))
    swapped = {"one": "replaced", "two": "replaced"}
    assert outcomes(reload(daemon, "--dry-run")) == outcomes(reload(daemon)) == swapped
    assert daemon.ask("/readyz").status == 200


def test_of_two_new_files_the_first_gets_what_both_want(daemon, port):
    daemon.start()
    daemon.add("a", listening(port, "/one"))
    daemon.add("b", listening(port, "/one"))
    dry = reload(daemon, "--dry-run", code=78)
    assert outcomes(dry) == outcomes(reload(daemon, code=78)) == {"a": "started", "b": "refused"}
    (daemon.pipelines / "a.sql").unlink()
    assert outcomes(reload(daemon)) == {"a": "ended", "b": "started"}


def test_streams_are_listed_with_their_ends(daemon, tmp_path):
    daemon.add("there", hop("cold", "warm"))
    daemon.add("on", hop("warm", "hot"))
    daemon.start()
    assert daemon.verb("streams", "list").stdout.splitlines()[0].split()[0] == "STREAM"
    lines = {line.split()[0]: line for line in daemon.verb("streams", "list").stdout.splitlines()}
    assert lines["warm"].endswith("there.warm -> on.warm") and lines["hot"].endswith("on.hot -> nobody")
    shown = daemon.verb("streams", "show", "warm").stdout
    assert "n INT" in shown and "0 written, 0 passed, 0 dropped, 0 unread" in shown
    assert daemon.ask("/api/v1/streams/warm").json()["rows"]["waiting"] == 0
    missing = daemon.verb("streams", "show", "wram")
    assert missing.returncode == 1 and "no pipeline writes or reads a stream 'wram'" in missing.stderr
