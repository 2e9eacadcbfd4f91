"""The part of the quick start behind the packages: builds, runs the plant, watches it, and sums up.

    quickstart.py --seconds N      0: until Ctrl-C

Started by packaging/quickstart. What it starts is stopped in reverse order, however it ends; every program has a session
of its own, so that Ctrl-C in a terminal reaches only this one, which then stops the others.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from leat import Daemon  # noqa: E402
from mosquitto import Mosquitto  # noqa: E402
from processes import Failure, Program, eventually  # noqa: E402
from receiver import Receiver, rows_of  # noqa: E402

LEAT = ROOT / "build" / "release" / "leat"
PIPELINES = ("machine-windows", "hot-bearings")
MACHINES = 8
ALARM_AFTER_SECONDS = 25  # The fleet's press-3 fails from its tenth second on; so long a run must raise an alarm.
LONGEST_WINDOW_SECONDS = 10
SETTLE_SECONDS = 60  # Idle time-out, watermark and windows take 17 of them.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Ctrl-C, or a request to end."""


class Interrupts:
    """Signals become `Interrupted`, but not while they are held: whatever is being started is first registered."""

    def __init__(self):
        self.held = False
        self.noted = ""
        for number in SIGNALS:
            signal.signal(number, self._take)

    def _take(self, number, _frame) -> None:
        self.noted = signal.Signals(number).name
        if not self.held:
            raise Interrupted(self.noted)

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        self.held = True
        try:
            yield
        finally:
            self.held = False
        if self.noted:
            raise Interrupted(self.noted)

    def ignore(self) -> None:
        """From now on: what cleans up is not interrupted."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def say(text: str = "") -> None:
    print(text, flush=True)


# ---- building -----------------------------------------------------------------------------------------------------


def parallel_jobs() -> int:
    """As many compilers as there are processors, and a gigabyte of memory for each."""
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return max(1, min(os.cpu_count() or 1, gibibytes))


def show_progress(text: str, last: str) -> str:
    """The newest "[done/all]" of the build, on a line that is written over; without a terminal every tenth part."""
    steps = re.findall(r"^\[(\d+)/(\d+)\]", text, re.MULTILINE)
    if not steps:
        return last
    done, total = map(int, steps[-1])
    if sys.stdout.isatty():
        print(f"\r  compiled {done} of {total} ", end="", flush=True)
        return last
    tenth = str(done * 10 // total)
    if tenth != last:
        say(f"  compiled {done} of {total}")
    return tenth


def stop_group(step: Program) -> None:
    """The step and the compilers that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(step.process.pid, signal.SIGTERM)
    step.process.wait()


def run_step(name: str, command: list[str], folder: pathlib.Path, interrupts: Interrupts) -> None:
    """A step of the build, to its end, with progress; its output only when it fails."""
    with contextlib.ExitStack() as stack:
        with interrupts.hold():
            step = Program(name, command, folder / "build.log", cwd=ROOT, start_new_session=True)
            stack.callback(stop_group, step)
        last = ""
        while step.running:
            last = show_progress(step.output(), last)
            time.sleep(0.3)
    if sys.stdout.isatty():
        print("\r" + " " * 40 + "\r", end="", flush=True)
    if step.process.returncode != 0:
        raise Failure(f"{name} failed:\n{step.output()[-4000:]}")


