"""Files as sources and sinks: patterns, compression, headers, folders of PARTITIONED BY, and progress on a terminal."""

import gzip
import json
import os
import pathlib
import pty
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time

import folders
import pytest
from pipeline_text import often, with_options
from processes import eventually

SUFFIX = {"none": "", "gzip": ".gz", "zstd": ".zst"}


def expand(path: pathlib.Path) -> str:
    """The text of a file, expanded by the tools that users have."""
    if path.suffix == ".gz":
        return subprocess.run(["gzip", "-dc", path], check=True, capture_output=True, text=True).stdout
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True, text=True).stdout
    return path.read_text()


def table(name: str, columns: str, path: object, form: str = "csv", partitions: str = "", **options: object) -> str:
    keys = {"connector": "filesystem", "path": path, "format": form}
    keys.update({key.replace("__", "."): value for key, value in options.items()})
    by = f"PARTITIONED BY ({partitions}) " if partitions else ""
    return f"CREATE TABLE {name} ({columns}) {by}{with_options(keys)};\n"


def published(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith((".", "_")))


def rows(run_leat, sql: str) -> tuple[list[str], str]:
    done = run_leat("run", "--output", "csv", "-e", sql)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


# ---- sources -------------------------------------------------------------------------------------------------------------


def test_a_pattern_names_the_files_of_a_batch(run_leat, tmp_path):
    for day, line, text in [("2026-01", "line1", "1\n"), ("2026-02", "line2", "2\n"), ("2025-12", "line1", "0\n")]:
        (tmp_path / day / line).mkdir(parents=True)
        (tmp_path / day / line / "a.csv").write_text(text)
        (tmp_path / day / line / "_a.csv").write_text("9\n")
    sql = table("t", "n INT", tmp_path / "2026-*" / "line?" / "*.csv") + "SELECT n FROM t;"
    assert rows(run_leat, sql)[0] == ["1", "2"]
    missing = run_leat("run", "-e", table("t", "n INT", tmp_path / "2027-*" / "*.csv") + "SELECT n FROM t;")
    assert missing.returncode == 1
    assert "2027-*/*.csv: nothing has such a name" in missing.stderr


def test_what_leads_nowhere_does_not_hold_up_what_a_pattern_names(run_leat, tmp_path):
    (tmp_path / "good.csv").write_text("1\n")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    (tmp_path / "gone.csv").symlink_to("nowhere")
    assert rows(run_leat, table("t", "n INT", tmp_path / "*.csv") + "SELECT n FROM t;")[0] == ["1"]


def test_a_rewrite_of_the_same_size_and_time_is_read(daemon, tmp_path):
    source, out = tmp_path / "value", tmp_path / "out"
    source.write_text("11\n")
    before = source.stat()
    daemon.add(
        "follow",
        often("20 ms")
        + table("i", "n INT", source, source__monitor_interval="100 ms").replace("monitor_interval", "monitor-interval")
        + table("o", "n INT", out)
        + "INSERT INTO o SELECT * FROM i;",
    )

    def got() -> str:
        return "".join(folders.texts(out))

    daemon.start()
    eventually(lambda: got() == "11\n", "the first comes")
    with open(source, "r+") as file:
        file.write("12\n")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    eventually(lambda: got() == "11\n12\n", "the second comes")


@pytest.mark.parametrize("tool", [["gzip"], ["zstd", "-q"]], ids=["gzip", "zstd"])
def test_compressed_files_are_read_and_damage_is_told(run_leat, tmp_path, tool):
    (tmp_path / "a.csv").write_text("".join(f"{n}\n" for n in range(100_000)))
    subprocess.run([*tool, tmp_path / "a.csv"], check=True)
    (tmp_path / "a.csv").unlink(missing_ok=True)
    packed = next(tmp_path.glob("a.csv.*"))
    sql = table("t", "n INT", tmp_path / "a.csv.*") + "SELECT COUNT(*) FROM t;"
    batch = "SET 'execution.runtime-mode' = 'batch';\n"
    assert rows(run_leat, batch + sql) == (["100000"], "")
    packed.write_bytes(packed.read_bytes()[:-100])
    got, told = rows(run_leat, batch + sql)
    assert 0 < int(got[0]) < 100_000
    assert f"{packed}: not {tool[0]}: it ends too early (at byte {packed.stat().st_size} of the file)" in told


