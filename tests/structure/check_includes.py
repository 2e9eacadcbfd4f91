#!/usr/bin/env python3
"""Checks who includes whom.

The floors of the house, lowest first; a file may include its own folder and the folders named for it here.
`pipelines` includes nothing above it; `sources` and `sinks` never each other and never `daemon`, except that
`sinks` may use the protocol clients in `sources/clients`; only `daemon` sees everything.

    check_includes.py [ROOT]

Prints each forbidden #include as file:line and ends with exit status 1 when there is one.
"""
import pathlib
import re
import sys

PIPELINES = {
    "pipelines/base": set(),
    "pipelines/column": {"pipelines/base"},
    "pipelines/sql": {"pipelines/base"},
    "pipelines/anomaly": {"pipelines/base"},
    "pipelines/functions": {"pipelines/base", "pipelines/column", "pipelines/anomaly"},
    "pipelines/formats": {"pipelines/base", "pipelines/column"},
    "pipelines/plan": {
        "pipelines/base", "pipelines/column", "pipelines/anomaly", "pipelines/functions", "pipelines/sql"
    },
    "pipelines/exec": {"pipelines/base", "pipelines/column", "pipelines/functions", "pipelines/plan"},
}
ENGINE = set(PIPELINES)
# What the engine must not touch: the operating system, the clock, threads, the database, the loop.
IMPURE = re.compile(
    r"<(thread|mutex|condition_variable|future|atomic|filesystem|fstream|sqlite3\.h|uv\.h|unistd\.h|fcntl\.h"
    r"|sys/.*|netinet/.*|httplib\.h|mqtt/.*|MQTTAsync\.h|librdkafka/.*|spdlog/.*)>"
)
# Compiled into builds for tests only.
IMPURE_FOR_TESTS = {"pipelines/base/fault_point.cc"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|(<[^>]+>))')


def folder_of(path):
    """The unit of the rules: pipelines/x, sources, sources/clients, sinks, daemon/x."""
    parts = path.split("/")
    if parts[0] in ("pipelines", "daemon"):
        return "/".join(parts[:2])
    if parts[0] == "sources" and len(parts) > 2 and parts[1] == "clients":
        return "sources/clients"
    return parts[0]


def allowed(user, used):
    """True if a file in folder `user` may include a file of folder `used`."""
    if user == used:
        return True
    if user.startswith("pipelines/"):
        return used in PIPELINES.get(user, set())
    if user == "sources/clients":
        return used in ENGINE
    if user == "sources":
        return used in ENGINE or used == "sources/clients"
    if user == "sinks":
        return used in ENGINE or used == "sources/clients"
    if user.startswith("daemon/"):
        return True
    return False


def problems_of(root, file):
    name = str(file.relative_to(root))
    user = folder_of(name)
    for number, line in enumerate(file.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, system = match.groups()
        place = f"{name}:{number}"
        if quoted and "/" in quoted and not allowed(user, folder_of(quoted)):
            yield f"{place}: {user} must not include {quoted}"
        if system and user.startswith("pipelines/") and name not in IMPURE_FOR_TESTS and IMPURE.match(system):
            yield f"{place}: the engine is pure and must not include {system}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = [f for top in ("pipelines", "sources", "sinks", "daemon") for f in sorted((root / top).rglob("*"))
             if f.suffix in (".h", ".cc")]
    if len(files) < 10:
        print(f"only {len(files)} source files below {root}: is this the project's root?")
        return 1
    problems = [p for f in files for p in problems_of(root, f)]
    print("\n".join(problems))
    print(f"{len(files)} files checked, {len(problems)} forbidden includes")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