def build(folder: pathlib.Path, interrupts: Interrupts) -> None:
    say("building Leat (the first time takes some minutes)")
    run_step("cmake", ["cmake", "--preset", "release"], folder, interrupts)
    command = ["cmake", "--build", "--preset", "release", "--target", "leat", "--parallel", str(parallel_jobs())]
    run_step("the build", command, folder, interrupts)
    version = subprocess.run([LEAT, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    say(f"built {version}")


# ---- the plant ----------------------------------------------------------------------------------------------------


def pipeline_text(name: str, broker: Mosquitto, receiver: Receiver) -> str:
    """The example with the addresses of this run in place of the customary ones."""
    text = (ROOT / "pipelines" / "examples" / f"{name}.sql").read_text()
    for customary, actual in (("tcp://127.0.0.1:1883", broker.url), ("http://127.0.0.1:8080", receiver.url)):
        if customary not in text:
            raise Failure(f"pipelines/examples/{name}.sql does not name {customary}: the quick start cannot replace it")
        text = text.replace(customary, actual)
    return text


class Plant:
    """Broker, upstream, Leat and fleet; what has been printed so far. `stack` stops what was started."""

    def __init__(self, folder: pathlib.Path, stack: contextlib.ExitStack):
        self.folder = folder
        self.stack = stack
        self.fleet: Program | None = None
        self.printed = 0
        self.broker = Mosquitto(folder / "broker", start_new_session=True)
        stack.callback(self.broker.stop)
        self.receiver = Receiver(folder / "upstream", start_new_session=True)
        stack.callback(self.receiver.stop)
        self.daemon = Daemon(LEAT, folder / "leat", gateway="quickstart", start_new_session=True)
        for name in PIPELINES:
            self.daemon.add(name, pipeline_text(name, self.broker, self.receiver))
        stack.callback(self.daemon.stop)
        self.daemon.start()
        self.daemon.wait_connected(*PIPELINES)

    def start_fleet(self, seconds: int) -> None:
        command = [sys.executable, ROOT / "packaging" / "sensor-fleet", "--broker", f"127.0.0.1:{self.broker.port}"]
        command += ["--machines", MACHINES, "--for", seconds]
        self.fleet = Program("sensor-fleet", command, self.folder / "fleet.log", start_new_session=True)
        self.stack.callback(self.fleet.stop)

    def programs(self) -> Iterator[Program]:
        yield from (self.broker.running, self.receiver.running, self.daemon.running)

    def check_pipelines(self) -> None:
        for name in PIPELINES:
            status = self.daemon.pipeline(name)
            if status["state"] == "failed":
                raise Failure(f"the pipeline {name} has failed: {status['error']}")

    def check_alive(self) -> None:
        for program in self.programs():
            if not program.running:
                code = program.process.returncode
                raise Failure(
                    f"{program.name} ended with code {code}; the end of its output:\n{program.output()[-2000:]}"
                )

    def print_news(self) -> None:
        """Windows and alarms that the upstream has received since the last call."""
        entries = self.receiver.taken()
        for entry in entries[self.printed :]:
            for row in rows_of(entry["body"]):
                say(alarm_line(row) if entry["path"] == "/alarms" else window_line(row))
        self.printed = len(entries)

    def watch(self) -> None:
        """Until the fleet has ended."""
        while self.fleet.running:
            self.check_alive()
            self.check_pipelines()
            self.print_news()
            time.sleep(0.2)
        if self.fleet.process.returncode != 0:
            raise Failure(f"the sensor fleet failed:\n{self.fleet.output()[-2000:]}")
        self.print_news()


def span(row: dict) -> str:
    return f"{row['window_start'][11:19]}–{row['window_end'][11:19]}"


def window_line(row: dict) -> str:
    return (
        f"{span(row)}  {row['line']}  {row['machine']:<8} {row['readings']:>3} readings"
        f"   {row['temperature_avg']:6.1f} °C, at most {row['temperature_max']:6.1f}"
        f"   vibration at most {row['vibration_max']:5.2f}   {row['power_avg'] / 1000:5.1f} kW"
    )


def alarm_line(row: dict) -> str:
    text = (
        f"{span(row)}  ALARM   {row['machine']:<8} runs hot: {row['temperature']:.1f} °C with vibration "
        f"{row['vibration']:.2f} over ten seconds"
    )
    return f"\033[1;31m{text}\033[0m" if sys.stdout.isatty() else text


# ---- settling and summing up ---------------------------------------------------------------------------------------


def micros(text: str | None) -> float:
    """Seconds since 1970 of a time in the API; 0 for null."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else 0.0


def settled(plant: Plant, last_reading: float) -> bool:
    """Time has passed the end of every window with a reading, and nothing waits anywhere."""
    plant.check_alive()
    plant.print_news()
    for name in PIPELINES:
        status = plant.daemon.pipeline(name)
        if micros(status["watermark"]) < last_reading + LONGEST_WINDOW_SECONDS:
            return False
        if any(source["messages"]["queued"] for source in status["sources"]):
            return False
        committed = {
            sink["sink"]: sink["records"]["emitted"] for sink in plant.daemon.outbox() if sink["pipeline"] == name
        }
        if any(sink["emitted"] != committed.get(sink["table"], 0) for sink in status["sinks"]):
            return False
    return all(sink["records"]["waiting"] == 0 for sink in plant.daemon.outbox())


class Books:
    """The same events as counted by the fleet, by Leat and by the upstream."""

    def __init__(self, plant: Plant):
        self.fleet = json.loads(plant.fleet.output().splitlines()[-1])
        self.pipelines = {name: plant.daemon.pipeline(name) for name in PIPELINES}
        self.outbox = {sink["pipeline"]: sink["records"] for sink in plant.daemon.outbox()}
        self.windows = plant.receiver.rows("/windows")
        self.alarms = plant.receiver.rows("/alarms")
        self.problems: list[str] = []

    def messages(self, name: str, what: str) -> int:
        """Of the source; a failed pipeline has none."""
        return sum(source["messages"][what] for source in self.pipelines[name]["sources"])

    def records(self, name: str, what: str) -> int:
        """Of the outbox; it has no line for a sink that was never written to."""
        return self.outbox.get(name, {}).get(what, 0)

    def late(self, name: str) -> int:
        return sum(node["rows"]["late"] for node in self.pipelines[name]["operators"])

    def total(self, count, *arguments) -> int:
        return sum(count(name, *arguments) for name in PIPELINES)

    def expect(self, what: str, got: object, want: object) -> None:
        if got != want:
            self.problems.append(f"{what}: {got}, expected {want}")

    def check(self, seconds: int) -> None:
        published = self.fleet["published"]
        self.expect("messages that the broker acknowledged to the fleet", self.fleet["acknowledged"], published)
        for name in PIPELINES:
            status = self.pipelines[name]
            self.expect(f"state of {name}", status["state"], "running")
            self.expect(f"accounting of {name}", status["accounting_violations"], [])
            self.expect(f"messages that {name} decoded", self.messages(name, "decoded"), published)
            for what in ("empty", "dead", "dropped", "queued"):
                self.expect(f"messages of {name} that are {what}", self.messages(name, what), 0)
            for what in ("rejected", "dropped", "waiting"):
                self.expect(f"records of {name} that are {what}", self.records(name, what), 0)
        counted = sum(row["readings"] for row in self.windows) + self.late("machine-windows")
        self.expect("readings in the windows at the upstream, and late ones", counted, published)
        self.expect("windows delivered", self.records("machine-windows", "delivered"), len(self.windows))
        self.expect("alarms delivered", self.records("hot-bearings", "delivered"), len(self.alarms))
        self.check_content(seconds)

    def check_content(self, seconds: int) -> None:
        keys = {(row["machine"], row["window_start"]) for row in self.windows}
        self.expect("different windows", len(keys), len(self.windows))
        self.expect("machines in the windows", len({row["machine"] for row in self.windows}), MACHINES)
        if seconds >= ALARM_AFTER_SECONDS and not any(row["machine"] == "press-3" for row in self.alarms):
            self.problems.append("press-3 ran hot, and no alarm for it reached the upstream")

    def print(self) -> None:
        emitted = self.total(self.records, "emitted")
        say()
        say(
            f"messages in          {self.fleet['published']:>7}   published and acknowledged; to each of {len(PIPELINES)} pipelines"
        )
        say(f"windows out          {emitted:>7}   {len(self.windows)} of machines, {len(self.alarms)} alarms")
        say(f"delivered upstream   {self.total(self.records, 'delivered'):>7}")
        say(
            f"late rows            {self.late('machine-windows'):>7}   behind the watermark: {self.fleet['late']} were sent late"
        )
        say(f"redelivered          {self.total(self.messages, 'redelivered'):>7}")
        say(f"dropped              {self.total(self.messages, 'dropped') + self.total(self.records, 'dropped'):>7}")


def sum_up(plant: Plant, seconds: int, last_reading: float) -> int:
    say()
    say("the fleet has ended; its last windows close when no reading has come for a while (the idle time-out)")
    with contextlib.suppress(Failure):  # What is missing then shows in the books.
        eventually(lambda: settled(plant, last_reading), "everything is delivered", SETTLE_SECONDS)
    plant.check_alive()
    books = Books(plant)
    books.check(seconds)
    books.print()
    for problem in books.problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    say("everything is accounted for" if not books.problems else "the books do not agree")
    return 1 if books.problems else 0


def introduce(plant: Plant, seconds: int) -> None:
    say()
    say(f"broker      {plant.broker.url}")
    say(f"upstream    {plant.receiver.url}")
    say(f"dashboard   {plant.daemon.url}/")
    say(f"REST API    {plant.daemon.url}/api/v1/pipelines   (also /readyz, /metrics, /api/v1/outbox)")
    say(f"pipelines   {', '.join(f'pipelines/examples/{name}.sql' for name in PIPELINES)}")
    say()
    say("the first windows close in about eight seconds" + ("" if seconds else "; Ctrl-C ends everything"))


def run_plant(seconds: int, folder: pathlib.Path, stack: contextlib.ExitStack, interrupts: Interrupts) -> int:
    with interrupts.hold():
        plant = Plant(folder, stack)
        introduce(plant, seconds)
        plant.start_fleet(seconds)
    try:
        plant.watch()
    except Interrupted:
        if seconds:
            raise
        return 0  # The way in which a run without an end ends.
    last_reading = time.time()
    if seconds == 0:
        raise Failure(f"the sensor fleet has ended by itself:\n{plant.fleet.output()[-2000:]}")
    return sum_up(plant, seconds, last_reading)


def session(seconds: int, interrupts: Interrupts) -> int:
    with tempfile.TemporaryDirectory(prefix="leat-quickstart-") as name, contextlib.ExitStack() as stack:
        try:
            build(pathlib.Path(name), interrupts)
            return run_plant(seconds, pathlib.Path(name), stack, interrupts)
        finally:
            interrupts.ignore()
            if interrupts.noted:
                say("\nstopping everything")
            stack.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, required=True)
    options = parser.parse_args()
    try:
        return session(options.seconds, Interrupts())
    except Interrupted:
        return 130
    except Failure as failure:
        print(f"packaging/quickstart: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