def test_the_names_in_a_header_find_the_columns(run_leat, tmp_path):
    (tmp_path / "a.csv").write_text("n,unit,device\n1,bar,pump\n")
    (tmp_path / "b.csv").write_text("\ufeffdevice;n\n".replace(";", ","))
    with open(tmp_path / "b.csv", "a") as more:
        more.write("fan,2\n")
    named = table("t", "device STRING, n INT", tmp_path / "*.csv", file__header="names") + "SELECT device, n FROM t;"
    assert rows(run_leat, named)[0] == ["pump,1", "fan,2"]
    for batch_bytes in ("1", "7"):
        done = run_leat("run", "--output", "csv", "--batch-bytes", batch_bytes, "-e", named)
        assert done.stdout.splitlines() == ["pump,1", "fan,2"]
    skipped = table("t", "n INT, unit STRING, device STRING", tmp_path / "a.csv", file__header="skip")
    assert rows(run_leat, skipped + "SELECT device, n FROM t;") == (["pump,1"], "")
    wrong = run_leat("run", "-e", table("t", "n INT", tmp_path, "json", file__header="names") + "SELECT n FROM t;")
    assert wrong.returncode == 78
    assert "files of the format 'json' have no header" in wrong.stderr


def test_folders_give_the_columns_of_partitioned_by(run_leat, tmp_path):
    data = tmp_path / "data"
    for folder, text in [
        ("day=2026-11-29/site=a%2Fb", "1\n2\n"),
        ("day=2026-11-30/site=__DEFAULT_PARTITION__", "3\n"),
        ("day=never/site=c", "4\n"),
    ]:
        (data / folder).mkdir(parents=True)
        (data / folder / "part.csv").write_text(text)
    (data / "stray.csv").write_text("5\n")
    (data / "_SUCCESS").write_text("")
    sql = table("t", "`day` DATE, n INT, site STRING", data, partitions="`day`, site")
    got, told = rows(run_leat, sql + "SELECT n, `day`, site FROM t;")
    assert got == ["1,2026-11-29,a/b", "2,2026-11-29,a/b", "3,2026-11-30,"]
    assert "2 records could not be used" in told
    assert 'day=never/site=c/part.csv: column \'day\' of the folders: expected DATE, found "never"' in told
    assert "stray.csv is in no folder 'day=…'" in told
    assert rows(run_leat, sql + "SELECT n FROM t WHERE `day` = DATE '2026-11-30';")[0] == ["3"]


