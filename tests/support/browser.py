"""A page in Debian's Chromium, driven by Playwright: `page.click("role=link[name='Tables']")` is its `page.click`.

Playwright is a Node program; `browser/browser.mjs` is its side of the pipe. Its packages are fetched once for a build
folder, as the lock file says.
"""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess

from processes import Failure

HERE = pathlib.Path(__file__).resolve().parent / "browser"
CHROMIUM = "/usr/bin/chromium"


def missing() -> str:
    """Why there can be no browser here; empty: there can."""
    if not pathlib.Path(CHROMIUM).exists():
        return "Debian's chromium is not installed"
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are not installed"
    return ""


def install(folder: pathlib.Path) -> pathlib.Path:
    """Playwright's packages and our side of the pipe, in `folder`; nothing is done when they are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "packages.stamp"
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    for name in ("package.json", "package-lock.json", ".npmrc", "browser.mjs"):
        shutil.copy(HERE / name, folder)
    if not stamp.exists() or stamp.read_text() != wanted:
        command = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise Failure(f"npm ci in {folder} failed:\n{done.stdout}{done.stderr}")
        stamp.write_text(wanted)
    return folder


class Browser:
    """One Chromium with one page at a time."""

    def __init__(self, folder: pathlib.Path, log: pathlib.Path):
        self.log = log
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                ["node", "browser.mjs", CHROMIUM],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def open(self, **options) -> "Page":
        """A page without cookies, storage and cache; options as of Playwright's `newContext`."""
        self.call("open", {"viewport": {"width": 1280, "height": 900}, **options})
        return Page(self)

    def call(self, name: str, *arguments: object) -> object:
        self.process.stdin.write(json.dumps({"call": name, "args": arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"the browser has ended:\n{self.log.read_text()[-2000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failure(f"{name}{arguments}: {answer['error']}")
        return answer["value"]

    def close(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Page:
    """Every method of Playwright's Page, in Python's spelling; `page.keyboard("press", "Tab")` for those of a part."""

    def __init__(self, browser: Browser):
        self.browser = browser

    def __getattr__(self, name: str):
        method = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
        return lambda *arguments: self.browser.call(method, *arguments)

    def keyboard(self, method: str, *arguments: object) -> None:
        self.browser.call(f"keyboard.{method}", *arguments)

    def mouse(self, method: str, *arguments: object) -> None:
        self.browser.call(f"mouse.{method}", *arguments)

    def text(self, selector: str) -> str:
        return self.browser.call("textContent", selector)

    def count(self, selector: str) -> int:
        """Of CSS."""
        return self.browser.call("evaluate", f"document.querySelectorAll({json.dumps(selector)}).length")

    def complaints(self) -> list[str]:
        return self.browser.call("complaints")
