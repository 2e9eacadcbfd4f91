#!/usr/bin/python3
"""Leat as operators have it: packages are installed on a Debian, which is booted, used, cut off, upgraded and purged.

    service.py --build build/release

It makes packages of the build (under an older version number, too, for the upgrade), installs them on a Debian that
mmdebstrap makes once, and boots that with systemd-nspawn. Needs root. Without LEAT_TEST_LONG=1 or --now nothing runs,
and where no such system can be booted neither: the exit status 77 says so.
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from machine import ROOT, Failure, Machine, base_system, eventually, missing_tools

sys.path.insert(0, str(ROOT / "tests" / "support"))

from kafka import Kafka, fetch_broker  # noqa: E402
from receiver import Receiver  # noqa: E402

SKIPPED = 77
OLD = "0.0.9"
MOST_EXPOSURE = 1.5
BAD_CONFIG = 78

# A window of an hour, so that whatever happens happens in the middle of it.
HOURS = """
CREATE TABLE readings (device STRING, ts TIMESTAMP(3), v DOUBLE, WATERMARK FOR ts AS ts) WITH (
  'connector' = 'mqtt', 'url' = 'mqtt://{broker}:1883', 'topic' = 'plant/+', 'format' = 'json',
  'reconnect.min-delay' = '100 ms', 'reconnect.max-delay' = '300 ms', 'journal.size' = '8 mb');
CREATE TABLE hours (window_start TIMESTAMP(3), n BIGINT, PRIMARY KEY (window_start) NOT ENFORCED)
WITH ('connector' = 'sqlite');
INSERT INTO hours SELECT window_start, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;
"""
BROKEN = "SELECT FROM nowhere;\n"
# Out by name to HTTP and Kafka, with a credential.
FAR = """
CREATE TABLE ticks (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '50', 'fields.n.kind' = 'sequence',
  'fields.n.start' = '1', 'fields.n.end' = '50');
CREATE TABLE web (n BIGINT) WITH ('connector' = 'http', 'url' = 'http://web.plant.test:{web}/ticks', 'format' = 'json',
  'header.Authorization' = 'Key ${{credential:web}}');
CREATE TABLE log (n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'ticks', 'format' = 'json',
  'properties.bootstrap.servers' = 'kafka.plant.test:{kafka}');
INSERT INTO web SELECT n FROM ticks;
INSERT INTO log SELECT n FROM ticks;
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--now", action="store_true", help="run, also without LEAT_TEST_LONG=1")
    parser.add_argument("--leave-out", default="", help="names of steps to leave out, separated by commas")
    return parser.parse_args()


def package(build: pathlib.Path, out: pathlib.Path, *options: str) -> pathlib.Path:
    command = [ROOT / "packaging/make-package", "--build", build, "--out", out, *options, "deb"]
    made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return pathlib.Path(made.strip())


class Gateway:
    """The machine, and what is done to Leat on it."""

    def __init__(self, machine: Machine, old: pathlib.Path, new: pathlib.Path):
        self.machine = machine
        self.old = old
        self.new = new
        self.sent = 0  # Readings of the open window.

    def write(self, place: str, text: str) -> None:
        path = self.machine.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def api(self, path: str) -> dict:
        """Over the socket, as root."""
        return json.loads(self.machine.run(f"curl -sS --unix-socket /run/leat/leat.sock http://leat{path}"))

    def state(self, pipeline: str) -> str:
        return self.api(f"/api/v1/pipelines/{pipeline}").get("state", "")

    def wait_active(self) -> None:
        eventually(lambda: self.machine.property("leat", "ActiveState") == "active", "the service is active", 60)

    def wait_running(self) -> None:
        def connected() -> bool:
            sources = self.api("/api/v1/pipelines/hours").get("sources", [])
            return bool(sources) and sources[0]["link"] == "connected"

        self.wait_active()
        eventually(connected, "the pipeline 'hours' is connected", 60)

    def received(self) -> int:
        return self.api("/api/v1/pipelines/hours")["sources"][0]["messages"]["received"]

    def send(self, count: int, when: str = "2026-01-01 10:00:00") -> None:
        """Readings into the open window; returns when all of them are in the journal."""
        before = self.received()
        line = json.dumps({"device": "pump", "ts": when, "v": 1.5})
        self.machine.run(f"yes '{line}' | head -n {count} | mosquitto_pub -h 127.0.0.1 -q 1 -t plant/pump -l")
        eventually(lambda: self.received() >= before + count, f"{count} readings are received")
        self.sent += count

    def close_window(self) -> int:
        """A reading far behind the window ends it; what it has counted."""
        before = self.sent
        self.send(1, "2026-01-01 12:00:00")
        self.sent = before

        query = "SELECT n FROM hours WHERE window_start LIKE '2026-01-01%10:00%'"
        ask = f'sqlite3 -readonly /var/lib/leat/leat.db "{query}"'
        counted = eventually(lambda: self.machine.run(ask).strip(), "the window has fired")
        expect(f"{counted}" in self.machine.run(f'leat query --json "{query}"'), "leat query tells the same")
        return int(counted)

    def main_pid(self) -> str:
        return self.machine.property("leat", "MainPID")

    def restarts(self) -> int:
        return int(self.machine.property("leat", "NRestarts"))


