"""Fixtures: the binary, a real mosquitto, the HTTP receiver, a real Kafka broker, and `leat serve`.

Everything lives in the test's temporary folder and ends with it.
"""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from kafka import Kafka  # noqa: E402
from leat import Daemon, run  # noqa: E402
from mosquitto import Mosquitto  # noqa: E402
from mqtt_publisher import Publisher  # noqa: E402
from receiver import Receiver  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "timed: it measures time, or loads the machine, and runs alone")


def pytest_addoption(parser):
    parser.addoption("--leat", default=str(ROOT / "build" / "release" / "leat"), help="the binary to test")


@pytest.fixture(scope="session")
def leat(request) -> pathlib.Path:
    path = pathlib.Path(request.config.getoption("--leat")).resolve()
    assert path.exists(), f"there is no binary at {path}: build it, or name one with --leat"
    return path


@pytest.fixture
def run_leat(leat):
    """`run_leat("check", file)`: any verb to its end."""
    return lambda *arguments, **options: run(leat, *arguments, **options)


@pytest.fixture
def broker(tmp_path):
    """A mosquitto that keeps its sessions over a restart."""
    broker = Mosquitto(tmp_path / "broker", persistence=True)
    yield broker
    broker.stop()


@pytest.fixture
def publisher(broker):
    publisher = Publisher(broker.port)
    yield publisher
    publisher.close()


@pytest.fixture
def receiver(tmp_path):
    receiver = Receiver(tmp_path / "receiver")
    yield receiver
    receiver.stop()


@pytest.fixture
def daemon(leat, tmp_path):
    """`leat serve`, not started yet."""
    daemon = Daemon(leat, tmp_path / "leat")
    yield daemon
    try:
        daemon.stop()
    finally:
        daemon.kill()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    kafka = Kafka(tmp_path_factory.mktemp("kafka"))
    yield kafka
    kafka.close()
