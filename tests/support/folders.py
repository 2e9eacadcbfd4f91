"""What stands in a folder that a program writes to: its files get other names, and go, while one looks."""

import pathlib
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOKS = 100
HIDDEN = ".leat-"  # Before the name of a file that the filesystem sink still writes.


def of_files(folder: pathlib.Path, look: Callable[[pathlib.Path], T]) -> list[T]:
    """What `look` gives of each file below a folder, hidden ones too, in the order of the names that they have
    or get. A file that goes between the list and the look makes the list old: all is done over."""
    for _ in range(LOOKS):
        paths = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.name.removeprefix(HIDDEN))
        try:
            return [look(path) for path in paths]
        except FileNotFoundError:
            continue
    raise RuntimeError(f"files of {folder} go faster than they can be looked at")


def texts(folder: pathlib.Path) -> list[str]:
    return of_files(folder, pathlib.Path.read_text)
