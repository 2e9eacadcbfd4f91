"""Servers in Java, fetched from Maven Central once, into $LEAT_CACHE or ~/.cache/leat."""

import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile

DEPENDENCY = """
    <dependency><groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version></dependency>"""

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>leat.tests</groupId><artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>{dependencies}
  </dependencies>
</project>
"""


class NoJava(Exception):
    """There is no Java or no Maven here; the message says which."""


class NotFetched(Exception):
    """Maven could not do it; the message has the end of what it said."""


def libraries(name: str, version: str, *dependencies: str) -> pathlib.Path:
    """The folder with the jars of "group:artifact:version" and of all that they need, fetched if need be."""
    if not shutil.which("java"):
        raise NoJava("no Java runtime (java) is installed")
    cache = pathlib.Path(os.environ.get("LEAT_CACHE") or pathlib.Path.home() / ".cache" / "leat")
    folder = cache / f"{name}-{version}"
    if folder.is_dir():
        return folder
    if not shutil.which("mvn"):
        raise NoJava("no Maven (mvn) is installed")
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "fetching", "w") as lock:  # Maven's own folder is not for two at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return folder if folder.is_dir() else fetched(cache, folder, name, dependencies)


def fetched(cache: pathlib.Path, folder: pathlib.Path, name: str, dependencies: tuple[str, ...]) -> pathlib.Path:
    with tempfile.TemporaryDirectory(dir=cache) as work:
        pom = pathlib.Path(work) / "pom.xml"
        wanted = "".join(DEPENDENCY.format(*dependency.split(":")) for dependency in dependencies)
        pom.write_text(POM.format(name=name, dependencies=wanted))
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={work}/jars"]
        done = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(pom), *goal],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotFetched(done.stdout[-2000:])
        os.rename(f"{work}/jars", folder)
    return folder
