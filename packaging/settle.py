"""What a package's files need besides lying in place; packaging/settle.cmake calls it for CPack.

Strips the program, writes copyright and changelogs, compresses the manual, and gives all files the modes and the one
date of SOURCE_DATE_EPOCH, so that the same sources give the same package.
"""

import argparse
import email.utils
import gzip
import json
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = "usr/bin/leat"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    for option in ("kind", "version", "release", "maintainer", "strip", "page"):
        parser.add_argument(f"--{option}", required=True)
    options = parser.parse_args()
    date = int(os.environ["SOURCE_DATE_EPOCH"])
    root = options.folder
    doc = root / "usr/share/doc/leat"

    command = [options.strip, "--strip-unneeded", "--remove-section=.comment", "--remove-section=.note", root / PROGRAM]
    subprocess.run(command, check=True)
    (doc / "copyright").write_text(copyright_text(options.page))
    changes = (HERE.parent / "CHANGELOG.md").read_text()
    compress(doc / "changelog.gz", changes.encode())
    if options.kind == "DEB":
        version = f"{options.version}-{options.release}"
        compress(doc / "changelog.Debian.gz", debian_changelog(version, options.maintainer, date).encode())
        overrides = root / "usr/share/lintian/overrides"
        overrides.mkdir(parents=True)
        (overrides / "leat").write_text((HERE / "deb/lintian-overrides").read_text())
    for page in sorted((root / "usr/share/man").rglob("*.[0-9]")):
        compress(page.with_name(page.name + ".gz"), page.read_bytes())
        page.unlink()
    settle_modes(root, date)


def compress(path: pathlib.Path, data: bytes):
    """As gzip -9n: without a name and a date."""
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(data)


def copyright_text(page: str) -> str:
    """Debian's machine-readable form: the stanzas of packaging/deb/copyright, and one for each package that is in the
    dashboard, if there is one."""
    text = (HERE / "deb/copyright").read_text()
    if not page:
        return text
    lock = json.loads((HERE.parent / "daemon/api/dashboard/package-lock.json").read_text())
    bundled = [path for path, about in lock["packages"].items() if path and not about.get("dev")]
    stanzas = [npm_stanza(pathlib.Path(page) / path, lock["packages"][path]) for path in sorted(bundled)]
    first_license = text.index("License: Apache-2.0\n Licensed")
    return text[:first_license] + "".join(stanzas) + text[first_license:]


def npm_stanza(folder: pathlib.Path, about: dict) -> str:
    text = next(path for path in sorted(folder.iterdir()) if path.name.startswith("LICENSE")).read_text()
    if about["license"] != "MIT" or "Permission is hereby granted, free of charge" not in text:
        raise SystemExit(f"{folder}: its licence is not MIT, as all others' are: teach packaging/settle.py about it")
    holder = re.search(r"^Copyright \(c\) (.*)$", text, re.M).group(1)
    return f"Files: {str(folder).split('/page/')[1]}/*\nCopyright: {holder}\nLicense: Expat\n\n"


def debian_changelog(version: str, maintainer: str, date: int) -> str:
    when = email.utils.formatdate(date, localtime=False).replace("-0000", "+0000")
    return (
        f"leat ({version}) bookworm; urgency=medium\n\n"
        "  * Made from Leat's sources; what has changed is in changelog.gz.\n\n"
        f" -- {maintainer}  {when}\n"
    )


def settle_modes(root: pathlib.Path, date: int):
    for path in [*root.rglob("*"), root]:
        if path.is_symlink():
            continue
        is_open = path.is_dir() or path.relative_to(root) == pathlib.Path(PROGRAM)
        path.chmod(0o755 if is_open else 0o644)
        os.utime(path, (date, date))


main()
