"""What stands in a folder that a program writes to: its files get other names, and go, while one looks."""

import pathlib
import stat
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOKS = 100
HIDDEN = ".leat-"  # Before the name of a file that the filesystem sink still writes.


def of_files(folder: pathlib.Path, look: Callable[[pathlib.Path], T]) -> list[T]:
    """What `look` gives of each file below a folder, hidden ones too, in the order of the names that they have
    or get. If one got another name, came or went meanwhile, all is done over."""
    for _ in range(LOOKS):
        try:
            paths = files(folder)
            found = [look(path) for path in paths]
            if files(folder) == paths:
                return found
        except FileNotFoundError:
            continue
    raise RuntimeError(f"files of {folder} go faster than they can be looked at")


def files(folder: pathlib.Path) -> list[pathlib.Path]:
    """`FileNotFoundError`: one went while they were listed."""
    paths = [path for path in folder.rglob("*") if stat.S_ISREG(path.stat().st_mode)]
    return sorted(paths, key=lambda path: path.name.removeprefix(HIDDEN))


def texts(folder: pathlib.Path) -> list[str]:
    return of_files(folder, pathlib.Path.read_text)
