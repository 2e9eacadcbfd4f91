// Local tables: which there are, and any numeric column of one as a live plot with what is odd marked.
import { useMemo, useState } from "preact/hooks";
import { has, request, segment } from "../api";
import { count, plural, truth } from "../format";
import type { Rows, Table } from "../model";
import { Legend, Plot } from "../parts/plot";
import { RowsTable } from "../parts/rows";
import {
  canMark,
  choose,
  isNumeric,
  isText,
  isTime,
  marksOf,
  queryFor,
  toPlot,
  type Choice,
  type PlotData,
} from "../parts/series";
import { SqlText } from "../parts/sql_text";
import { Card, NumberHead, Scroll, Waiting } from "../parts/ui";
import { usePoll } from "../poll";
import { link, place, setQuery } from "../router";

const kRowChoices = [300, 1000, 3000, 10_000];
const kRows = 1000;
const kMarksListed = 20;

function useTables() {
  return usePoll("tables", 5_000, (signal) => request<{ tables: Table[] }>("api/v1/tables", { signal }));
}

export function Tables() {
  const { data, error } = useTables();
  return (
    <>
      <h1>Tables</h1>
      {!data && <Waiting error={error} />}
      {data && data.tables.length === 0 && (
        <p class="quiet">
          There is none. A table with 'connector' = 'sqlite' appears here when a pipeline declares it.
        </p>
      )}
      {data && data.tables.length > 0 && (
        <Scroll label="Tables">
          <table>
            <thead>
              <tr>
                <th scope="col">table</th>
                <NumberHead>rows</NumberHead>
                <th scope="col">columns</th>
                <th scope="col">used by</th>
              </tr>
            </thead>
            <tbody>
              {data.tables.map((each) => (
                <tr key={each.name}>
                  <th scope="row">
                    <a href={link("tables", each.name)}>{each.name}</a>
                  </th>
                  <td class="number">{count(each.rows)}</td>
                  <td>{each.columns.map((column) => column.name).join(", ")}</td>
                  <td>{each.users.map((user) => `${user.pipeline} ${user.role}`).join(", ")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

export function TablePage({ name }: { name: string }) {
  const { data, error } = useTables();
  const table = data?.tables.find((each) => each.name === name);
  return (
    <>
      <header class="row">
        <h1>{name}</h1>
        {table && <span class="quiet">{plural(table.rows, "row")}</span>}
      </header>
      {!data && <Waiting error={error} />}
      {data && !table && <p class="error">There is no table '{name}'.</p>}
      {table && <Shown table={table} />}
    </>
  );
}

function Shown({ table }: { table: Table }) {
  const plottable = table.columns.some(isNumeric) && (has("query") || has("tables"));
  return (
    <>
      {plottable && <Live table={table} />}
      <Newest table={table} />
      <Card title="Declaration">
        <SqlText text={table.declaration} />
      </Card>
    </>
  );
}

/** Of the daemon's query where it has one: it asks for the columns of the plot alone. */
async function ask(table: Table, choice: Choice, rows: number, signal: AbortSignal): Promise<PlotData> {
  const order = choice.x ? "" : "&order=newest";
  const answer =
    has("query") && choice.x
      ? await request<Rows>("api/v1/query", {
          method: "POST",
          body: { sql: queryFor(table.name, choice, rows), limit: rows },
          signal,
        })
      : await request<Rows>(`api/v1/tables/${segment(table.name)}/rows?limit=${rows}${order}`, { signal });
  return toPlot(names(answer), answer.rows, choice);
}

const names = (rows: Rows): string[] => rows.columns.map((each) => (typeof each === "string" ? each : each.name));

function Live({ table }: { table: Table }) {
  const query = place.value.query;
  const choice = choose(table, query);
  const asked = Number(query.get("rows") ?? kRows);
  const rows = kRowChoices.includes(asked) ? asked : kRows;
  const [held, setHeld] = useState(false);
  const key = JSON.stringify([table.name, choice, rows, has("query")]);
  const { data, error } = usePoll(key, 1_000, (signal) => ask(table, choice, rows, signal));
  const marks = useMemo(() => (data ? marksOf(data) : []), [data]);
  return (
    <Card title={`Plot of ${choice.y}`} aside={held && <BackToLive onClick={() => setHeld(false)} />}>
      <Choices table={table} choice={choice} rows={rows} />
      {!data && <Waiting error={error} />}
      {data && error && <p class="error">{error}</p>}
      {data && data.x.length === 0 && <p class="quiet">There is no row with a value yet.</p>}
      {data && data.x.length > 0 && (
        <>
          <Plot
            data={data}
            height={320}
            label={`${choice.y} of ${table.name}, ${data.x.length} points, ${plural(marks.length, "mark")}`}
            held={held}
            onZoom={setHeld}
          />
          <Legend lines={data.lines} {...(choice.mark ? { marks: choice.mark } : {})} />
        </>
      )}
      {choice.mark && data && <Marks marks={marks} isTime={data.isTime} mark={choice.mark} />}
    </Card>
  );
}

function BackToLive({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" onClick={onClick}>
      Back to live
    </button>
  );
}

function Choices({ table, choice, rows }: { table: Table; choice: Choice; rows: number }) {
  const of = (fits: (column: Table["columns"][number]) => boolean) =>
    table.columns.filter(fits).map((column) => column.name);
  return (
    <div class="row choices">
      <Choose name="y" label="Column" value={choice.y} options={of(isNumeric)} />
      <Choose
        name="x"
        label="over"
        value={choice.x}
        options={of((c) => isTime(c) || isNumeric(c))}
        none="order of rows"
      />
      <Choose name="mark" label="marked where" value={choice.mark} options={of(canMark)} none="nothing" />
      <Choose
        name="by"
        label="a line per"
        value={choice.by}
        options={of((c) => isText(c) || isNumeric(c))}
        none="table"
      />
      <Choose name="rows" label="newest" value={String(rows)} options={kRowChoices.map(String)} />
    </div>
  );
}

interface ChooseProps {
  name: string;
  label: string;
  value: string;
  options: string[];
  /** What no choice is called; without it there must be one. */
  none?: string;
}

function Choose({ name, label, value, options, none }: ChooseProps) {
  return (
    <label>
      {label}{" "}
      <select name={name} value={value} onChange={(event) => setQuery({ [name]: event.currentTarget.value })}>
        {none !== undefined && <option value="">{none}</option>}
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

function Marks({
  marks,
  isTime: isTimeAxis,
  mark,
}: {
  marks: ReturnType<typeof marksOf>;
  isTime: boolean;
  mark: string;
}) {
  const at = (x: number) => (isTimeAxis ? new Date(x * 1000).toISOString().replace("T", " ").slice(0, 19) : count(x));
  return (
    <details class="marks" open={marks.length > 0}>
      <summary>
        {plural(marks.length, "row")} with {mark}
      </summary>
      <ul>
        {marks.slice(0, kMarksListed).map((each, i) => (
          <li key={i}>
            {at(each.x)} · {each.label} · {each.y}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Newest({ table }: { table: Table }) {
  const { data } = usePoll(`newest ${table.name}`, 3_000, (signal) =>
    request<Rows>(`api/v1/tables/${segment(table.name)}/rows?limit=50&order=newest`, { signal }),
  );
  if (!data) return null;
  const types = data.columns.map((each) => (typeof each === "string" ? "" : each.type));
  const rows = data.rows.map((row) => row.map((value, i) => truth(value, types[i] ?? "")));
  return (
    <Card title="Newest rows">
      <RowsTable label={`Newest rows of ${table.name}`} columns={names(data)} rows={rows} />
    </Card>
  );
}
