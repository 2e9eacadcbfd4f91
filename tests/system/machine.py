"""A Debian that is installed from packages and booted by systemd-nspawn: what the tests in this folder run Leat on.

Its network is its own and has no way out: servers for it are started here, in its network (`in_network`).
"""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from processes import Failure, eventually  # noqa: E402

CLONE_NEWNET = 0x40000000
# Besides what Leat's package depends on.
TOOLS = ("systemd", "systemd-sysv", "dbus", "curl", "sqlite3", "mosquitto", "mosquitto-clients")


def missing_tools() -> str:
    """Why there can be no machine here; empty: there can."""
    if os.geteuid() != 0:
        return "only root can boot a system"
    for tool in ("systemd-nspawn", "mmdebstrap", "dpkg-deb", "nsenter"):
        if not shutil.which(tool):
            return f"{tool} is missing: packaging/install-packages package"
    return ""


def dependencies(package: pathlib.Path) -> list[str]:
    """The names of the packages that it depends on; of alternatives the first."""
    text = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True).stdout
    return [each.split("|")[0].split("(")[0].strip() for each in text.split(",")]


def base_system(package: pathlib.Path, cache: pathlib.Path) -> pathlib.Path:
    """An archive of a Debian with everything that the package needs, and without it. Made once per list of packages."""
    names = sorted({*TOOLS, *dependencies(package)})
    archive = cache / f"debian-{hashlib.sha256(' '.join(names).encode()).hexdigest()[:12]}.tar"
    if archive.exists():
        return archive
    print(f"making a Debian of {len(names)} packages and what they need, once", flush=True)
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(".unfinished.tar")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(names)}", "bookworm", unfinished]
    subprocess.run(command, check=True)
    unfinished.rename(archive)
    return archive


class Machine:
    """A system in a folder. Not booted at construction: `install` works on its files then, later in what runs."""

    def __init__(self, folder: pathlib.Path, archive: pathlib.Path):
        self.folder = folder
        self.nspawn: subprocess.Popen | None = None
        self.leader = 0
        folder.mkdir(parents=True)
        subprocess.run(["tar", "-C", folder, "-xf", archive], check=True)
        (folder / "etc/machine-id").write_text("")
        (folder / "etc/hosts").write_text("127.0.0.1 localhost gateway\n")
        self.log = folder.with_suffix(".console")

    def path(self, place: str) -> pathlib.Path:
        return self.folder / place.lstrip("/")

    def boot(self) -> "Machine":
        command = ["systemd-nspawn", "--quiet", "--directory", self.folder, "--boot", "--register=no", "--keep-unit"]
        command += [
            "--private-network",
            "--hostname=gateway",
            f"--machine=leat-test-{os.getpid()}",
            "--resolv-conf=off",
        ]
        with open(self.log, "ab") as log:
            self.nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        eventually(self._find_leader, "the container starts")
        states = ("running", "degraded")
        eventually(lambda: self.run("systemctl is-system-running", check=False).strip() in states, "it is booted", 90)
        return self

    def _find_leader(self) -> bool:
        if self.nspawn.poll() is not None:
            raise Failure(f"systemd-nspawn ended with {self.nspawn.returncode}:\n{self.log.read_text()[-2000:]}")
        # It forks twice on its way; the child that stays is the system's first process.
        for child in pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                status = pathlib.Path(f"/proc/{child}/status").read_text()
                numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()
                if numbers[-1] == "1" and status.startswith("Name:\tsystemd\n"):
                    self.leader = int(child)
        return self.leader != 0

    def inside(self, command: str) -> list[str]:
        if not self.leader:
            return ["chroot", str(self.folder), "/bin/sh", "-c", command]
        return ["nsenter", f"--target={self.leader}", "--all", "--root", "--wd", "/bin/sh", "-c", command]

    def run(self, command: str, check: bool = True) -> str:
        """A command of the system's shell; its output, both streams together. Any code but 0 is a failure."""
        done = self.run_code(command)
        if check and done.returncode != 0:
            raise Failure(f"'{command}' ended with {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout

    def run_code(self, command: str) -> subprocess.CompletedProcess:
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        return subprocess.run(
            self.inside(command),
            env=environment,
            timeout=120,
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def in_network(self, *command: object, **options) -> subprocess.Popen:
        """A program of this machine in the network of that one; it ends with it, or before."""
        entered = ["nsenter", f"--target={self.leader}", "--net", *map(str, command)]
        return subprocess.Popen(entered, stdin=subprocess.DEVNULL, **options)

    @contextlib.contextmanager
    def network(self):
        """What this thread starts or connects to meanwhile is in the machine's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as mine, open(f"/proc/{self.leader}/ns/net") as its:
            if libc.setns(its.fileno(), CLONE_NEWNET) != 0:
                raise Failure(f"the network of the machine cannot be entered: {os.strerror(ctypes.get_errno())}")
            try:
                yield
            finally:
                libc.setns(mine.fileno(), CLONE_NEWNET)

    def install(self, package: pathlib.Path) -> str:
        shutil.copy(package, self.path("/root/package.deb"))
        return self.run("dpkg --install /root/package.deb")

    def property(self, unit: str, name: str) -> str:
        return self.run(f"systemctl show --value --property={name} {unit}").strip()

    def power_off(self) -> None:
        """Everything in it ends at once, without a word: a real power cut adds what was not synced."""
        if not self.nspawn:
            return
        if self.leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
        try:
            self.nspawn.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.nspawn.kill()
            self.nspawn.wait()
        self.nspawn, self.leader = None, 0

    def remove(self) -> None:
        self.power_off()
        shutil.rmtree(self.folder, ignore_errors=True)