def test_a_bad_line_is_told_with_its_file(run_leat, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name, text in [("a.csv", "1\n"), ("b.csv", "2\nx\n")]:
        (data / name).write_text(text)
    got, told = rows(run_leat, table("t", "n INT", data) + "SELECT n FROM t;")
    assert got == ["1", "2"]
    assert f"source t (path {data}/b.csv): " in told


def test_a_pipe_is_refused_at_once(run_leat, leat, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for options in ({}, {"source__monitor-interval": "1 s"}):
        sql = table("t", "n INT", tmp_path / "pipe", **options) + "SELECT n FROM t;"
        refused = run_leat("run", "-e", sql, seconds=20)
        assert refused.returncode == 1
        assert f"{tmp_path}/pipe is a pipe, a terminal or a device, which cannot be read again" in refused.stderr
    (tmp_path / "a.csv").write_text("1\n")
    sql = table("t", "n INT", "/dev/stdin") + "SELECT n FROM t;"
    command = [leat, "run", "--output", "csv", "-e", sql]
    piped = subprocess.run(command, input="1\n", capture_output=True, text=True, timeout=20)
    assert piped.returncode == 1 and "/dev/stdin is a pipe" in piped.stderr
    with open(tmp_path / "a.csv") as file:
        assert subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=20).stdout == "1\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_a_batch_ends_with_the_reason_where_it_may_not_read(leat):
    folder = pathlib.Path(tempfile.mkdtemp())  # pytest's own folder is closed to others.
    try:
        folder.chmod(0o755)
        binary = shutil.copy(leat, folder / "leat")
        data = folder / "data"
        (data / "sub").mkdir(parents=True)
        for name in ("a.csv", "b.csv", "sub/c.csv"):
            (data / name).write_text("1\n")

        def read(closed: pathlib.Path) -> None:
            mode = closed.stat().st_mode
            closed.chmod(0)
            command = ["setpriv", "--reuid=65534", "--clear-groups", binary, "run", "-e", table("t", "n INT", data) + "SELECT n FROM t;"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=folder)
            closed.chmod(mode)
            assert done.returncode == 1
            assert f"{closed}: Permission denied" in done.stderr

        read(data / "b.csv")
        read(data / "sub")
    finally:
        shutil.rmtree(folder)


# ---- both ways -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", SUFFIX)
@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_is_written_by_partitions_is_read_again(run_leat, tmp_path, compression, form):
    options = {"compression": compression}
    if form == "csv":
        options["file__header"] = "names"
    columns = "id BIGINT, site STRING, part INT, v DOUBLE"
    source = tmp_path / "in.jsonl"
    sites = ["a", "b/c", "ü", None, "50%", "{x}"]
    want = [{"id": n, "site": sites[n % 6], "part": n % 4, "v": n / 2} for n in range(3000)]
    source.write_text("".join(json.dumps(row) + "\n" for row in want))
    out = tmp_path / "out"
    copy = table("i", columns, source, "json") + table("o", columns, out, form, "site, part", **options)
    done = run_leat("run", "-e", copy + "INSERT INTO o SELECT * FROM i;")
    assert (done.returncode, done.stderr) == (0, "")
    files = published(out)
    partitions = {str(path.parent.relative_to(out)) for path in files}
    assert len(partitions) == 12
    assert "site=b%2Fc/part=1" in partitions and "site=__DEFAULT_PARTITION__/part=3" in partitions
    assert all(path.name.endswith(f".{form}{SUFFIX[compression]}") for path in files)
    if form == "csv":
        assert all(expand(path).startswith("id,v\n") for path in files)
    back = table("t", columns, out, form, "site, part", **(options if compression != "none" else {**options, "compression": "auto"}))
    done = run_leat("run", "--output", "jsonl", "-e", back + "SELECT * FROM t;")
    got = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(got, key=lambda row: row["id"]) == want


def test_what_no_line_can_hold_is_a_dead_letter(run_leat, tmp_path):
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"s": text}) + "\n" for text in ("one", "two\nlines", "")))
    copy = table("i", "s STRING", tmp_path / "in.jsonl", "json")
    done = run_leat("run", "-e", copy + table("o", "s STRING", f"file:{tmp_path}/raw", "raw") + "INSERT INTO o SELECT s FROM i;")
    assert "the end of a line in a value" in done.stderr
    assert [path.read_text() for path in published(tmp_path / "raw")] == ["one\n\n"]
    done = run_leat("run", "-e", copy + table("o", "s STRING", f"file://localhost{tmp_path}/csv") + "INSERT INTO o SELECT s FROM i;")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.read_text() for path in published(tmp_path / "csv")] == ['one\n"two\nlines"\n""\n']
    back = table("t", "s STRING", f"file://{tmp_path}/csv") + "SELECT COUNT(*) FROM t;"
    assert rows(run_leat, "SET 'execution.runtime-mode' = 'batch';\n" + back)[0] == ["3"]