def expect(fact: object, what: str) -> None:
    if not fact:
        raise Failure(what)


def install(gateway: Gateway) -> None:
    """the package installs into a system that does not run"""
    machine = gateway.machine
    machine.install(gateway.old)
    listed = machine.run("stat -c '%A %U:%G %n' /etc/leat /var/lib/leat /etc/leat/leat.toml")
    expect("drwxr-x--- root:leat /etc/leat" in listed, listed)
    expect("drwx------ leat:leat /var/lib/leat" in listed, listed)
    expect(machine.run_code("su -s /bin/sh leat -c 'cat /etc/leat/leat.toml'").returncode == 0, "leat reads leat.toml")
    expect(machine.run_code("su -s /bin/sh mosquitto -c 'cat /etc/leat/leat.toml'").returncode != 0, "others do not")
    expect(machine.run("dpkg --verify leat") == "", "dpkg --verify")
    # The defaults are those of an empty file.
    expect(
        machine.run_code("leat check /etc/leat/leat.toml").returncode == 0, "leat check of the default configuration"
    )
    gateway.write("/etc/leat/pipelines/hours.sql", HOURS.format(broker="127.0.0.1"))
    gateway.write("/etc/leat/pipelines/broken.sql", BROKEN)


def boots(gateway: Gateway) -> None:
    """it is active after a boot, says when it is ready, and a broken pipeline fails alone"""
    machine = gateway.machine.boot()
    gateway.wait_running()
    expect(machine.property("leat", "Type") == "notify", "Type=notify")
    expect(machine.property("leat", "SubState") == "running", "SubState")
    expect(gateway.state("broken") == "failed", "the broken pipeline is failed")
    expect('"broken"' in machine.run("leat pipelines list --json"), "leat pipelines list")
    expect(machine.property("leat", "NRestarts") == "0", "no restart")


def answers(gateway: Gateway) -> None:
    """the API answers on loopback and on the socket, for root and the group only"""
    machine = gateway.machine
    expect("ok" in machine.run("curl -sS http://127.0.0.1:8463/healthz").lower(), "/healthz")
    expect("leat_" in machine.run("curl -sS http://127.0.0.1:8463/metrics"), "/metrics")
    expect("<html" in machine.run("curl -sS http://127.0.0.1:8463/").lower(), "the dashboard")
    ask = "curl -sS --max-time 5 --unix-socket /run/leat/leat.sock http://leat/healthz"
    machine.run("useradd --system stranger; useradd --system --groups leat engineer")
    expect(machine.run_code(f"su -s /bin/sh engineer -c '{ask}'").returncode == 0, "the group may use the socket")
    expect(machine.run_code(f"su -s /bin/sh stranger -c '{ask}'").returncode != 0, "others may not")


def is_confined(gateway: Gateway) -> None:
    """systemd's own judgement of the unit is 1.5 or better"""
    for unit in ("leat.service", "leat@north.service"):
        last = gateway.machine.run(f"systemd-analyze security --offline=no --no-pager {unit}").strip().splitlines()[-1]
        exposure = float(last.split(":")[1].split()[0])
        expect(exposure <= MOST_EXPOSURE, last)
        print(f"    {unit}: {exposure}")
    expect(
        gateway.machine.run("systemd-analyze verify --man=no leat.service leat@north.service") == "",
        "systemd-analyze verify",
    )


