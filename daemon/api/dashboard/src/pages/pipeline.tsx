// One pipeline: its state and error, SQL, plan with rates, last rows, and what can be done about it.
import { useRef, useState } from "preact/hooks";
import { has, request, segment } from "../api";
import { bytes, count, duration, moment, parseTime, rate } from "../format";
import type { Operator, Outbox, Pipeline, Readiness, Removed } from "../model";
import { Flow, operatorKey, sample } from "../parts/flow";
import { PlanGraph } from "../parts/graph";
import { SinkActions } from "../parts/sink_actions";
import { SqlText } from "../parts/sql_text";
import { Tail } from "../parts/tail";
import { Action, Card, Confirm, NumberHead, Scroll, State, Waiting } from "../parts/ui";
import { usePoll, wake } from "../poll";
import { Rates } from "../rates";
import { go, link } from "../router";

interface Seen {
  pipeline: Pipeline;
  outbox: Outbox | null;
}

export function PipelinePage({ name, readiness }: { name: string; readiness: Readiness | null }) {
  const rates = useRef(new Rates());
  const path = `api/v1/pipelines/${segment(name)}`;
  const { data, error } = usePoll(`pipeline ${name}`, 1_500, async (signal): Promise<Seen> => {
    const pipeline = await request<Pipeline>(path, { signal });
    const outbox = await request<Outbox>("api/v1/outbox", { signal }).catch(() => null);
    sample(rates.current, pipeline);
    return { pipeline, outbox };
  });
  return (
    <>
      <header class="row">
        <h1>{name}</h1>
        {data && <State value={data.pipeline.state} />}
        {data && <Buttons pipeline={data.pipeline} path={path} />}
      </header>
      {error && <p class="error">{error}</p>}
      {!data && !error && <Waiting error="" />}
      {data && <Details seen={data} rates={rates.current} readiness={readiness} />}
    </>
  );
}

function Buttons({ pipeline, path }: { pipeline: Pipeline; path: string }) {
  const [removing, setRemoving] = useState(false);
  const steer = (verb: string, done: string) => async () => {
    await request(`${path}/${verb}`, { method: "POST", body: {} });
    wake();
    return `${pipeline.name} ${done}`;
  };
  return (
    <div class="row end">
      {pipeline.state === "paused" ? (
        <Action run={steer("resume", "goes on")}>Resume</Action>
      ) : (
        <Action run={steer("pause", "is paused")}>Pause</Action>
      )}
      <Action run={steer("restart", "is restarted")}>Restart</Action>
      <a class="button" href={`${link("editor")}?pipeline=${segment(pipeline.name)}`}>
        {pipeline.origin === "file" ? "Copy to the editor" : "Edit"}
      </a>
      {pipeline.origin === "deployed" && (
        <button type="button" class="danger" onClick={() => setRemoving(true)}>
          Remove
        </button>
      )}
      {removing && <Remove name={pipeline.name} path={path} onClose={() => setRemoving(false)} />}
    </div>
  );
}

const kPurged = ["journal", "state", "outbox", "tables"] as const;

function Remove({ name, path, onClose }: { name: string; path: string; onClose: () => void }) {
  const [purge, setPurge] = useState<readonly string[]>([]);
  const run = async () => {
    const words = purge.length > 0 ? `?purge=${purge.join(",")}` : "";
    const done = await request<Removed>(path + words, { method: "DELETE" });
    go(link("pipelines"));
    const kept = done.kept.length > 0 ? [`kept: ${done.kept.join(", ")}`] : [];
    return [`${name} is removed`, ...kept, ...(done.notes ?? []), ...(done.sessions ?? [])].join("; ");
  };
  const toggle = (what: string) =>
    setPurge(purge.includes(what) ? purge.filter((each) => each !== what) : [...purge, what]);
  return (
    <Confirm title={`Remove ${name}?`} verb="Remove" danger run={run} onClose={onClose}>
      <p>It stops, and its session with the broker ends. What is not ticked is kept:</p>
      {kPurged.map((what) => (
        <label key={what} class="tick">
          <input type="checkbox" checked={purge.includes(what)} onChange={() => toggle(what)} /> delete its {what}, too
        </label>
      ))}
    </Confirm>
  );
}

