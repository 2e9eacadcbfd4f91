// From rows of a local table to lines of a plot.
import { cell, parseTime } from "../format";
import type { Cell, ColumnInfo, Table } from "../model";

export interface Line {
  label: string;
  values: (number | null)[];
  /** Where a mark goes; one per value. */
  marked?: boolean[];
}

export interface PlotData {
  /** Ascending; seconds since 1970 where `isTime`. */
  x: number[];
  isTime: boolean;
  lines: Line[];
}

export const kMostLines = 8;
/** What somebody chose to see; names of columns, empty: none. */
export interface Choice {
  x: string;
  y: string;
  /** Marks the rows where it is true. */
  mark: string;
  /** A line for each of its values. */
  by: string;
}

const kNumeric = /^(TINYINT|SMALLINT|INT|INTEGER|BIGINT|FLOAT|DOUBLE|REAL|DECIMAL|NUMERIC)/i;
const kTime = /^(TIMESTAMP|DATE)/i;

export const isNumeric = (column: ColumnInfo): boolean => kNumeric.test(column.type);
export const isTime = (column: ColumnInfo): boolean => kTime.test(column.type);
export const canMark = (column: ColumnInfo): boolean => /^(BOOLEAN|TINYINT|INT|INTEGER)/i.test(column.type);
export const isText = (column: ColumnInfo): boolean => /^(STRING|VARCHAR|CHAR)/i.test(column.type);

/** What a table most likely wants to show, where the address does not say. */
export function choose(table: Table, asked: URLSearchParams): Choice {
  const key = new Set(table.primary_key);
  const first = (fits: (column: ColumnInfo) => boolean) => table.columns.find(fits)?.name ?? "";
  const mark =
    first((column) => /anomal|alert|outlier/i.test(column.name) && canMark(column)) ||
    first((column) => /^BOOLEAN/i.test(column.type));
  const guess: Choice = {
    x: first(isTime),
    y: first((column) => isNumeric(column) && !key.has(column.name)) || first(isNumeric),
    mark,
    by: first((column) => isText(column) && key.has(column.name)) || first(isText),
  };
  const given = (name: keyof Choice) => asked.get(name) ?? guess[name];
  return { x: given("x"), y: given("y"), mark: given("mark"), by: given("by") };
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The newest rows that have a value, for POST /api/v1/query. */
export function queryFor(table: string, choice: Choice, rows: number): string {
  const columns = [choice.x, choice.y, choice.mark, choice.by].filter(Boolean).map(quoted);
  const order = choice.x ? ` ORDER BY ${quoted(choice.x)} DESC` : "";
  return `SELECT ${columns.join(", ")} FROM ${quoted(table)} WHERE ${quoted(choice.y)} IS NOT NULL${order} LIMIT ${rows}`;
}

export const kTruth = (value: Cell | undefined): boolean => value === true || value === "true" || value === 1;

function position(value: Cell | undefined): number {
  if (typeof value === "number") return value;
  return parseTime(String(value ?? "")) / 1000;
}

interface Point {
  x: number;
  y: number;
  marked: boolean;
}

/** Rows, newest first; without an x their order counts. */
export function toPlot(names: readonly string[], rows: readonly (readonly Cell[])[], choice: Choice): PlotData {
  const at = (name: string) => (name ? names.indexOf(name) : -1);
  const [x, y, mark, by] = [at(choice.x), at(choice.y), at(choice.mark), at(choice.by)];
  const groups = new Map<string, Point[]>();
  rows.forEach((row, i) => {
    const point = {
      x: x < 0 ? rows.length - i : position(row[x]),
      y: Number(row[y]),
      marked: mark >= 0 && kTruth(row[mark]),
    };
    if (Number.isNaN(point.x) || Number.isNaN(point.y) || row[y] === null) return;
    const group = by < 0 ? choice.y : cell(row[by]);
    const known = groups.get(group);
    if (known) known.push(point);
    else groups.set(group, [point]);
  });
  return align(groups, x >= 0 && typeof rows[0]?.[x] === "string");
}

/** All lines over one common x, as uPlot wants them; the most frequent ones where there are too many. */
function align(groups: Map<string, Point[]>, isTimeAxis: boolean): PlotData {
  const most = [...groups].sort((a, b) => b[1].length - a[1].length).slice(0, kMostLines);
  most.sort((a, b) => a[0].localeCompare(b[0], "en", { numeric: true }));
  const x = [...new Set(most.flatMap(([, points]) => points.map((point) => point.x)))].sort((a, b) => a - b);
  const index = new Map(x.map((value, i) => [value, i]));
  const lines = most.map(([label, points]): Line => {
    const values: (number | null)[] = x.map(() => null);
    const marked = x.map(() => false);
    for (const point of points) {
      const i = index.get(point.x) ?? 0;
      values[i] = point.y;
      marked[i] = marked[i] === true || point.marked;
    }
    return { label, values, marked };
  });
  return { x, isTime: isTimeAxis, lines };
}

export interface Marked {
  label: string;
  x: number;
  y: number;
}

/** The marked points, newest first. */
export function marksOf(data: PlotData): Marked[] {
  const marks: Marked[] = [];
  for (const line of data.lines)
    line.marked?.forEach((marked, i) => {
      const [x, y] = [data.x[i], line.values[i]];
      if (marked && x !== undefined && y !== null && y !== undefined) marks.push({ label: line.label, x, y });
    });
  return marks.sort((a, b) => b.x - a.x);
}