def logs(gateway: Gateway) -> None:
    """the journal has the lines with their priorities"""
    lines = [json.loads(line) for line in gateway.machine.run("journalctl -u leat -o json --no-pager").splitlines()]
    mine = [line for line in lines if line.get("SYSLOG_IDENTIFIER") == "leat" and "ready" in str(line.get("MESSAGE"))]
    expect(mine and mine[0]["PRIORITY"] == "6", "a line 'ready' of priority 6")
    failed = [line for line in lines if line.get("LEAT_PIPELINE") == "broken" and line.get("PRIORITY") in ("3", "4")]
    expect(failed, "the broken pipeline is told as a warning or an error, with its name in a field")


def reaches_far(gateway: Gateway) -> None:
    """HTTP and Kafka by name, with a credential of the unit, out of its sandbox"""
    machine = gateway.machine
    folder = machine.folder.with_name("far")
    folder.mkdir()
    fetch_broker()
    with contextlib.ExitStack() as ends:
        name_server = pathlib.Path(__file__).with_name("name_server.py")
        names = machine.in_network(sys.executable, name_server, "127.0.0.53", stdout=subprocess.PIPE, text=True)
        ends.callback(names.kill)
        names.stdout.readline()
        gateway.write("/etc/resolv.conf", "nameserver 127.0.0.53\n")
        ends.enter_context(machine.network())
        kafka = Kafka(folder)
        ends.callback(kafka.close)
        receiver = Receiver(folder / "web")
        ends.callback(receiver.stop)
        gateway.write("/etc/leat/web.key", "tr0ub4dor\n")
        machine.run("chmod 0600 /etc/leat/web.key")
        gateway.write(
            "/etc/systemd/system/leat.service.d/web.conf", "[Service]\nLoadCredential=web:/etc/leat/web.key\n"
        )
        port = kafka.address.rsplit(":", 1)[1]
        gateway.write("/etc/leat/pipelines/far.sql", FAR.format(web=receiver.port, kafka=port))
        machine.run("systemctl daemon-reload; systemctl restart leat")
        gateway.wait_running()
        eventually(lambda: len(receiver.rows("/ticks")) == 50, "50 rows over HTTP", 60)
        eventually(lambda: len(kafka.messages("ticks")) == 50, "50 rows in Kafka", 60)
        expect("tr0ub4dor" not in machine.run("journalctl -u leat --no-pager"), "no secret in the log")
    machine.path("/etc/leat/pipelines/far.sql").unlink()
    machine.run("rm -r /etc/systemd/system/leat.service.d /etc/leat/web.key; systemctl daemon-reload")
    machine.run("systemctl restart leat && leat pipelines remove far --purge all")
    gateway.wait_running()


def reloads(gateway: Gateway) -> None:
    """a reload takes new files; a broken one is named, and the old version runs on"""
    machine = gateway.machine
    pid, begun = gateway.main_pid(), gateway.received()
    gateway.write(
        "/etc/leat/pipelines/ticks.sql",
        "CREATE TABLE t (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');\n"
        "CREATE TABLE b (n INT) WITH ('connector' = 'blackhole');\nINSERT INTO b SELECT n FROM t;\n",
    )
    machine.path("/etc/leat/pipelines/broken.sql").unlink()
    machine.run("systemctl reload leat")
    eventually(lambda: gateway.state("ticks") == "running", "the new file's pipeline runs")
    gateway.write("/etc/leat/pipelines/ticks.sql", BROKEN)
    done = machine.run_code("systemctl reload leat")
    expect(done.returncode != 0, "a reload with a broken file fails")
    expect("ticks" in machine.run("journalctl -u leat -n 30 --no-pager"), "the log names the broken file")
    expect(gateway.state("ticks") == "running", "the old version runs on")
    expect(machine.property("leat", "ActiveState") == "active", "the service is active")
    machine.path("/etc/leat/pipelines/ticks.sql").unlink()
    machine.run("systemctl reload leat")
    expect(gateway.main_pid() == pid and gateway.received() >= begun, "no restart")
    machine.run("printf '[log]\\nlevel = \"loud\"\\n' > /etc/leat/leat.d/wrong.toml")
    expect(machine.run_code("systemctl reload leat").returncode != 0, "a reload with a wrong configuration fails")
    told = machine.run("journalctl -u leat -p err --no-pager")
    expect("the configuration is refused, what was in force stays" in told, "the daemon tells it")
    machine.run("rm /etc/leat/leat.d/wrong.toml; systemctl reload leat")


