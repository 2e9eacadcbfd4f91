// One equation of the accounting as a bar: what came in, and where all of it went.
import { count } from "../format";

export type PartKind = "done" | "aside" | "waits" | "late" | "bad";

export interface Part {
  name: string;
  value: number;
  kind: PartKind;
}

interface Props {
  /** "received" */
  whole: string;
  value: number;
  parts: Part[];
}

export function Identity({ whole, value, parts }: Props) {
  const sum = parts.reduce((total, part) => total + part.value, 0);
  const shown = parts.filter((part) => part.value > 0);
  const off = value - sum;
  return (
    <div class="identity">
      <div class="whole">
        <strong>{count(value)}</strong> {whole}
        <span class={off === 0 ? "sum good" : "sum bad"}>{off === 0 ? "adds up" : `off by ${count(off)}`}</span>
      </div>
      <div class="bar" aria-hidden="true">
        {shown.map((part) => (
          <i key={part.name} class={part.kind} style={{ flexGrow: part.value / Math.max(sum, 1) }} />
        ))}
      </div>
      <ul class="parts">
        {(shown.length > 0 ? shown : parts.slice(0, 1)).map((part) => (
          <li key={part.name}>
            <i class={part.kind} aria-hidden="true" />
            {count(part.value)} {part.name}
          </li>
        ))}
      </ul>
    </div>
  );
}