def test_a_success_file_tells_of_whole_files(run_leat, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("1,a\n2,b\n")
    copy = table("i", "n INT, p STRING", source)
    policy = {"sink__partition-commit__policy__kind": "success-file"}
    done = run_leat("run", "-e", copy + table("o", "n INT, p STRING", tmp_path / "out", "csv", "p", **policy) + "INSERT INTO o SELECT * FROM i;")
    assert done.returncode == 0, done.stderr
    assert sorted(p.parent.name for p in (tmp_path / "out").rglob("_SUCCESS")) == ["p=a", "p=b"]
    for key, value in [("trigger", "partition-time"), ("delay", "1 h"), ("policy__kind", "metastore"), ("success-file__name", "..")]:
        wrong = {f"sink__partition-commit__{key}": value}
        refused = run_leat("run", "-e", copy + table("o", "n INT, p STRING", tmp_path / "out", "csv", "p", **wrong) + "INSERT INTO o SELECT * FROM i;")
        assert refused.returncode == 78 and f"sink.partition-commit.{key.replace('__', '.')}" in refused.stderr


class Watcher:
    """Looks at the published files all the time: each must be whole when it is first seen, and never change."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.seen: dict[pathlib.Path, bytes] = {}
        self.wrong: list[str] = []
        self.stopped = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while not self.stopped:
            self.look()
            time.sleep(0.005)

    def look(self) -> None:
        if not self.folder.exists():
            return
        for path in published(self.folder):
            content = path.read_bytes()
            if path not in self.seen:
                self.seen[path] = content
                try:
                    text = expand(path)
                    if not text.startswith("id\n") or not text.endswith("\n"):
                        self.wrong.append(f"{path} is not whole")
                except subprocess.CalledProcessError as error:
                    self.wrong.append(f"{path}: {error}")
            elif self.seen[path] != content:
                self.wrong.append(f"{path} has changed")

    def stop(self) -> list[str]:
        self.stopped = True
        self.thread.join()
        self.look()
        return self.wrong


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_kill_9_while_compressed_partitions_are_written_loses_and_doubles_nothing(daemon, tmp_path, compression):
    count = 60_000
    source, out = tmp_path / "in.csv.gz", tmp_path / "out"
    with gzip.open(source, "wt", compresslevel=1) as file:
        file.writelines(f"{n},{n % 7}\n" for n in range(count))
    daemon.add(
        "copy",
        often("20 ms")
        + table("i", "id BIGINT, part INT", source)
        + table(
            "o", "id BIGINT, part INT", out, "csv", "part", compression=compression, file__header="names",
            **{"sink__rolling-policy__file-size": "4 kb", "sink__max-open-partitions": "5", "sink__batch__max-rows": "300",
               "sink__rate-limit__rows-per-second": "20000"},
        )
        + "INSERT INTO o SELECT * FROM i;",
    )  # fmt: skip
    watcher = Watcher(out)
    chance = random.Random(9)
    kills = 0
    daemon.start()
    for _ in range(6):
        before = len(watcher.seen)
        eventually(lambda before=before: len(watcher.seen) > before or daemon.pipeline("copy").get("state") == "finished", "files come")
        time.sleep(chance.uniform(0, 0.15))
        if daemon.pipeline("copy").get("state") == "finished":
            break
        daemon.kill()
        kills += 1
        daemon.start()
    eventually(lambda: daemon.pipeline("copy").get("state") == "finished", "the pipeline ends", 60)
    assert watcher.stop() == []
    assert kills >= 3
    got = []
    for path in published(out):
        part = int(path.parent.name.removeprefix("part="))
        ids = [int(line) for line in expand(path).splitlines()[1:]]
        assert all(n % 7 == part for n in ids)
        got += ids
    assert sorted(got) == list(range(count))
    assert not list(out.rglob("*.inprogress")), "nothing is left behind"


def followed(folder: pathlib.Path, out: str = "out") -> str:
    """Rows of files are in files at once, and these stay open."""
    folder.joinpath("in").mkdir(exist_ok=True)
    source = table("i", "n INT", folder / "in").replace(");\n", ", 'source.monitor-interval' = '50 ms');\n")
    return often("20 ms") + source + table("o", "n INT", folder / out) + "INSERT INTO o SELECT * FROM i;"


def delivers(daemon, folder: pathlib.Path, file: str, rows: int) -> None:
    """`rows`: in all, with this one."""
    (folder / "in" / file).write_text(f"{rows}\n")
    eventually(lambda: daemon.outbox() and daemon.outbox()[0]["records"]["delivered"] == rows, f"row {rows} is delivered")


def test_what_is_open_is_published_when_the_pipeline_is_taken_away(daemon, tmp_path):
    daemon.add("follow", followed(tmp_path))
    daemon.start()
    delivers(daemon, tmp_path, "a.csv", 1)
    assert published(tmp_path / "out") == []
    (daemon.pipelines / "follow.sql").unlink()
    assert daemon.verb("reload").returncode == 0
    assert [path.read_text() for path in published(tmp_path / "out")] == ["1\n"]
    removed = daemon.verb("pipelines", "remove", "follow", "--purge", "all")
    assert removed.returncode == 0, removed.stderr
    assert list((tmp_path / "out").glob(".leat-*")) == []


def test_a_pipeline_that_comes_back_goes_on_behind_what_was_published(daemon, tmp_path):
    daemon.start()
    for file, rows in [("a.csv", 1), ("b.csv", 2)]:
        daemon.add("follow", followed(tmp_path))
        assert daemon.verb("reload").returncode == 0
        delivers(daemon, tmp_path, file, rows)
        (daemon.pipelines / "follow.sql").unlink()
        assert daemon.verb("reload").returncode == 0
    assert [path.read_text() for path in published(tmp_path / "out")] == ["1\n", "2\n"]


def test_what_is_open_is_published_when_its_table_is_called_otherwise(daemon, tmp_path):
    daemon.add("follow", followed(tmp_path))
    daemon.start()
    delivers(daemon, tmp_path, "a.csv", 1)
    daemon.add("follow", renamed(followed(tmp_path)))
    assert daemon.verb("reload").returncode == 0
    assert [path.read_text() for path in published(tmp_path / "out")] == ["1\n"]


def test_a_new_path_leaves_nothing_hidden_under_the_old_one(daemon, tmp_path):
    daemon.add("follow", followed(tmp_path))
    daemon.start()
    delivers(daemon, tmp_path, "a.csv", 1)
    daemon.add("follow", followed(tmp_path, "other"))
    assert daemon.verb("reload").returncode == 0
    delivers(daemon, tmp_path, "b.csv", 2)
    assert [path.read_text() for path in published(tmp_path / "out")] == ["1\n"]
    assert [path.read_text() for path in (tmp_path / "other").iterdir()] == ["2\n"]


def renamed(text: str) -> str:
    return text.replace("TABLE o ", "TABLE other ").replace("INTO o ", "INTO other ")


@pytest.mark.parametrize("gone", ["pipeline", "table"])
def test_what_is_open_is_published_when_it_went_while_the_daemon_was_stopped(daemon, tmp_path, gone):
    daemon.add("follow", followed(tmp_path))
    daemon.start()
    delivers(daemon, tmp_path, "a.csv", 1)
    daemon.stop()
    assert published(tmp_path / "out") == []
    (daemon.pipelines / "follow.sql").unlink()
    if gone == "table":
        daemon.add("follow", renamed(followed(tmp_path)))
    daemon.start()
    eventually(lambda: [path.read_text() for path in published(tmp_path / "out")] == ["1\n"], "it is published")
    assert not list((tmp_path / "out").glob(".leat-*"))


def test_a_purge_names_what_it_cannot_publish(daemon, tmp_path):
    daemon.add("follow", followed(tmp_path))
    daemon.start()
    delivers(daemon, tmp_path, "a.csv", 1)
    daemon.stop()
    (daemon.pipelines / "follow.sql").unlink()
    (tmp_path / "out").rename(tmp_path / "aside")
    (tmp_path / "out").write_text("in the way")
    daemon.start()

    def left() -> list[str]:
        return [line for line in daemon.ask("/readyz").json()["leftovers"] if "are not published" in line]

    eventually(lambda: any("Not a directory" in line for line in left()), "the file is told among the leftovers")
    removed = daemon.verb("pipelines", "remove", "follow", "--purge", "all")
    assert removed.returncode == 0, removed.stderr
    assert f"{tmp_path}/out/.leat-" in removed.stdout + removed.stderr
    assert left() == []
    assert len(list((tmp_path / "aside").glob(".leat-*"))) == 1


# ---- progress ------------------------------------------------------------------------------------------------------------


def on_terminal(command: list[object], stdout_too: bool, **options) -> tuple[str, str]:
    """Runs a command whose standard error is a terminal; what it wrote there and on standard output."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [str(word) for word in command], stderr=slave, stdout=slave if stdout_too else subprocess.PIPE,
        stdin=subprocess.DEVNULL, **options,
    )  # fmt: skip
    os.close(slave)
    shown, out = [], []
    reader = threading.Thread(target=lambda: out.append(process.stdout.read().decode())) if not stdout_too else None
    if reader:
        reader.start()
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown.append(piece)
    process.wait()
    os.close(master)
    if reader:
        reader.join()
    assert process.returncode == 0
    return b"".join(shown).decode(), "".join(out)


