// What could not be used: look at it, put it back, throw it away.
import { useState } from "preact/hooks";
import { request } from "../api";
import { bytes, count, moment, plural } from "../format";
import type { DeadLetter, DeadLetters, Summary } from "../model";
import { Card, Confirm, Dialog, Scroll, Waiting } from "../parts/ui";
import { usePoll, wake } from "../poll";
import { place, setQuery } from "../router";

interface Filter {
  pipeline: string;
  origin: string;
  since: string;
}

type Verb = "replay" | "purge";

/** What a request means: the letters that are ticked, else all that the filter lets through. */
type Meant = { ids: number[] } | (Partial<Filter> & { all?: true });

const kMostListed = 200;

function filterOf(query: URLSearchParams): Filter {
  return { pipeline: query.get("pipeline") ?? "", origin: query.get("origin") ?? "", since: query.get("since") ?? "" };
}

const given = (filter: Filter): Partial<Filter> =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));

export function DeadLettersPage() {
  const filter = filterOf(place.value.query);
  const words = new URLSearchParams({ ...given(filter), limit: String(kMostListed) }).toString();
  const { data, error } = usePoll(`dead letters ${words}`, 4_000, (signal) =>
    request<DeadLetters>(`api/v1/dead-letters?${words}`, { signal }),
  );
  const [ticked, setTicked] = useState<ReadonlySet<number>>(new Set());
  const [shown, setShown] = useState<number | null>(null);
  const [asking, setAsking] = useState<Verb | null>(null);
  const there = data?.dead_letters ?? [];
  const chosen = there.filter((letter) => ticked.has(letter.id)).map((letter) => letter.id);
  return (
    <>
      <header class="row">
        <h1>Dead letters</h1>
        {data && <span class="quiet">{plural(data.count, "letter")} in all</span>}
        <div class="row end">
          <button type="button" disabled={there.length === 0} onClick={() => setAsking("replay")}>
            Replay {what(chosen, filter)}
          </button>
          <button type="button" class="danger" disabled={there.length === 0} onClick={() => setAsking("purge")}>
            Purge {what(chosen, filter)}
          </button>
        </div>
      </header>
      <FilterBar filter={filter} />
      {error && <p class="error">{error}</p>}
      {data && there.length === 0 && <p class="quiet">There is none. All that came could be used.</p>}
      {there.length > 0 && <List letters={there} ticked={ticked} onTick={setTicked} onShow={setShown} />}
      {data && <Totals totals={data.totals} />}
      {shown !== null && <Letter id={shown} onClose={() => setShown(null)} />}
      {asking && <Ask verb={asking} chosen={chosen} filter={filter} onClose={() => setAsking(null)} />}
    </>
  );
}

function what(chosen: readonly number[], filter: Filter): string {
  if (chosen.length > 0) return count(chosen.length);
  return Object.keys(given(filter)).length > 0 ? "all of these" : "all";
}