def is_watched(gateway: Gateway) -> None:
    """a loop that does not turn is killed and started again"""
    machine = gateway.machine
    expect(machine.property("leat", "WatchdogUSec") == "1min", "WatchdogSec=60")
    gateway.write("/etc/systemd/system/leat.service.d/watchdog.conf", "[Service]\nWatchdogSec=2\nTimeoutAbortSec=2\n")
    machine.run("systemctl daemon-reload; systemctl restart leat")
    gateway.wait_running()
    gateway.send(100)
    time.sleep(5)  # The one thing to wait for is that nothing happens: a daemon that turns is left alone.
    expect(gateway.restarts() == 0, "a healthy daemon is not restarted")
    machine.run(f"kill -STOP {gateway.main_pid()}")
    eventually(lambda: gateway.restarts() == 1, "the stopped daemon is restarted", 60)
    expect("watchdog" in machine.run("journalctl -u leat --no-pager").lower(), "the log says why")
    machine.run("rm -r /etc/systemd/system/leat.service.d; systemctl daemon-reload; systemctl restart leat")
    gateway.wait_running()


def is_killed(gateway: Gateway) -> None:
    """SIGKILL in the middle of a window: back within seconds, with its state"""
    gateway.send(1000)
    restarts, begin = gateway.restarts(), time.monotonic()
    gateway.machine.run(f"kill -KILL {gateway.main_pid()}")
    eventually(lambda: gateway.restarts() == restarts + 1, "it is restarted", 20)
    gateway.wait_running()
    print(f"    connected again after {time.monotonic() - begin:.1f} s")
    gateway.send(500)


def loses_power(gateway: Gateway) -> None:
    """the machine goes in the middle of a window, and the window counts everything after the next boot"""
    gateway.send(700)
    gateway.machine.power_off()
    gateway.machine.boot()
    gateway.wait_running()
    gateway.send(300)


def is_upgraded(gateway: Gateway) -> None:
    """an upgrade restarts the service, and the window goes on"""
    machine = gateway.machine
    gateway.write("/etc/leat/leat.d/50-site.toml", '[log]\nlevel = "debug"\n')
    gateway.write(
        "/etc/leat/leat.toml", machine.path("/etc/leat/leat.toml").read_text() + "# the administrator was here\n"
    )
    pid = gateway.main_pid()
    shown = machine.install(gateway.new)
    expect(machine.run("dpkg-query -W -f '${Version}' leat") != f"{OLD}-1", "the new version is installed")
    gateway.wait_running()
    expect(gateway.main_pid() != pid, "the upgrade has restarted the service")
    expect(
        "the administrator was here" in machine.run("cat /etc/leat/leat.toml"), f"the configuration is kept: {shown}"
    )
    expect(machine.run_code("dpkg --audit").stdout == "", "dpkg --audit")
    gateway.send(250)
    counted = gateway.close_window()
    expect(counted == gateway.sent, f"the window counted {counted} of {gateway.sent} readings")
    print(f"    a window over watchdog, SIGKILL, power-off and upgrade has counted all {counted} readings")


def refuses_nonsense(gateway: Gateway) -> None:
    """a wrong configuration ends with 78, once"""
    machine = gateway.machine
    gateway.write("/etc/leat/leat.d/60-wrong.toml", '[log]\nlevle = "info"\n')
    expect(machine.run_code("systemctl restart leat").returncode != 0, "the start fails")
    eventually(lambda: machine.property("leat", "ActiveState") == "failed", "the service is failed")
    restarts = gateway.restarts()
    time.sleep(3)  # Three times RestartSec.
    expect(machine.property("leat", "ExecMainStatus") == str(BAD_CONFIG), "exit status 78")
    expect(gateway.restarts() == restarts, "no restart loop")
    expect("60-wrong.toml" in machine.run("journalctl -u leat -n 20 --no-pager"), "the log names the file")
    machine.run("rm /etc/leat/leat.d/60-wrong.toml; systemctl start leat")
    gateway.wait_running()


