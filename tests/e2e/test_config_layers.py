"""Where the configuration comes from: file, drop-ins, environment, --set; and what is in force."""

import json
import os
import tomllib

from leat import run


def shown(run_leat, *arguments, **options) -> dict:
    done = run_leat("config", "show", "--json", *arguments, **options)
    assert done.returncode == 0, done.stderr
    return {key["key"]: key for key in json.loads(done.stdout)["keys"]}


def test_each_key_tells_its_value_and_where_that_comes_from(run_leat, tmp_path):
    file = tmp_path / "leat.toml"
    file.write_text('data_dir = "/file"\n\n[log]\nlevel = "warn"\n[api]\nnames = ["a.example", "b"]\n')
    (tmp_path / "leat.d").mkdir()
    (tmp_path / "leat.d" / "10-site.toml").write_text('[gateway]\nid = "mill-1"\n')
    environment = {**os.environ, "LEAT_LOG__LEVEL": "error", "LEAT_TOKEN": "x", "LEAT_SERVICE_HOST": "10.0.0.1"}
    keys = shown(run_leat, "--config", file, "--set", "api.listen=127.0.0.1:1", env=environment)
    assert (keys["data_dir"]["value"], keys["data_dir"]["place"]) == ("/file", f"{file}:1:1")
    assert keys["gateway.id"]["place"] == f"{tmp_path}/leat.d/10-site.toml:2:1"
    assert (keys["log.level"]["value"], keys["log.level"]["origin"]) == ("error", "environment")
    assert keys["log.level"]["place"] == "environment variable LEAT_LOG__LEVEL"
    assert (keys["api.listen"]["value"], keys["api.listen"]["place"]) == ("127.0.0.1:1", "--set api.listen")
    assert keys["api.names"]["value"] == ["a.example", "b"]
    assert (keys["stop_timeout"]["value"], keys["stop_timeout"]["origin"]) == ("20 s", "default")
    assert keys["store.max_bytes"]["value"] is None


def test_what_is_shown_is_a_file_that_says_the_same(run_leat, tmp_path):
    file = tmp_path / "leat.toml"
    file.write_text('[api]\nnames = ["a.example"]\n[store]\nmax_bytes = "2 gb"\n')
    text = run_leat("config", "show", "--config", file).stdout
    assert tomllib.loads(text)["store"]["max_bytes"] == "2 gb"
    again = tmp_path / "again.toml"
    again.write_text(text)
    first, second = shown(run_leat, "--config", file), shown(run_leat, "--config", again)
    assert {k: v["value"] for k, v in first.items()} == {k: v["value"] for k, v in second.items()}


def test_what_is_wrong_is_named_with_its_place_and_nothing_runs(leat, tmp_path):
    file = tmp_path / "leat.toml"
    file.write_text("data_dri = 'x'\n")
    environment = {**os.environ, "LEAT_API_LISTEN": "127.0.0.1:1"}
    for verb in (("serve",), ("config", "show"), ("config", "check")):
        done = run(leat, *verb, "--config", file, "--set", "log.levle=debug", env=environment)
        assert done.returncode == 78, verb
        assert f"{file}:1:1: unknown option 'data_dri' (did you mean 'data_dir'?)" in done.stderr
        assert "environment variable LEAT_API_LISTEN" in done.stderr and "'LEAT_API__LISTEN'" in done.stderr
        assert "--set log.levle: unknown option 'log.levle' (did you mean 'log.level'?)" in done.stderr


def test_a_check_of_the_file_reads_what_the_daemon_would_read(run_leat, tmp_path):
    file = tmp_path / "leat.toml"
    file.write_text("")
    assert run_leat("check", file).returncode == 0
    wrong = run_leat("check", file, "--set", "api.listen=0.0.0.0")
    assert wrong.returncode == 78 and "--set api.listen" in wrong.stderr
    (tmp_path / "leat.d").mkdir()
    (tmp_path / "leat.d" / "a.toml").write_text('[log]\nlevel = "loud"\n')
    wrong = run_leat("check", file)
    assert wrong.returncode == 78 and "leat.d/a.toml:2:1: log.level" in wrong.stderr
    pipeline = tmp_path / "a.sql"
    pipeline.write_text("SELECT 1;")
    assert run_leat("check", pipeline, "--set", "log.level=debug").returncode == 2


def test_the_daemon_runs_on_environment_and_options_alone(daemon, leat, tmp_path):
    """No file at all: one line says which defaults are in force. The daemon's own client finds it the same way."""
    if os.path.exists("/etc/leat/leat.toml"):
        return  # The defaults are those of an installed daemon.
    (tmp_path / "pipelines").mkdir()
    environment = {**os.environ, "LEAT_DATA_DIR": str(tmp_path / "data"), "LEAT_API__SOCKET": str(tmp_path / "s")}
    options = ["--set", "api.listen=127.0.0.1:0", "--set", f"pipelines_dir={tmp_path}/pipelines"]
    daemon.arguments = ["serve", *options]
    daemon.launch(env=environment)
    daemon.wait_ready()
    lines = [line for line in daemon.log().splitlines() if "the defaults are in force" in line]
    assert len(lines) == 1 and "file=/etc/leat/leat.toml" in lines[0] and f"data_dir={tmp_path}/data" in lines[0]
    status = run(leat, "status", env=environment)
    assert status.returncode == 0 and f"unix:{tmp_path}/s" in status.stdout, status.stderr
