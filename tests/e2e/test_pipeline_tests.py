"""`leat test` and `leat run --clock event`: pipelines over files, by the clock of their rows."""

import shutil

import pytest
from conftest import ROOT

TESTS = ROOT / "pipelines" / "examples" / "tests"
COUNT = len(list(TESTS.iterdir()))


@pytest.fixture
def tests(tmp_path):
    """The examples with their tests, to be spoilt."""
    shutil.copytree(TESTS.parent, tmp_path / "examples")
    return tmp_path / "examples" / "tests"


def test_the_examples_pass_their_tests(run_leat):
    done = run_leat("test", TESTS)
    assert done.returncode == 0 and done.stdout.endswith(f"{COUNT} passed, 0 failed\n"), done.stdout


def test_a_difference_is_shown_and_fails(run_leat, tests):
    expected = tests / "machine-windows" / "expected" / "upstream.txt"
    expected.write_text(expected.read_text().replace("41.0", "40.0"))
    done = run_leat("test", tests)
    assert done.returncode == 1 and done.stdout.endswith(f"{COUNT - 1} passed, 1 failed\n")
    assert "FAILED" in done.stdout and "    - +I[cut, saw" in done.stdout and "    + +I[cut, saw" in done.stdout


def test_what_comes_out_can_become_what_is_expected(run_leat, tests):
    shutil.rmtree(tests / "hot-bearings" / "expected")
    assert run_leat("test", tests).returncode == 1
    assert run_leat("test", "--update", tests).returncode == 0
    assert run_leat("test", tests).returncode == 0


def test_a_pipeline_that_cannot_be_planned_fails_with_its_message(run_leat, tests):
    pipeline = tests.parent / "hot-bearings.sql"
    pipeline.write_text(pipeline.read_text().replace("AVG(vibration) >", "AVG(vibrations) >"))
    done = run_leat("test", tests)
    assert done.returncode == 1 and "(did you mean 'vibration'?)" in done.stdout


def test_a_folder_without_tests_is_wrong_usage(run_leat, tmp_path):
    done = run_leat("test", tmp_path)
    assert done.returncode == 2 and "there is no test at or below it" in done.stderr


def test_what_csv_would_lose_is_not_compared_as_csv(run_leat, tmp_path):
    (tmp_path / "p.sql").write_text(
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json');\n"
        "CREATE TABLE o (m MAP<STRING, INT>) WITH ('connector' = 'print');\n"
        "INSERT INTO o SELECT MAP['k', a] FROM t;\n"
    )
    for folder, name, text in (("input", "t.jsonl", '{"a": 1}\n'), ("expected", "o.csv", "k;1\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    done = run_leat("test", tmp_path)
    assert done.returncode == 1, done.stdout
    assert "cannot hold column 'm'" in done.stdout and "a .jsonl or a .txt file" in done.stdout
    (tmp_path / "expected" / "o.csv").unlink()
    (tmp_path / "expected" / "o.jsonl").write_text('{"m":{"k":1}}\n')
    assert run_leat("test", tmp_path).returncode == 0


REPLAYED = """
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE readings (device STRING, ts TIMESTAMP(3), seen AS PROCTIME(), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TUMBLE(TABLE readings, DESCRIPTOR(seen), INTERVAL '10' SECOND)
GROUP BY window_start, window_end;
"""


def test_a_replay_by_the_rows_clock_gives_the_windows_of_their_time(run_leat, tmp_path):
    path = tmp_path / "readings.jsonl"
    path.write_text("".join(f'{{"device": "a", "ts": "2026-01-01 00:00:{s:02}"}}\n' for s in (1, 2, 11, 35)))
    done = run_leat("run", "--clock", "event", "--output", "csv", "-e", REPLAYED.format(path=path))
    assert done.stdout.splitlines() == [
        '"2026-01-01 00:00:00",2',
        '"2026-01-01 00:00:10",1',
        '"2026-01-01 00:00:30",1',
    ], done.stderr


def test_the_rows_clock_is_for_inputs_that_end(run_leat):
    endless = (
        "CREATE TABLE t (a INT) WITH ('connector' = 'datagen'); "
        "CREATE TABLE o (a INT) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT a FROM t;"
    )
    done = run_leat("run", "--clock", "event", "-e", endless)
    assert done.returncode == 1 and "'t' does not" in done.stderr
