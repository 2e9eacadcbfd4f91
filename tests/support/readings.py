"""Readings of made-up devices, and the windows that they must give, computed the plain way."""

import datetime
import json
import random
from collections.abc import Iterable

BEGIN = datetime.datetime(2026, 1, 5, 6, 0, 0)

COLUMNS = """
  device STRING,
  ts     TIMESTAMP(3),
  seq    BIGINT,
  v      DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
"""

WINDOW_COLUMNS = """
  device       STRING,
  window_start TIMESTAMP(3),
  n            BIGINT,
  total        BIGINT,
  mean         DOUBLE,
  top          DOUBLE
"""

WINDOW_QUERY = """
SELECT device, window_start, COUNT(*) AS n, SUM(seq) AS total, AVG(v) AS mean, MAX(v) AS top
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND))
GROUP BY device, window_start, window_end
"""


def stamp(millis: int) -> str:
    """A point in time, so many milliseconds after the beginning, as SQL's JSON writes it."""
    text = (BEGIN + datetime.timedelta(milliseconds=millis)).isoformat(sep=" ", timespec="milliseconds")
    return text


def readings(count: int, devices: int = 5, step: int = 20, seed: int = 7) -> list[dict]:
    """`count` readings, `step` ms of event time apart, up to 800 ms out of order: none of them late."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        millis = number * step - (rng.randrange(800) if rng.random() < 0.2 else 0)
        value = round(20 + 5 * rng.random(), 3)
        device = f"device-{rng.randrange(devices)}"
        made.append({"device": device, "ts": stamp(max(millis, 0)), "seq": number, "v": value})
    return made


def closing(after: list[dict], devices: int = 1, step: int = 20) -> list[dict]:
    """Readings far behind the others in time: they close every window of `after` and stay open themselves."""
    millis = len(after) * step + 60_000
    return [{"device": f"closing-{n}", "ts": stamp(millis), "seq": 0, "v": 0.0} for n in range(devices)]


def expected_windows(rows: Iterable[dict]) -> dict[tuple[str, str], dict]:
    """Windows of one second by device and start; what WINDOW_QUERY must give."""
    groups: dict[tuple[str, str], list[dict]] = {}
    for row in rows:
        groups.setdefault((row["device"], row["ts"][:19]), []).append(row)
    return {key: _window(group) for key, group in groups.items()}


def _window(group: list[dict]) -> dict:
    values = [row["v"] for row in group]
    total = sum(row["seq"] for row in group)
    return {"n": len(group), "total": total, "mean": sum(values) / len(values), "top": max(values)}


def check_windows(got: list[dict], rows: Iterable[dict]) -> None:
    """Every window once, and right. Fails with the first few differences."""
    expected = expected_windows(rows)
    keys = [(row["device"], row["window_start"][:19]) for row in got]
    doubled = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    assert not doubled, f"windows that came more than once: {doubled[:5]} ({len(doubled)} in all)"
    missing = sorted(set(expected) - set(keys))
    assert not missing, f"windows that did not come: {missing[:5]} ({len(missing)} in all)"
    assert not set(keys) - set(expected), f"windows that nobody asked for: {sorted(set(keys) - set(expected))[:5]}"
    for key, row in zip(keys, got):
        want = expected[key]
        same = all(row[name] == want[name] for name in ("n", "total", "top")) and abs(row["mean"] - want["mean"]) < 1e-9
        assert same, f"window {key} is {row}, expected {want}"


def lines(rows: Iterable[dict]) -> list[str]:
    return [json.dumps(row) for row in rows]