def screen(text: str) -> list[str]:
    """The lines that a terminal is left with: a return goes to the line's begin, ESC[K clears what is behind."""
    lines, line, at = [], "", 0
    for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|.|\n", text, re.S):
        if token == "\r":
            at = 0
        elif token == "\n":
            lines.append(line)
            line, at = "", 0
        elif token.startswith("\x1b"):
            if token.endswith("K"):
                line = line[:at]
        else:
            line = line[:at].ljust(at) + token + line[at + 1 :]
            at += 1
    return [*lines, line] if line else lines


BATCH_ROWS = 9_000_000


@pytest.fixture(scope="module")
def slow_batch(tmp_path_factory):
    """Enough rows that the line shows several times."""
    path = tmp_path_factory.mktemp("batch") / "in.csv"
    with open(path, "w") as out:
        out.writelines(f"{n},{n * 7919 % 10007},some text to make it longer {n}\n" for n in range(BATCH_ROWS))
    columns = "a BIGINT, b BIGINT, c STRING"
    return table("t", columns, path)


def test_a_batch_shows_its_progress_on_a_terminal(leat, slow_batch):
    sql = slow_batch + f"SELECT a FROM t WHERE a < 3 OR a > {BATCH_ROWS - 3};"
    shown, out = on_terminal([leat, "run", "--output", "csv", "-e", sql], stdout_too=False)
    assert out.splitlines() == ["0", "1", "2", str(BATCH_ROWS - 2), str(BATCH_ROWS - 1)]
    assert re.search(r"\d+ % +[\d.]+ of [\d.]+ MB +[\d,]+ rows/s +\d+ s left", shown), shown
    assert screen(shown) == [], "nothing of it is left"


