import assert from "node:assert/strict";
import { test } from "node:test";
import { indexOf, pieces, rangeOf, tokens } from "../../../../daemon/api/dashboard/src/parts/sql";

const kinds = (text: string) =>
  tokens(text)
    .filter((each) => each.kind !== "space")
    .map((each) => `${each.kind} ${each.text}`);

test("words, strings, numbers, comments and names are told apart", () => {
  assert.deepEqual(kinds("SELECT `a b`, 'it''s', 1.5e3 FROM t -- all"), [
    "keyword SELECT",
    "name `a b`",
    "symbol ,",
    "string 'it''s'",
    "symbol ,",
    "number 1.5e3",
    "keyword FROM",
    "name t",
    "comment -- all",
  ]);
  assert.deepEqual(
    kinds("create table selection (a int)").map((each) => each.split(" ")[0]),
    ["keyword", "keyword", "name", "symbol", "name", "type", "symbol"],
  );
});

test("whatever the text is, its tokens are all of it", () => {
  for (const text of ["", "'open", "/* open", "`open", '"open', "a\r\n\tb", "ä€😀;", "--", "1..2", "\0"])
    assert.equal(
      tokens(text)
        .map((each) => each.text)
        .join(""),
      text,
    );
});

test("a column counts code points, as the daemon does", () => {
  const text = "-- 😀😀\n  '😀' b";
  assert.equal(text.slice(indexOf(text, { line: 2, column: 7 })), "b");
  assert.equal(indexOf(text, { line: 1, column: 5 }), 5);
});

test("places beyond the text are its end, and beyond a line the line's", () => {
  assert.equal(indexOf("ab\ncd", { line: 9, column: 1 }), 5);
  assert.equal(indexOf("ab\ncd", { line: 1, column: 9 }), 2);
});

test("an error underlines at least one character", () => {
  assert.deepEqual(rangeOf("SELECT b", { line: 1, column: 8, length: 1 }), { from: 7, to: 8 });
  assert.deepEqual(rangeOf("SELECT b", { line: 1, column: 8, length: 0 }), { from: 7, to: 8 });
  assert.deepEqual(rangeOf("SELECT", { line: 1, column: 7, length: 1 }), { from: 5, to: 6 });
  assert.deepEqual(rangeOf("a 😀", { line: 1, column: 3, length: 1 }), { from: 2, to: 4 });
});

test("underlining cuts tokens where it begins and ends, and loses none of the text", () => {
  const cut = pieces("SELECT abc", [{ from: 8, to: 9 }]);
  assert.deepEqual(
    cut.map((each) => [each.text, each.wrong]),
    [
      ["SELECT", false],
      [" ", false],
      ["a", false],
      ["b", true],
      ["c", false],
    ],
  );
  assert.ok(pieces("a b c", [{ from: 0, to: 5 }]).every((each) => each.wrong));
});
