"""Packages of the build that is tested."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))


def pytest_addoption(parser):
    parser.addoption("--build", default=str(ROOT / "build" / "release"), help="the build whose packages are tested")


def pytest_collection_modifyitems(items):
    reason = ""
    if os.environ.get("LEAT_TEST_LONG") != "1":
        reason = "with LEAT_TEST_LONG=1 only (tests/run --all)"
    for tool in ("lintian", "rpmbuild", "lowdown", "mmdebstrap"):
        if not reason and not shutil.which(tool):
            reason = f"{tool} is missing: packaging/install-packages package"
    for item in items if reason else []:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def build(request) -> pathlib.Path:
    return pathlib.Path(request.config.getoption("--build")).resolve()


def make(build: pathlib.Path, out: pathlib.Path, *kinds: str) -> list[pathlib.Path]:
    command = [ROOT / "packaging/make-package", "--build", build, "--out", out, *kinds]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [pathlib.Path(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="session")
def packages(build, tmp_path_factory) -> list[pathlib.Path]:
    return make(build, tmp_path_factory.mktemp("packages"), "deb", "rpm")


@pytest.fixture(scope="session")
def deb(packages) -> pathlib.Path:
    return packages[0]


@pytest.fixture(scope="session")
def unpacked(deb, tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
    return folder
