// The plan as a graph: an operator per box, rows flow downwards, with their rates. The table below it says the same.
import { useMemo } from "preact/hooks";
import { count, rate } from "../format";
import type { Operator } from "../model";
import { isSink, moved } from "./flow";
import { kBox, layOut } from "./layout";

interface Props {
  operators: readonly Operator[];
  rateOf: (operator: Operator) => number | null;
}

export function PlanGraph({ operators, rateOf }: Props) {
  const shape = operators.map((each) => each.inputs.join(",")).join(";");
  const layout = useMemo(() => layOut(operators.map((each) => each.inputs)), [shape]);
  const margin = 8;
  return (
    <svg
      class="graph"
      role="img"
      aria-label={`Plan of ${operators.length} operators; the table of operators says the same`}
      width={layout.width + 2 * margin}
      height={layout.height + 2 * margin}
      viewBox={`${-margin} ${-margin} ${layout.width + 2 * margin} ${layout.height + 2 * margin}`}
    >
      {operators.flatMap((each, to) =>
        each.inputs.map((from) => (
          <Edge
            key={`${from}-${to}`}
            from={layout.boxes[from]}
            to={layout.boxes[to]}
            rate={rateOf(operators[from] ?? each)}
          />
        )),
      )}
      {operators.map((each, i) => (
        <Node key={each.name} operator={each} box={layout.boxes[i]} rate={rateOf(each)} />
      ))}
    </svg>
  );
}

type Corner = { x: number; y: number } | undefined;

function Edge({ from, to, rate: perSecond }: { from: Corner; to: Corner; rate: number | null }) {
  if (!from || !to) return null;
  const x1 = from.x + kBox.width / 2;
  const y1 = from.y + kBox.height;
  const x2 = to.x + kBox.width / 2;
  const y2 = to.y;
  const middle = (y1 + y2) / 2;
  const flows = (perSecond ?? 0) > 0;
  // The busier, the thicker: by the logarithm, as rates span some powers of ten.
  const width = 1.5 + Math.min(4, Math.log10(1 + (perSecond ?? 0)));
  return (
    <path
      class={flows ? "edge flows" : "edge"}
      d={`M${x1} ${y1} C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`}
      stroke-width={width}
    />
  );
}

function Node({ operator, box, rate: perSecond }: { operator: Operator; box: Corner; rate: number | null }) {
  if (!box) return null;
  const { late, dead } = operator.rows;
  const trouble = [late > 0 ? `${count(late)} late` : "", dead > 0 ? `${count(dead)} dead` : ""].filter(Boolean);
  return (
    <g class={trouble.length > 0 ? "node trouble" : "node"} transform={`translate(${box.x} ${box.y})`}>
      <title>{operator.description}</title>
      <rect width={kBox.width} height={kBox.height} rx="8" />
      <text x="12" y="20" class="name">
        {short(operator.name, 28)}
      </text>
      <text x="12" y="38">
        {count(moved(operator))} {isSink(operator) ? "rows in" : "rows out"}
      </text>
      <text x="12" y="55" class="aside">
        {trouble.length > 0 ? trouble.join(", ") : operator.keys > 0 ? `${count(operator.keys)} keys` : ""}
      </text>
      <text x={kBox.width - 12} y="55" class="live" text-anchor="end">
        {rate(perSecond)}
      </text>
    </g>
  );
}

const short = (text: string, most: number): string => (text.length > most ? text.slice(0, most - 1) + "…" : text);
