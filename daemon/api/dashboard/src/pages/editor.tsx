// SQL, checked while it is typed; tried on live or pasted input; deployed when it is well.
import { useEffect, useRef, useState } from "preact/hooks";
import { has, message, NoRoute, Problem, request, segment } from "../api";
import type { Pipeline, SqlError, Summary, Validation } from "../model";
import { Deploy } from "../parts/deploy";
import { indexOf, rangeOf, type Range } from "../parts/sql";
import { SqlEditor } from "../parts/sql_text";
import { Trial } from "../parts/trial";
import { Card, Dialog } from "../parts/ui";
import { usePoll } from "../poll";
import { place, setQuery } from "../router";

const kTypingPause = 350;
const kDraft = "leat.draft";
const kName = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

const kStarter = `CREATE TABLE readings (
  machine STRING,
  ts TIMESTAMP_LTZ(3),
  temperature DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'mqtt',
  'url' = 'mqtt://127.0.0.1:1883',
  'topic' = 'site/+',
  'scan.watermark.idle-timeout' = '30 s',
  'format' = 'json'
);

CREATE TABLE means (machine STRING, window_start TIMESTAMP_LTZ(3), mean DOUBLE) WITH ('connector' = 'sqlite');

INSERT INTO means
SELECT machine, window_start, AVG(temperature)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY machine, window_start, window_end;
`;

interface Check {
  /** What was checked. */
  text: string;
  validation: Validation | null;
  /** Why it could not be checked; empty: it could. */
  failure: string;
}

const kUnchecked: Check = { text: "", validation: null, failure: "" };

/** What the daemon says of the text, once nobody has typed for a moment. */
function useCheck(text: string): Check {
  const [check, setCheck] = useState(kUnchecked);
  useEffect(() => {
    if (text.trim() === "" || !has("validate")) return setCheck(kUnchecked);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      request<Validation>("api/v1/validate", { method: "POST", body: { sql: text }, signal: abort.signal })
        .then((validation) => setCheck({ text, validation, failure: "" }))
        .catch((error: unknown) => {
          if (abort.signal.aborted) return;
          setCheck({ text, validation: null, failure: error instanceof NoRoute ? "" : message(error) });
        });
    }, kTypingPause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  return check;
}

/** The text of the pipeline that the address names, else the draft of before; and what is to say of it. */
function useText(pipeline: string): [string, (text: string) => void, string] {
  const [text, setText] = useState(() => (pipeline ? "" : (sessionStorage.getItem(kDraft) ?? kStarter)));
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    setTrouble("");
    if (!pipeline) return;
    const abort = new AbortController();
    request<Pipeline>(`api/v1/pipelines/${segment(pipeline)}`, { signal: abort.signal })
      .then((found) => {
        setText(found.sql ?? "");
        setTrouble(remark(found));
      })
      .catch((error: unknown) => setTrouble(message(error)));
    return () => abort.abort();
  }, [pipeline]);
  const change = (next: string) => {
    setText(next);
    if (!pipeline) sessionStorage.setItem(kDraft, next);
  };
  return [text, change, trouble];
}

function remark(pipeline: Pipeline): string {
  if (!pipeline.sql) return `This daemon cannot show the SQL of ${pipeline.name}.`;
  if (pipeline.origin !== "file") return "";
  return `${pipeline.name} comes from a file on the gateway and is changed there. From here it can be deployed under another name.`;
}

