"""Requests that Schemathesis makes from the daemon's own OpenAPI document find no answer of 500 and above.

It comes from PyPI, into $LEAT_CACHE or ~/.cache/leat; without it the test is skipped.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from pipeline_text import with_options
from processes import eventually

VERSION = "4.32.5"
SECONDS = 240


@pytest.fixture(scope="session")
def schemathesis(tmp_path_factory) -> pathlib.Path:
    cache = pathlib.Path(os.environ.get("LEAT_CACHE") or pathlib.Path.home() / ".cache" / "leat")
    folder = cache / f"schemathesis-{VERSION}"
    program = folder / "bin" / "st"
    if not program.exists():
        install = [folder / "bin" / "pip", "install", "--quiet", f"schemathesis=={VERSION}"]
        for command in ([sys.executable, "-m", "venv", "--clear", folder], install):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"Schemathesis cannot be fetched: {(done.stdout + done.stderr)[-300:]}")
    return program


def plant(receiver_url: str) -> str:
    """A pipeline that has something of everything: a local table, a sink with a backlog, dead letters."""
    made = {"connector": "datagen", "rows-per-second": 50, "fields.n.kind": "sequence", "fields.n.start": 1}
    made |= {"fields.n.end": 1_000_000}
    out = {"connector": "http", "url": f"{receiver_url}/plant", "format": "json"}
    return (
        f"CREATE TABLE made (n BIGINT) {with_options(made)};\n"
        "CREATE TABLE kept (slot BIGINT, n BIGINT, PRIMARY KEY (slot) NOT ENFORCED) WITH ('connector' = 'sqlite');\n"
        f"CREATE TABLE upstream (n BIGINT) {with_options(out)};\n"
        "INSERT INTO kept SELECT MOD(n, 10), COUNT(*) FROM made GROUP BY MOD(n, 10);\n"
        "INSERT INTO upstream SELECT CAST(IF(MOD(n, 10) = 0, 'ten', CAST(n AS STRING)) AS BIGINT) FROM made;"
    )


NAMES = '[parameters]\npipeline = "plant"\ntable = "kept"\nsink = "upstream"\n'


# With names that are there requests get past the look-up; one that takes the pipeline away would end that.
@pytest.mark.parametrize(
    "names, more", [("", []), (NAMES, ["--exclude-method", "DELETE"])], ids=["any names", "names that are there"]
)
def test_no_request_of_the_document_fails_the_daemon(schemathesis, daemon, receiver, run_leat, tmp_path, names, more):
    receiver.stop()
    daemon.add("plant", plant(receiver.url))
    daemon.start()
    eventually(lambda: daemon.pipeline("plant").get("dead_letters", 0) > 0, "a dead letter")
    made = run_leat("token", "create", "tester", "--role", "admin", "--json", "--config", daemon.config)
    token = json.loads(made.stdout)["token"]
    eventually(lambda: daemon.ask("/api/v1/pipelines").status == 401, "the daemon asks for the token")
    (tmp_path / "schemathesis.toml").write_text(names)
    command = [schemathesis, "--config-file", tmp_path / "schemathesis.toml", "run", f"{daemon.url}/api/v1/openapi.json"]
    command += ["-H", f"Authorization: Bearer {token}", "--checks", "not_a_server_error"]
    # A tail does not end, and the readiness says 503 for what the pipelines are.
    command += ["--exclude-path-regex", "tail|readyz", "--max-examples", "25", "--seed", "7", "--no-color", *more]
    found = subprocess.run(
        list(map(str, command)), cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    print(found.stdout[-3000:])
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    assert daemon.ask("/healthz").status == 200
    counts = re.search(r"(\d+) generated", found.stdout)
    assert counts and int(counts[1]) > 300, found.stdout[-2000:]