function FilterBar({ filter }: { filter: Filter }) {
  const { data } = usePoll("pipelines", 10_000, (signal) =>
    request<{ pipelines: Summary[] }>("api/v1/pipelines", { signal }),
  );
  const names = data?.pipelines.map((each) => each.name) ?? [];
  const all = filter.pipeline && !names.includes(filter.pipeline) ? [...names, filter.pipeline] : names;
  return (
    <div class="row choices">
      <label>
        Pipeline{" "}
        <select value={filter.pipeline} onChange={(event) => setQuery({ pipeline: event.currentTarget.value || null })}>
          <option value="">all</option>
          {all.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Origin{" "}
        <input
          value={filter.origin}
          placeholder="a source, operator or sink"
          onChange={(event) => setQuery({ origin: event.currentTarget.value.trim() || null })}
        />
      </label>
      <label>
        Since{" "}
        <select value={filter.since} onChange={(event) => setQuery({ since: event.currentTarget.value || null })}>
          <option value="">ever</option>
          {["10 min", "1 h", "1 d", "7 d"].map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
    </div>
  );
}

interface ListProps {
  letters: DeadLetter[];
  ticked: ReadonlySet<number>;
  onTick: (ticked: ReadonlySet<number>) => void;
  onShow: (id: number) => void;
}

function List({ letters, ticked, onTick, onShow }: ListProps) {
  const toggle = (id: number) => {
    const next = new Set(ticked);
    if (!next.delete(id)) next.add(id);
    onTick(next);
  };
  return (
    <Scroll label="Dead letters">
      <table>
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">chosen</span>
            </th>
            <th scope="col">letter</th>
            <th scope="col">time, UTC</th>
            <th scope="col">pipeline</th>
            <th scope="col">origin</th>
            <th scope="col">reason</th>
            <th scope="col">payload</th>
          </tr>
        </thead>
        <tbody>
          {letters.map((each) => (
            <tr key={each.id}>
              <td>
                <input
                  type="checkbox"
                  aria-label={`Letter ${each.id}`}
                  checked={ticked.has(each.id)}
                  onChange={() => toggle(each.id)}
                />
              </td>
              <th scope="row">
                <button type="button" class="link" onClick={() => onShow(each.id)}>
                  {each.id}
                </button>
              </th>
              <td>{moment(each.time)}</td>
              <td>{each.pipeline}</td>
              <td>{each.origin}</td>
              <td class="wrap">{each.reason}</td>
              <td>
                <code class="payload">{each.payload.slice(0, 80)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Totals({ totals }: { totals: Record<string, number> }) {
  return (
    <dl class="facts card">
      {Object.entries(totals).map(([name, value]) => (
        <div key={name}>
          <dt>{name.replaceAll("_", " ")}</dt>
          <dd>{name === "bytes" ? bytes(value) : count(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Letter({ id, onClose }: { id: number; onClose: () => void }) {
  const { data, error } = usePoll(`letter ${id}`, 60_000, (signal) =>
    request<DeadLetter>(`api/v1/dead-letters/${id}`, { signal }),
  );
  return (
    <Dialog title={`Letter ${id}`} onClose={onClose} wide>
      {!data && <Waiting error={error} />}
      {data && (
        <>
          <p class="error">{data.reason}</p>
          <p>
            {data.pipeline} · {data.origin} · {moment(data.time)} UTC · {bytes(data.payload_bytes)}
            {data.kept_bytes < data.payload_bytes && `, of which ${bytes(data.kept_bytes)} are kept`}
          </p>
          <Card title="Payload">
            <pre class="payload">{data.payload}</pre>
          </Card>
          <Card title="Metadata">
            <pre>{JSON.stringify(data.metadata, null, 2)}</pre>
          </Card>
        </>
      )}
      <div class="row end">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

interface Replayed {
  replayed: number;
  dead_again: number;
  refused: { id: number; reason: string }[];
  more: boolean;
}

async function carryOut(verb: Verb, meant: Meant): Promise<string> {
  const answer = await request<Replayed & { purged: number }>(`api/v1/dead-letters/${verb}`, {
    method: "POST",
    body: meant,
  });
  wake();
  if (verb === "purge") return `${plural(answer.purged, "letter")} purged`;
  const refused = answer.refused[0];
  return [
    `${count(answer.replayed)} replayed`,
    answer.dead_again > 0 ? `${count(answer.dead_again)} dead again` : "",
    refused ? `${count(answer.refused.length)} stay: ${refused.reason}` : "",
    answer.more ? "there are more: replay again" : "",
  ]
    .filter(Boolean)
    .join(", ");
}

function Ask(props: { verb: Verb; chosen: number[]; filter: Filter; onClose: () => void }) {
  const { verb, chosen, filter } = props;
  const words = given(filter);
  const meant: Meant = chosen.length > 0 ? { ids: chosen } : Object.keys(words).length > 0 ? words : { all: true };
  const name = verb === "purge" ? "Purge" : "Replay";
  return (
    <Confirm
      title={`${name} ${what(chosen, filter)}?`}
      verb={name}
      danger={verb === "purge"}
      run={() => carryOut(verb, meant)}
      onClose={props.onClose}
    >
      <p>
        {chosen.length > 0
          ? plural(chosen.length, "letter")
          : Object.keys(words).length > 0
            ? `All letters of: ${Object.entries(words)
                .map(([word, value]) => `${word} ${value}`)
                .join(", ")}`
            : "All letters there are"}
        {verb === "purge"
          ? ", deleted for good."
          : ". Those of sources go back into their pipelines as fresh messages; mend the pipeline first."}
      </p>
    </Confirm>
  );
}
