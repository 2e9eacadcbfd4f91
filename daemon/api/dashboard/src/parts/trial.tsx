// A trial: the query on live or pasted input for a moment, without state and sinks; its rows are shown as they come.
import { useEffect, useRef, useState } from "preact/hooks";
import { message, Problem } from "../api";
import { plural } from "../format";
import { readStream } from "../stream";
import { ChangedRows, shown, type TailState, kEmpty } from "./tail";
import { Card, Waiting } from "./ui";

const kMostRows = 1000;

interface Props {
  sql: string;
  sources: readonly string[];
  /** Whose rows can be shown; of several one must be chosen. */
  sinks: readonly string[];
}

export function Trial({ sql, sources, sinks }: Props) {
  const [seconds, setSeconds] = useState(10);
  const [sink, setSink] = useState("");
  const [pasted, setPasted] = useState<Record<string, string>>({});
  const [state, setState] = useState<TailState | null>(null);
  const [failure, setFailure] = useState("");
  const running = useRef<AbortController | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => () => running.current?.abort(), []);
  // Of another text the rows and what was said of it mean nothing.
  useEffect(() => {
    running.current?.abort();
    setState(null);
    setFailure("");
  }, [sql]);

  const run = async () => {
    const abort = (running.current = new AbortController());
    setState(kEmpty);
    setFailure("");
    setBusy(true);
    const input = Object.fromEntries(Object.entries(pasted).filter(([table, text]) => text && sources.includes(table)));
    const table = sinks.includes(sink) ? sink : sinks[0];
    const body = {
      sql,
      seconds,
      rows: kMostRows,
      ...(Object.keys(input).length > 0 ? { input } : {}),
      ...(sinks.length > 1 ? { table } : {}),
    };
    try {
      await readStream("api/v1/trial", { method: "POST", body, signal: abort.signal }, ({ event, data }) =>
        setState((before) => shown(before ?? kEmpty, event, data)),
      );
    } catch (error) {
      setFailure(error instanceof Problem ? String(error.body["text"] ?? error.message) : message(error));
    }
    setBusy(false);
  };

  return (
    <Card title="Trial">
      <p class="quiet">
        Runs the queries on live input, or on lines that you paste, without touching state or sinks; shows their rows.
      </p>
      <Inputs sources={sources} pasted={pasted} onPaste={(table, text) => setPasted({ ...pasted, [table]: text })} />
      <div class="row">
        {sinks.length > 1 && (
          <label>
            rows for{" "}
            <select
              value={sinks.includes(sink) ? sink : sinks[0]}
              onChange={(event) => setSink(event.currentTarget.value)}
            >
              {sinks.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
        )}
        <label>
          for{" "}
          <select value={String(seconds)} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
            {[5, 10, 30, 60].map((each) => (
              <option key={each} value={String(each)}>
                {each} seconds
              </option>
            ))}
          </select>
        </label>
        {busy ? (
          <button type="button" onClick={() => running.current?.abort()}>
            Stop
          </button>
        ) : (
          <button type="button" onClick={() => void run()}>
            Try
          </button>
        )}
        {state && <span class="quiet">{[plural(state.seen, "row"), state.note].filter(Boolean).join(" · ")}</span>}
      </div>
      {failure && <pre class="error">{failure}</pre>}
      {state && state.rows.length > 0 && <ChangedRows label="Rows of the trial" state={state} />}
      {state && state.rows.length === 0 && busy && <Waiting error="">No row has come yet.</Waiting>}
    </Card>
  );
}

interface InputsProps {
  sources: readonly string[];
  pasted: Record<string, string>;
  onPaste: (table: string, text: string) => void;
}

function Inputs({ sources, pasted, onPaste }: InputsProps) {
  if (sources.length === 0) return null;
  return (
    <div class="row top">
      {sources.map((table) => (
        <label key={table} class="stacked">
          Lines for {table}; empty: its live input
          <textarea
            rows={3}
            spellcheck={false}
            value={pasted[table] ?? ""}
            onInput={(event) => onPaste(table, event.currentTarget.value)}
          />
        </label>
      ))}
    </div>
  );
}
