// Where the operators of a plan go: in layers from the sources down, each in the middle of what it reads.

export interface Box {
  x: number;
  y: number;
}

export interface Layout {
  boxes: Box[];
  width: number;
  height: number;
}

export const kBox = { width: 208, height: 64, across: 24, down: 44 };

/** `inputs[i]`: the nodes that node i reads; they stand before it in the list. */
export function layOut(inputs: readonly (readonly number[])[]): Layout {
  const layer = layers(inputs);
  const rows: number[][] = [];
  layer.forEach((row, node) => (rows[row] ??= []).push(node));
  const centre: number[] = inputs.map(() => 0);
  for (const row of rows) placeRow(row, inputs, centre);
  const left = Math.min(0, ...centre);
  const boxes = centre.map((x, node) => ({
    x: (x - left) * (kBox.width + kBox.across),
    y: (layer[node] ?? 0) * (kBox.height + kBox.down),
  }));
  return {
    boxes,
    width: Math.max(0, ...boxes.map((box) => box.x)) + kBox.width,
    height: Math.max(1, rows.length) * (kBox.height + kBox.down) - kBox.down,
  };
}

/** One below the lowest that it reads. */
function layers(inputs: readonly (readonly number[])[]): number[] {
  const layer: number[] = [];
  inputs.forEach((reads, node) => {
    layer[node] = 1 + Math.max(-1, ...reads.filter((each) => each < node).map((each) => layer[each] ?? 0));
  });
  return layer;
}

/** In the order of what they wish, each at least one place from its neighbour, the whole row around the wishes' middle. */
function placeRow(row: readonly number[], inputs: readonly (readonly number[])[], centre: number[]): void {
  const wish = new Map(row.map((node, i) => [node, mean((inputs[node] ?? []).map((each) => centre[each] ?? 0)) ?? i]));
  const wished = (node: number) => wish.get(node) ?? 0;
  const sorted = [...row].sort((a, b) => wished(a) - wished(b) || a - b);
  let next = -Infinity;
  for (const node of sorted) {
    next = Math.max(next, wished(node));
    centre[node] = next;
    next += 1;
  }
  const shift = (mean(sorted.map((node) => (centre[node] ?? 0) - wished(node))) ?? 0) || 0;
  for (const node of sorted) centre[node] = (centre[node] ?? 0) - shift;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}