def test_progress_and_rows_on_one_terminal_do_not_mix(leat, slow_batch):
    sql = slow_batch + "SELECT a FROM t WHERE MOD(a, 1000) = 0;"
    shown, _ = on_terminal([leat, "run", "--output", "csv", "-e", sql], stdout_too=True)
    assert "rows/s" in shown
    assert screen(shown) == [str(n) for n in range(0, BATCH_ROWS, 1000)]


def test_no_progress_where_nobody_looks(leat, run_leat, slow_batch):
    sql = slow_batch + "SELECT COUNT(*) FROM t;"
    batch = ["--set", "execution.runtime-mode=batch", "--output", "csv"]
    assert run_leat("run", *batch, "-e", sql).stderr == ""
    shown, out = on_terminal([leat, "run", *batch, "--no-progress", "-e", sql], stdout_too=False)
    assert (shown, out) == ("", f"{BATCH_ROWS}\n")
    shown, _ = on_terminal([leat, "run", *batch, "-e", sql], False, env={**os.environ, "TERM": "dumb"})
    assert shown == ""
    shown, _ = on_terminal([leat, "run", *batch, "-e", sql], False, env={**os.environ, "NO_COLOR": "1"})
    assert "rows/s" in shown and "\x1b[3" not in shown, "the line has no colours in any case"