function Details({ seen, rates, readiness }: { seen: Seen; rates: Rates; readiness: Readiness | null }) {
  const { pipeline, outbox } = seen;
  const rateOf = (operator: Operator) => rates.of(operatorKey(pipeline.name, operator));
  const tables = [...new Set([...pipeline.sources, ...pipeline.sinks].map((each) => each.table))];
  return (
    <>
      {pipeline.error && <pre class="error">{pipeline.error}</pre>}
      {pipeline.refused && <p class="told warn">A new text is refused, the former one stays.</p>}
      {pipeline.refused && <pre class="error">{pipeline.refused}</pre>}
      {pipeline.waiting_for && <p class="told warn">Waits for {pipeline.waiting_for}</p>}
      {pipeline.accounting_violations.map((text) => (
        <p class="error" key={text}>
          {text}
        </p>
      ))}
      <Facts pipeline={pipeline} now={readiness?.clock.time ?? null} />
      <Card title="Way of the messages">
        <Flow pipeline={pipeline} outbox={outbox?.sinks ?? []} rates={rates} />
        <SinkActions pipeline={pipeline} />
      </Card>
      {pipeline.operators.length > 0 && (
        <Card title="Plan">
          <Scroll label="Plan">
            <PlanGraph operators={pipeline.operators} rateOf={rateOf} />
          </Scroll>
          <Operators operators={pipeline.operators} rateOf={rateOf} />
        </Card>
      )}
      {has("tail") && tables.length > 0 && (
        <Card title="Last rows">
          <Tail pipeline={pipeline.name} tables={tables} />
        </Card>
      )}
      {pipeline.sql && (
        <Card title="SQL">
          <SqlText text={pipeline.sql} />
        </Card>
      )}
    </>
  );
}

function Facts({ pipeline, now }: { pipeline: Pipeline; now: string | null }) {
  const lag = pipeline.watermark ? ((now ? parseTime(now) : Date.now()) - parseTime(pipeline.watermark)) / 1000 : null;
  const facts: [string, string][] = [
    ["watermark, UTC", moment(pipeline.watermark)],
    ["behind the clock", lag === null ? "–" : duration(lag)],
    ["last commit, UTC", moment(pipeline.last_commit_time)],
    ["commits", count(pipeline.last_commit)],
    ["a commit takes", duration(pipeline.last_commit_micros / 1e6)],
    ["dead letters", count(pipeline.dead_letters)],
    ["restarts", count(pipeline.restarts)],
  ];
  // A file has none: its text is that of the last start.
  if (pipeline.version !== undefined && pipeline.origin !== "file") facts.push(["version", count(pipeline.version)]);
  if (pipeline.origin) facts.push(["comes from", pipeline.origin === "file" ? "a file" : "a deployment"]);
  return (
    <dl class="facts card">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Operators({ operators, rateOf }: { operators: Operator[]; rateOf: (operator: Operator) => number | null }) {
  const timed = operators.some((each) => each.latency);
  return (
    <Scroll label="Operators">
      <table>
        <thead>
          <tr>
            <th scope="col">operator</th>
            {["rate", "in", "passed", "applied", "filtered", "late", "dead", "keys", "memory"].map((name) => (
              <NumberHead key={name}>{name}</NumberHead>
            ))}
            {timed && <NumberHead>time per batch, p50 / p99</NumberHead>}
          </tr>
        </thead>
        <tbody>
          {operators.map((each) => (
            <tr key={each.name}>
              <th scope="row" title={each.description}>
                {each.name}
              </th>
              <td class="number">{rate(rateOf(each))}</td>
              {([each.rows.in, each.rows.passed, each.rows.applied, each.rows.filtered, each.rows.late] as const).map(
                (value, i) => (
                  <td class="number" key={i}>
                    {count(value)}
                  </td>
                ),
              )}
              <td class={each.rows.dead > 0 ? "number bad" : "number"}>{count(each.rows.dead)}</td>
              <td class="number">{count(each.keys)}</td>
              <td class="number">{bytes(each.memory_bytes)}</td>
              {timed && (
                <td class="number">
                  {each.latency
                    ? `${duration(each.latency.p50_micros / 1e6)} / ${duration(each.latency.p99_micros / 1e6)}`
                    : "–"}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
