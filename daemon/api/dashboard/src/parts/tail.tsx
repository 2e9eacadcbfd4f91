// The last rows of a table of a running pipeline, as they come. The daemon samples when the page is slow; a page in the
// background reads nothing at all.
import { useEffect, useRef, useState } from "preact/hooks";
import { has, message, NoRoute, Problem, segment } from "../api";
import { count, plural } from "../format";
import type { Cell, ChangedRow, ColumnInfo } from "../model";
import { readStream } from "../stream";
import { RowsTable } from "./rows";

const kKept = 100;
const kFirstPause = 1_000;
const kLongestPause = 30_000;

export interface TailState {
  columns: string[];
  rows: ChangedRow[];
  seen: number;
  skipped: number;
  /** The daemon has named the columns: what comes from then on is shown, or counted as left out. */
  reads: boolean;
  /** What is the matter; empty: nothing. */
  note: string;
}

export const kEmpty: TailState = { columns: [], rows: [], seen: 0, skipped: 0, reads: false, note: "" };

/** What an event of a tail or a trial does to what is shown. */
export function shown(state: TailState, event: string, data: unknown): TailState {
  switch (event) {
    case "schema":
      return { ...state, reads: true, columns: (data as { columns: ColumnInfo[] }).columns.map((column) => column.name) };
    case "rows": {
      const rows = data as ChangedRow[];
      return { ...state, rows: [...rows].reverse().concat(state.rows).slice(0, kKept), seen: state.seen + rows.length };
    }
    case "skipped":
      return { ...state, skipped: state.skipped + (data as { rows: number }).rows };
    case "note":
      return { ...state, note: (data as { text: string }).text };
    case "end":
      return { ...state, reads: false, note: `ended: ${(data as { why: string }).why}` };
    default:
      return state;
  }
}

export function ChangedRows({ label, state }: { label: string; state: TailState }) {
  const columns = state.columns.length > 0 ? state.columns : Object.keys(state.rows[0]?.row ?? {});
  const rows = state.rows.map((each): (Cell | undefined)[] => [each.kind, ...columns.map((name) => each.row[name])]);
  const classes = state.rows.map((each) => (each.kind.startsWith("-") ? "taken" : ""));
  return <RowsTable label={label} columns={["", ...columns]} rows={rows} classes={classes} />;
}

function useVisible(): boolean {
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const look = () => setVisible(!document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return visible;
}

/** Reads a tail until it is told to stop, over lost connections. */
function useTail(table: string, pipeline: string): TailState {
  const [state, setState] = useState(kEmpty);
  const visible = useVisible();
  useEffect(() => setState(kEmpty), [table, pipeline]);
  useEffect(() => {
    if (!table || !visible) return;
    const abort = new AbortController();
    void follow(`api/v1/tail/${segment(table)}?pipeline=${segment(pipeline)}`, abort.signal, setState);
    return () => abort.abort();
  }, [table, pipeline, visible]);
  return state;
}

type Update = (change: (state: TailState) => TailState) => void;

async function follow(path: string, signal: AbortSignal, update: Update): Promise<void> {
  for (let wait = kFirstPause; !signal.aborted; wait = Math.min(2 * wait, kLongestPause)) {
    try {
      await readStream(path, { signal }, ({ event, data }) => {
        wait = kFirstPause;
        update((state) => shown({ ...state, note: "" }, event, data));
      });
    } catch (error) {
      if (signal.aborted || error instanceof NoRoute) return;
      update((state) => ({ ...state, reads: false, note: message(error) }));
      if (error instanceof Problem && error.status >= 400 && error.status < 429) return;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

export function Tail({ pipeline, tables }: { pipeline: string; tables: readonly string[] }) {
  const [chosen, setChosen] = useState("");
  const select = useRef<HTMLSelectElement>(null);
  const table = tables.includes(chosen) ? chosen : "";
  const state = useTail(table, pipeline);
  if (!has("tail")) return <p class="quiet">This daemon cannot show rows as they come.</p>;
  return (
    <>
      <div class="row">
        <label>
          Table{" "}
          <select ref={select} value={table} onChange={(event) => setChosen(event.currentTarget.value)}>
            <option value="">– none –</option>
            {tables.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        {table && (
          <span class="quiet" aria-live="off">
            {plural(state.seen, "row")} seen{state.skipped > 0 && `, ${count(state.skipped)} left out`}
            {state.note && ` · ${state.note}`}
          </span>
        )}
      </div>
      {table && state.rows.length > 0 && <ChangedRows label={`Last rows of ${table}`} state={state} />}
      {table && state.rows.length === 0 && <p class="quiet">{state.reads ? "No row has come yet." : state.note || "Opening …"}</p>}
    </>
  );
}