export function Editor() {
  const pipeline = place.value.query.get("pipeline") ?? "";
  const [text, setText, trouble] = useText(pipeline);
  const [name, setName] = useState(pipeline);
  useEffect(() => setName(pipeline), [pipeline]);
  const check = useCheck(text);
  const field = useRef<HTMLTextAreaElement>(null);
  const fresh = check.text === text;
  const errors = check.validation?.errors ?? [];
  // While somebody types, what was wrong before would be underlined in the wrong place.
  const wrong: Range[] = fresh ? errors.map((error) => rangeOf(text, error)) : [];
  // The tables of the last text that was well: those of a text that is not are not known.
  const known = useRef<Validation["pipeline"]>(null);
  known.current = check.validation?.pipeline ?? known.current;
  const tables = known.current;
  const goTo = (error: SqlError) => {
    const index = indexOf(text, error);
    field.current?.focus();
    field.current?.setSelectionRange(index, index + Math.max(1, error.length));
  };
  return (
    <>
      <header class="row">
        <h1>Editor</h1>
        <NameFields pipeline={pipeline} name={name} onName={setName} />
        <div class="row end">
          <Explain sql={text} />
          <Deploy name={name} sql={text} ready={kName.test(name) && text.trim() !== ""} />
        </div>
      </header>
      {trouble && <p class="told warn">{trouble}</p>}
      <SqlEditor text={text} wrong={wrong} onInput={setText} field={field} describedBy="verdict" />
      <div id="verdict" aria-live="polite">
        {text.trim() !== "" && <Verdict check={check} fresh={fresh} onGoTo={goTo} />}
      </div>
      {has("trial") && <Trial sql={text} sources={tableNames(tables?.sources)} sinks={tableNames(tables?.sinks)} />}
    </>
  );
}

const tableNames = (tables: (string | { table: string })[] = []): string[] =>
  tables.map((each) => (typeof each === "string" ? each : each.table));

function NameFields(props: { pipeline: string; name: string; onName: (name: string) => void }) {
  const { data } = usePoll("pipelines", 10_000, (signal) =>
    request<{ pipelines: Summary[] }>("api/v1/pipelines", { signal }),
  );
  const names = data?.pipelines.map((each) => each.name) ?? [];
  const all = props.pipeline && !names.includes(props.pipeline) ? [props.pipeline, ...names] : names;
  return (
    <div class="row">
      <label>
        Open{" "}
        <select value={props.pipeline} onChange={(event) => setQuery({ pipeline: event.currentTarget.value || null })}>
          <option value="">a new one</option>
          {all.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <label>
        Name{" "}
        <input
          name="name"
          value={props.name}
          placeholder="line-3"
          spellcheck={false}
          autocapitalize="off"
          aria-invalid={props.name !== "" && !kName.test(props.name)}
          onInput={(event) => props.onName(event.currentTarget.value)}
        />
      </label>
    </div>
  );
}

function Verdict({ check, fresh, onGoTo }: { check: Check; fresh: boolean; onGoTo: (error: SqlError) => void }) {
  if (!has("validate")) return <p class="quiet">This daemon checks the text only when it is deployed.</p>;
  if (check.failure) return <p class="error">Not checked: {check.failure}</p>;
  const { validation } = check;
  if (!validation) return <p class="quiet">…</p>;
  if (validation.valid && validation.warnings.length === 0)
    return <p class={fresh ? "told good" : "told quiet"}>{fresh ? "Nothing is wrong." : "…"}</p>;
  return (
    <div class={fresh ? "problems" : "problems stale"}>
      <ul>
        {validation.errors.map((error, i) => (
          <li key={i}>
            <button type="button" class="link" onClick={() => onGoTo(error)}>
              line {error.line}, column {error.column}
            </button>{" "}
            {error.message}
          </li>
        ))}
        {validation.warnings.map((warning, i) => (
          <li key={`warning ${i}`} class="quiet">
            {typeof warning === "string" ? warning : `line ${warning.line}: ${warning.message}`}
          </li>
        ))}
      </ul>
      {validation.text && <pre class="caret">{validation.text}</pre>}
    </div>
  );
}

/** Of wrong SQL all errors with their carets. */
function wrongText(error: unknown): string {
  return error instanceof Problem && error.body["text"] ? String(error.body["text"]) : message(error);
}

function Explain({ sql }: { sql: string }) {
  const [plan, setPlan] = useState<string | null>(null);
  if (!has("explain")) return null;
  const ask = () =>
    request<{ plan: string }>("api/v1/explain", { method: "POST", body: { sql } })
      .then((answer) => setPlan(answer.plan))
      .catch((error: unknown) => setPlan(error instanceof NoRoute ? null : wrongText(error)));
  return (
    <>
      <button type="button" onClick={() => void ask()}>
        Explain
      </button>
      {plan !== null && (
        <Dialog title="Plan" onClose={() => setPlan(null)} wide>
          <Card title="Plan">
            <pre>{plan}</pre>
          </Card>
          <div class="row end">
            <button type="button" onClick={() => setPlan(null)}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
