#!/usr/bin/env python3
"""embed.py DIST OUT: the files that Vite built, compressed, as a C++ source that defines dashboard_files().

The same files give the same source, byte by byte. Fails when all of them together are larger than what a dashboard may
cost a gateway on a thin line.
"""

import gzip
import hashlib
import pathlib
import sys

MOST_BYTES = 200 * 1024
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
BYTES_PER_LINE = 32

HEAD = """// Made by embed.py from daemon/api/dashboard; not for reading.
#include "daemon/api/dashboard/files.h"

#include <array>

namespace leat::api {
namespace {

"""
TAIL = """
}  // namespace

std::span<const DashboardFile> dashboard_files() {
  return kFiles;
}

}  // namespace leat::api
"""


def literal(data: bytes) -> str:
    """As octal escapes of three digits: nothing that follows can become a part of one."""
    lines = (data[at : at + BYTES_PER_LINE] for at in range(0, len(data), BYTES_PER_LINE))
    return "\n".join('    "' + "".join(f"\\{byte:03o}" for byte in line) + '"' for line in lines)


def main(dist: pathlib.Path, out: pathlib.Path) -> None:
    paths = sorted(path for path in dist.rglob("*") if path.is_file())
    texts, rows, total = [], [], 0
    for number, path in enumerate(paths):
        contents = path.read_bytes()
        packed = gzip.compress(contents, 9, mtime=0)
        total += len(packed)
        etag = hashlib.sha256(contents).hexdigest()[:16]
        texts.append(f"constexpr char kFile{number}[] =\n{literal(packed)};\n")
        rows.append(
            f'    {{"{path.relative_to(dist).as_posix()}", "{TYPES[path.suffix]}", "\\"{etag}\\"",'
            f" {{kFile{number}, sizeof kFile{number} - 1}}}},\n"
        )
    if total > MOST_BYTES:
        sys.exit(f"embed.py: the dashboard has {total} bytes compressed, {MOST_BYTES} are allowed")
    table = f"constexpr std::array<DashboardFile, {len(rows)}> kFiles{{{{\n{''.join(rows)}}}}};\n"
    out.write_text(HEAD + "".join(texts) + "\n" + table + TAIL)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
