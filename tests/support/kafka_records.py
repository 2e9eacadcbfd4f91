"""Records for Kafka topics, written with kcat."""

import shutil
import subprocess

SEPARATOR = "\t"


def produce(
    kafka, topic: str, records: list[tuple[str | None, str | None]], partition: int = 0, **headers: str
) -> None:
    """Keys and values; None is none. The topic comes into being with the first record."""
    kcat = shutil.which("kcat")
    assert kcat, "kcat is not installed (Debian package: kcat)"
    lines = "".join(f"{key or ''}{SEPARATOR}{value or ''}\n" for key, value in records)
    command = [kcat, "-b", kafka.address, "-P", "-t", topic, "-p", str(partition), "-K", SEPARATOR, "-Z"]
    for name, value in headers.items():
        command += ["-H", f"{name}={value}"]
    done = subprocess.run(command, input=lines, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
