"""What is in the packages; service.py installs and runs them."""

import gzip
import os
import pathlib
import re
import subprocess
import urllib.request

import pytest
from conftest import ROOT, make
from ports import free_port
from processes import Program, eventually

MOST_BYTES = 12_000_000
LEAT_USER = 8463  # In the container.


def output(*command: object, **options) -> str:
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True, **options).stdout


def test_lintian_finds_nothing(deb):
    done = subprocess.run(["lintian", "--fail-on", "error,warning", deb], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_everything_belongs_to_root_and_can_be_read(deb):
    for line in output("dpkg-deb", "-c", deb).splitlines():
        mode, owner = line.split()[:2]
        assert owner == "root/root" and mode in ("drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"), line


def test_the_program_is_stripped_and_small(unpacked):
    program = unpacked / "usr/bin/leat"
    assert program.stat().st_size <= MOST_BYTES
    assert ".symtab" not in output("readelf", "-S", "-W", program)
    flags = output("readelf", "-d", "-W", program)
    assert "NOW" in flags and "PATH" not in flags


def test_the_default_configuration_is_the_programs(unpacked, build):
    assert (unpacked / "etc/leat/leat.toml").read_text() == output(build / "leat", "man-page", "leat.toml")


def test_every_file_of_the_configuration_is_a_conffile(deb, unpacked):
    listed = output("dpkg-deb", "-I", deb, "conffiles").split()
    assert sorted(listed) == sorted(
        f"/{path.relative_to(unpacked)}" for path in (unpacked / "etc").rglob("*") if path.is_file()
    )


def test_the_copyright_tells_of_all_that_is_in_the_program(unpacked):
    text = (unpacked / "usr/share/doc/leat/copyright").read_text()
    for part in (
        "CLI",
        "nlohmann",
        "xxhash",
        "node_modules/preact/*",
        "node_modules/uplot/*",
        "node_modules/@preact/signals/*",
    ):
        assert part in text
    named = set(re.findall(r"^License: (\S+)$", text, re.M))
    assert named == set(re.findall(r"^License: (\S+)\n ", text, re.M)), "each licence has its text"


def test_the_units_are_right_and_instances_differ_in_their_folders_only(unpacked):
    units = unpacked / "usr/lib/systemd/system"
    one, many = ((units / name).read_text() for name in ("leat.service", "leat@.service"))
    back = (
        many.replace("/etc/leat/%i/", "/etc/leat/")
        .replace("=leat-%i", "=leat")
        .replace("leat@%i", "leat")
        .replace(": %i", "")
    )
    assert back == one


def test_the_rpm_has_the_files_of_the_deb(packages, deb):
    def names(listing: list[str]) -> set[str]:
        own = ("/usr/share/lintian", "changelog.Debian")
        return {name.rstrip("/") for name in listing if not any(part in name for part in own) and "leat" in name}

    of_deb = names([line.split()[5].lstrip(".") for line in output("dpkg-deb", "-c", deb).splitlines()])
    of_rpm = names(output("rpm", "-qpl", packages[1]).split())
    assert of_rpm == of_deb
    assert "/etc/leat/leat.toml" in output("rpm", "-qpc", packages[1])


def test_the_same_build_gives_the_same_packages():
    output(ROOT / "packaging/check-reproducible", "--packages-only")


def test_the_manual_renders_without_a_warning(unpacked):
    pages = sorted((unpacked / "usr/share/man").rglob("*.gz"))
    assert len(pages) > 10
    for page in pages:
        shown = subprocess.run(
            ["man", "--warnings=w", "-l", page],
            capture_output=True,
            text=True,
            check=True,
            env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        assert shown.stderr == "", page.name
        text = gzip.decompress(page.read_bytes()).decode()
        assert not re.search(r"<\\fI[^>]*\.md", text), f"{page.name} has a link into the sources"


@pytest.mark.parametrize("machine", ["arm64", "armhf"])
def test_a_package_of_another_machine_needs_the_same_libraries(machine, deb, tmp_path):
    cross = ROOT / "build" / machine
    if not (cross / "leat").exists():
        pytest.skip(f"there is no build/{machine}")
    other = make(cross, tmp_path, "deb")[0]
    assert output("dpkg-deb", "-f", other, "Architecture").strip() == machine

    def libraries(package: pathlib.Path) -> set[str]:
        return {each.split("(")[0].strip() for each in output("dpkg-deb", "-f", package, "Depends").split(",")}

    # GCC's atomics and such come and go with the processor.
    assert libraries(other) ^ libraries(deb) <= {"libatomic1", "libgcc-s1"}


def test_the_container_runs_without_a_shell_or_root(deb, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can change into another root")
    root = tmp_path / "root"
    output(ROOT / "packaging/container/make-root", deb, root)
    assert not list(root.glob("**/bin/*sh")), "a shell"
    port = free_port()
    (root / "etc/leat/leat.toml").write_text(f'[api]\nlisten = "127.0.0.1:{port}"\n')
    chroot = ["chroot", f"--userspec={LEAT_USER}:{LEAT_USER}", root, "/usr/bin/leat", "serve"]
    running = Program("leat", chroot, tmp_path / "log")
    try:
        running.wait_for_line(" ready ")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            assert answer.status == 200
        eventually((root / "run/leat/leat.sock").exists, "the socket is there")
    finally:
        assert running.stop() == 0
