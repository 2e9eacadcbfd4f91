import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, duration, parseTime, rate } from "../../../../daemon/api/dashboard/src/format";
import type { Table } from "../../../../daemon/api/dashboard/src/model";
import { choose, marksOf, queryFor, toPlot } from "../../../../daemon/api/dashboard/src/parts/series";
import { Rates } from "../../../../daemon/api/dashboard/src/rates";

const table: Table = {
  name: "judged",
  rows: 3,
  columns: [
    { name: "machine", type: "STRING" },
    { name: "ts", type: "TIMESTAMP_LTZ(3)" },
    { name: "temperature", type: "DOUBLE" },
    { name: "is_anomaly", type: "BOOLEAN" },
  ],
  primary_key: [],
  users: [],
  declaration: "",
};
const choice = { x: "ts", y: "temperature", mark: "is_anomaly", by: "machine" };

test("what a table most likely wants to show is chosen, and the address wins", () => {
  assert.deepEqual(choose(table, new URLSearchParams()), choice);
  assert.deepEqual(choose(table, new URLSearchParams("by=&mark=")), { ...choice, by: "", mark: "" });
});

test("the query quotes names and asks for the newest rows with a value", () => {
  assert.equal(
    queryFor('a"b', { ...choice, by: "" }, 10),
    'SELECT "ts", "temperature", "is_anomaly" FROM "a""b" WHERE "temperature" IS NOT NULL ORDER BY "ts" DESC LIMIT 10',
  );
});

test("lines share one ascending x, with gaps where a machine has no row", () => {
  const data = toPlot(
    ["ts", "temperature", "is_anomaly", "machine"],
    [
      ["2026-01-01 00:00:02.000", 3, 1, "b"],
      ["2026-01-01 00:00:01.000", 2, 0, "a"],
      ["2026-01-01 00:00:00.000", 1, null, "b"],
    ],
    choice,
  );
  const begin = Date.UTC(2026, 0, 1) / 1000;
  assert.deepEqual(data.x, [begin, begin + 1, begin + 2]);
  assert.ok(data.isTime);
  assert.deepEqual(
    data.lines.map((line) => [line.label, line.values]),
    [
      ["a", [null, 2, null]],
      ["b", [1, null, 3]],
    ],
  );
  assert.deepEqual(marksOf(data), [{ label: "b", x: begin + 2, y: 3 }]);
});

test("without an x the order of the rows counts, the oldest first", () => {
  const data = toPlot(["temperature"], [[3], [2], [null], [1]], { x: "", y: "temperature", mark: "", by: "" });
  assert.deepEqual(data.lines[0]?.values, [1, 2, 3]);
  assert.ok(!data.isTime);
});

test("times without a zone are UTC, and what is no time is none", () => {
  assert.equal(parseTime("2026-01-01 00:00:00.250"), Date.UTC(2026, 0, 1, 0, 0, 0, 250));
  assert.equal(parseTime("2026-01-01T01:00:00+01:00"), Date.UTC(2026, 0, 1));
  assert.equal(parseTime("2026-01-01"), Date.UTC(2026, 0, 1));
  assert.ok(Number.isNaN(parseTime("press-3")));
});

test("a rate is over the last seconds, and a counter that went back begins anew", () => {
  const rates = new Rates();
  rates.add("a", 100, 0);
  assert.equal(rates.of("a"), null);
  rates.add("a", 120, 2000);
  assert.equal(rates.of("a"), 10);
  for (let second = 3; second <= 30; ++second) rates.add("a", 120, second * 1000);
  assert.equal(rates.of("a"), 0);
  rates.add("a", 5, 31_000);
  assert.equal(rates.of("a"), null);
});

test("numbers are spelled for people", () => {
  assert.deepEqual(
    [rate(null), rate(0), rate(3.25), rate(12_345), rate(2e6)],
    ["–", "0/s", "3.3/s", "12.3 k/s", "2 M/s"],
  );
  assert.deepEqual([bytes(512), bytes(1536), bytes(3 * 2 ** 30)], ["512 B", "1.5 KiB", "3 GiB"]);
  assert.deepEqual(
    [duration(0.0004), duration(0.25), duration(5), duration(125), duration(90_061), duration(-5)],
    ["400 µs", "250 ms", "5 s", "2 min 5 s", "1 d 1 h", "−5 s"],
  );
});