def has_instances(gateway: Gateway) -> None:
    """leat@north runs beside it, with configuration, state, socket and port of its own"""
    machine = gateway.machine
    gateway.write(
        "/etc/leat/north/leat.toml",
        'data_dir = "/var/lib/leat-north"\npipelines_dir = "/etc/leat/north/pipelines"\n'
        '[api]\nlisten = "127.0.0.1:8464"\nsocket = "/run/leat-north/leat.sock"\n',
    )
    gateway.write("/etc/leat/north/pipelines/hours.sql", HOURS.format(broker="localhost"))
    machine.run("systemctl enable --now leat@north")
    ask = "curl -sS http://127.0.0.1:8464/api/v1/pipelines/hours"
    eventually(lambda: '"connected"' in machine.run(ask), "its pipeline is connected")
    expect("hours" in machine.run("leat pipelines list --config /etc/leat/north/leat.toml"), "the verbs find it")
    machine.run("systemctl reload leat@north")
    expect(machine.path("/var/lib/leat-north/leat.db").exists(), "a store of its own")
    expect(gateway.state("hours") == "running", "the other one runs on")


def is_removed(gateway: Gateway) -> None:
    """a removal keeps configuration and data, a purge nothing"""
    machine = gateway.machine
    machine.run("dpkg --remove leat")
    expect(machine.run("pidof leat || true") == "", "nothing runs")
    for kept in ("/etc/leat/leat.toml", "/etc/leat/pipelines/hours.sql", "/var/lib/leat/leat.db"):
        expect(machine.path(kept).exists(), f"{kept} is kept")
    machine.install(gateway.new)
    gateway.wait_running()
    machine.run("dpkg --purge leat")
    left = machine.run(
        "find / -xdev -not -path '/proc/*' -not -path '/sys/*' -not -path '/var/log/*' "
        "-not -path '/var/lib/mosquitto/*' -name '*leat*' -print"
    ).split()
    expect(left == [], f"left behind: {left}")
    expect("leat" in machine.run("getent passwd leat"), "the user stays, so that its number is not given to another")
    expect(
        machine.run("dpkg-query -l 'leat*' 2>&1 | grep '^[a-z][a-zA-Z] ' | grep -v '^un' || true") == "",
        "dpkg has forgotten it",
    )


STEPS = (
    install,
    boots,
    answers,
    is_confined,
    logs,
    reaches_far,
    reloads,
    is_watched,
    is_killed,
    loses_power,
    is_upgraded,
    refuses_nonsense,
    has_instances,
    is_removed,
)


def run(gateway: Gateway, steps: list) -> int:
    passed = 0
    for step in steps:
        begin = time.monotonic()
        try:
            step(gateway)
        except Failure as failure:
            print(f"FAILED {step.__doc__}\n{failure}", flush=True)
            if gateway.machine.leader:
                print(
                    gateway.machine.run_code(
                        "systemctl status leat --no-pager; journalctl -u 'leat*' -n 60 --no-pager"
                    ).stdout
                )
            break
        passed += 1
        print(f"ok {step.__doc__} ({time.monotonic() - begin:.1f} s)", flush=True)
    return passed


def main() -> int:
    options = arguments()
    if not options.now and os.environ.get("LEAT_TEST_LONG") != "1":
        print("skipped: with LEAT_TEST_LONG=1 only (tests/run --all), or --now")
        return SKIPPED
    missing = missing_tools()
    if missing:
        print(f"skipped: {missing}")
        return SKIPPED
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-system-"))
    with contextlib.ExitStack() as end:
        end.callback(subprocess.run, ["rm", "-rf", folder], check=False)
        old = package(options.build, folder / "old", "--version", OLD)
        new = package(options.build, folder / "new")
        machine = Machine(folder / "gateway", base_system(new, ROOT / "build" / "system"))
        end.callback(machine.remove)
        steps = [step for step in STEPS if step.__name__ not in options.leave_out.split(",")]
        passed = run(Gateway(machine, old, new), steps)
    print(f"{passed} passed, {len(steps) - passed} failed")
    return 0 if passed == len(steps) else 1


sys.exit(main())
