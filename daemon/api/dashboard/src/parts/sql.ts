// SQL as an editor shows it: coloured, with what is wrong underlined. It colours what people write, the daemon alone says
// what it means.

export type TokenKind = "keyword" | "type" | "string" | "number" | "comment" | "name" | "symbol" | "space";

export interface Token {
  kind: TokenKind;
  text: string;
}

const kKeywords = new Set(
  (
    "ABSENCE ALL AND ANY AS ASC BEGIN BETWEEN BY CASE CAST COALESCE COLLECT COLUMNS CONFLICT CREATE CROSS CUMULATE " +
    "CURRENT DEFINE DESC DESCRIPTOR DISTINCT DO DROP ELSE EMIT END ENFORCED ERROR ESCAPE EXCEPT EXECUTE EXISTS FALSE " +
    "FETCH FILTER FIRST FOLLOWING FOR FROM FULL GROUP GROUPING HAVING HOP IF IGNORE IN INNER INSERT INTERSECT INTERVAL " +
    "INTO IS JOIN KEY LAST LATERAL LEFT LIKE LIMIT MATCH_RECOGNIZE MEASURES METADATA NATURAL NEXT NOT NOTHING NULL NULLS " +
    "OF OFFSET ON ONE OPTIONS OR ORDER OUTER OVER PARTITION PAST PATTERN PER PRECEDING PRIMARY RANGE RESPECT RIGHT ROLLUP " +
    "ROW ROWS SELECT SESSION SET SETS SKIP STATEMENT SYSTEM_TIME TABLE TEMPORARY THEN TO TRUE TUMBLE UNBOUNDED UNION " +
    "UNNEST USING VALUES VIEW VIRTUAL WATERMARK WHEN WHERE WINDOW WITH WITHIN WITHOUT"
  ).split(" "),
);
const kTypes = new Set(
  (
    "ARRAY BIGINT BINARY BOOLEAN BYTES CHAR DATE DAY DECIMAL DOUBLE FLOAT HOUR INT INTEGER MAP MINUTE MONTH NUMERIC " +
    "PRECISION REAL SECOND SMALLINT STRING TIME TIMESTAMP TIMESTAMP_LTZ TINYINT VARBINARY VARCHAR YEAR"
  ).split(" "),
);

const kToken =
  /(?<comment>--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<string>'(?:[^']|'')*(?:'|$))|(?<quoted>`[^`]*(?:`|$)|"[^"]*(?:"|$))|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z_$][\w$]*)|(?<space>\s+)|(?<symbol>[\s\S])/gu;

/** All of the text, in pieces. */
export function tokens(text: string): Token[] {
  const list: Token[] = [];
  for (const match of text.matchAll(kToken)) list.push({ kind: kindOf(match), text: match[0] });
  return list;
}

function kindOf(match: RegExpMatchArray): TokenKind {
  const groups = match.groups ?? {};
  if (groups["comment"] !== undefined) return "comment";
  if (groups["string"] !== undefined) return "string";
  if (groups["number"] !== undefined) return "number";
  if (groups["space"] !== undefined) return "space";
  if (groups["symbol"] !== undefined) return "symbol";
  const word = match[0].toUpperCase();
  if (kKeywords.has(word)) return "keyword";
  return kTypes.has(word) ? "type" : "name";
}

export interface Place {
  line: number;
  column: number;
}

/** The index in the text of a line and column, both from 1; the column counts code points, as the daemon does. */
export function indexOf(text: string, place: Place): number {
  let start = 0;
  for (let line = 1; line < place.line; ++line) {
    const end = text.indexOf("\n", start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  let index = start;
  for (let column = 1; column < place.column && index < text.length && text[index] !== "\n"; ++column)
    index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return index;
}

export interface Range {
  from: number;
  to: number;
}

/** What an error underlines: at least one character, on one line at most to its end. */
export function rangeOf(text: string, error: Place & { length: number }): Range {
  const from = indexOf(text, error);
  let to = from;
  for (let n = 0; n < Math.max(1, error.length) && to < text.length; ++n)
    to += (text.codePointAt(to) ?? 0) > 0xffff ? 2 : 1;
  return to > from ? { from, to } : { from: Math.max(0, from - 1), to: from };
}

export interface Piece extends Token {
  wrong: boolean;
}

/** Tokens, cut where an underlined range begins or ends. */
export function pieces(text: string, wrong: readonly Range[]): Piece[] {
  const cuts = [...new Set(wrong.flatMap((range) => [range.from, range.to]))].sort((a, b) => a - b);
  const list: Piece[] = [];
  let at = 0;
  for (const token of tokens(text)) {
    const end = at + token.text.length;
    const inside = [at, ...cuts.filter((cut) => cut > at && cut < end), end];
    for (let i = 0; i + 1 < inside.length; ++i) {
      const from = inside[i] ?? at;
      const to = inside[i + 1] ?? end;
      const isWrong = wrong.some((range) => range.from <= from && to <= range.to);
      list.push({ kind: token.kind, text: text.slice(from, to), wrong: isWrong });
    }
    at = end;
  }
  return list;
}
