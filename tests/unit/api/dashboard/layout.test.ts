import assert from "node:assert/strict";
import { test } from "node:test";
import { kBox, layOut } from "../../../../daemon/api/dashboard/src/parts/layout";

function overlaps(inputs: number[][]): boolean {
  const { boxes } = layOut(inputs);
  return boxes.some((a, i) =>
    boxes.some((b, j) => i < j && Math.abs(a.x - b.x) < kBox.width && Math.abs(a.y - b.y) < kBox.height),
  );
}

test("an operator lies below all that it reads", () => {
  const inputs = [[], [0], [], [1, 2], [0, 3]];
  const { boxes } = layOut(inputs);
  inputs.forEach((reads, node) => {
    for (const each of reads) assert.ok((boxes[each]?.y ?? 0) < (boxes[node]?.y ?? 0));
  });
});

test("no two boxes lie on one another, and none outside", () => {
  for (const inputs of [
    [],
    [[]],
    [[], [0], [0], [1], [2]],
    [[], [], [], [0, 1, 2], [3], [3], [3]],
    [[], [0], [0], [0], [0], [1, 4]],
  ]) {
    const { boxes, width, height } = layOut(inputs);
    assert.ok(!overlaps(inputs));
    for (const box of boxes) {
      assert.ok(box.x >= 0 && box.x + kBox.width <= width + 1e-6);
      assert.ok(box.y >= 0 && box.y + kBox.height <= height);
    }
  }
});

test("a chain is a straight line, and a fork stands evenly below its origin", () => {
  const chain = layOut([[], [0], [1]]).boxes.map((box) => box.x);
  assert.deepEqual(new Set(chain).size, 1);
  const [top, left, right] = layOut([[], [0], [0]]).boxes;
  assert.ok(Math.abs((left?.x ?? 0) + (right?.x ?? 0) - 2 * (top?.x ?? 0)) < 1e-6);
});
