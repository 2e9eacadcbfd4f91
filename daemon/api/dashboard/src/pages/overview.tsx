// Everything at one glance: health and why, rates, the way of the messages with its equations, lag, outbox, disk.
import { useMemo, useRef } from "preact/hooks";
import { has, request, segment } from "../api";
import { bytes, count, duration, moment, parseTime, plural, rate } from "../format";
import type { DaemonStatus, Outbox, OutboxSink, Pipeline, Readiness, Summary } from "../model";
import { Flow, sample, sinkKey, sourceKey } from "../parts/flow";
import { Health } from "../parts/health";
import { Legend, Plot } from "../parts/plot";
import type { PlotData } from "../parts/series";
import { Card, NumberHead, Scroll, State, Waiting } from "../parts/ui";
import { usePoll, type Polled } from "../poll";
import { Rates } from "../rates";
import { link } from "../router";

const kEvery = 2_000;
/** Details of so many pipelines are asked for; of more only the table is shown. */
const kMostDetailed = 24;
const kHistory = 300;

interface Seen {
  pipelines: Pipeline[];
  summaries: Summary[];
  outbox: Outbox | null;
}

async function load(signal: AbortSignal): Promise<Seen> {
  const { pipelines } = await request<{ pipelines: Summary[] }>("api/v1/pipelines", { signal });
  const outbox = await request<Outbox>("api/v1/outbox", { signal }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    return null; // The store cannot be read now; /readyz says why.
  });
  const asked = pipelines.slice(0, kMostDetailed);
  const details = await Promise.all(
    asked.map((each) => request<Pipeline>(`api/v1/pipelines/${segment(each.name)}`, { signal }).catch(() => null)),
  );
  return { pipelines: details.filter((each) => each !== null), summaries: pipelines, outbox };
}

export function Overview({ readiness }: { readiness: Polled<Readiness> }) {
  const rates = useRef(new Rates());
  const history = useRef<History>({ x: [], messages: [], rows: [] });
  const polled = usePoll("overview", kEvery, async (signal) => {
    const seen = await load(signal);
    for (const each of seen.pipelines) sample(rates.current, each);
    remember(history.current, seen, rates.current);
    return seen;
  });
  const seen = polled.data;
  return (
    <>
      <h1>Overview</h1>
      <div class="cards">
        <Card title="Health">
          {readiness.data ? <Health readiness={readiness.data} /> : <Waiting error={readiness.error} />}
        </Card>
        <RatesCard history={history.current} seen={seen} />
        <DaemonCard />
      </div>
      {!seen && <Waiting error={polled.error} />}
      {seen && <FlowCards seen={seen} rates={rates.current} />}
      {seen && <LagCard seen={seen} readiness={readiness.data} />}
      {seen?.outbox && <OutboxCard outbox={seen.outbox} />}
    </>
  );
}

interface History {
  x: number[];
  messages: (number | null)[];
  rows: (number | null)[];
}

function total(rates: Rates, keys: string[]): number | null {
  const known = keys.map((key) => rates.of(key)).filter((each) => each !== null);
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
}

function remember(history: History, seen: Seen, rates: Rates): void {
  const sources = seen.pipelines.flatMap((each) => each.sources.map((source) => sourceKey(each.name, source)));
  const sinks = seen.pipelines.flatMap((each) => each.sinks.map((sink) => sinkKey(each.name, sink)));
  history.x.push(Date.now() / 1000);
  history.messages.push(total(rates, sources));
  history.rows.push(total(rates, sinks));
  for (const list of [history.x, history.messages, history.rows]) if (list.length > kHistory) list.shift();
}

function RatesCard({ history, seen }: { history: History; seen: Seen | null }) {
  const data = useMemo<PlotData>(
    () => ({
      x: [...history.x],
      isTime: true,
      lines: [
        { label: "messages in", values: [...history.messages] },
        { label: "rows to sinks", values: [...history.rows] },
      ],
    }),
    [seen],
  );
  const last = (list: (number | null)[]) => list[list.length - 1] ?? null;
  return (
    <Card title="Rates">
      <dl class="facts">
        <div>
          <dt>messages in</dt>
          <dd class="big">{rate(last(history.messages))}</dd>
        </div>
        <div>
          <dt>rows to sinks</dt>
          <dd class="big">{rate(last(history.rows))}</dd>
        </div>
      </dl>
      {data.x.length > 1 && (
        <Plot
          data={data}
          height={130}
          fromZero
          label="Messages in and rows to sinks per second, over the last minutes"
        />
      )}
      <Legend lines={data.lines} />
    </Card>
  );
}

function DaemonCard() {
  const { data } = usePoll("status", 5_000, (signal) => request<DaemonStatus>("api/v1/status", { signal }));
  if (!data || !has("status")) return null;
  const used = data.disk.total_bytes - data.disk.free_bytes;
  const share = data.disk.total_bytes > 0 ? used / data.disk.total_bytes : 0;
  const up = (parseTime(data.now) - parseTime(data.started)) / 1000;
  return (
    <Card title="Gateway">
      <dl class="facts">
        <Fact name="gateway">{data.gateway}</Fact>
        <Fact name="version">{data.version}</Fact>
        <Fact name="up for">{Number.isNaN(up) ? "–" : duration(up)}</Fact>
        <Fact name="memory">{bytes(data.memory_bytes)}</Fact>
        <Fact name="store">{bytes(data.store.bytes)}</Fact>
        <Fact name="log of the store">{bytes(data.store.log_bytes)}</Fact>
      </dl>
      <label class="disk">
        Disk: {bytes(data.disk.free_bytes)} of {bytes(data.disk.total_bytes)} free
        <meter min={0} max={1} low={0.8} high={0.92} optimum={0} value={share} />
      </label>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const kOrder = ["failed", "stalled", "stopped", "starting", "paused", "running", "finished"];

function FlowCards({ seen, rates }: { seen: Seen; rates: Rates }) {
  const sorted = [...seen.pipelines].sort((a, b) => kOrder.indexOf(a.state) - kOrder.indexOf(b.state));
  if (seen.summaries.length === 0) return <p class="quiet">There is no pipeline. Write one in the editor.</p>;
  return (
    <>
      {sorted.map((each) => (
        <Card
          key={each.name}
          title={each.name}
          aside={
            <>
              <State value={each.state} detail={each.error} />
              <a href={link("pipelines", each.name)}>details</a>
            </>
          }
        >
          {each.error && <pre class="error">{each.error}</pre>}
          {each.refused && <pre class="error">A new text is refused: {each.refused}</pre>}
          {each.operators.length > 0 && <Flow pipeline={each} outbox={seen.outbox?.sinks ?? []} rates={rates} />}
          {each.accounting_violations.map((text) => (
            <p class="error" key={text}>
              {text}
            </p>
          ))}
        </Card>
      ))}
      {seen.summaries.length > kMostDetailed && (
        <p class="quiet">
          {plural(seen.summaries.length - kMostDetailed, "more pipeline")}: see{" "}
          <a href={link("pipelines")}>pipelines</a>.
        </p>
      )}
    </>
  );
}

function LagCard({ seen, readiness }: { seen: Seen; readiness: Readiness | null }) {
  const now = readiness?.clock.time ? parseTime(readiness.clock.time) : Date.now();
  const timed = seen.summaries.filter((each) => each.watermark !== null);
  if (timed.length === 0) return null;
  return (
    <Card title="Watermark lag">
      <Scroll label="Watermark lag">
        <table>
          <thead>
            <tr>
              <th scope="col">pipeline</th>
              <th scope="col">watermark, UTC</th>
              <NumberHead>behind the clock</NumberHead>
            </tr>
          </thead>
          <tbody>
            {timed.map((each) => (
              <tr key={each.name}>
                <th scope="row">{each.name}</th>
                <td>{moment(each.watermark)}</td>
                <td class="number">{duration((now - parseTime(each.watermark ?? "")) / 1000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

function OutboxCard({ outbox }: { outbox: Outbox }) {
  if (outbox.sinks.length === 0) return null;
  return (
    <Card title="Outbox" aside={outbox.store_full && <State value="store full" />}>
      <Scroll label="Outbox">
        <table>
          <thead>
            <tr>
              <th scope="col">sink</th>
              <th scope="col">delivery</th>
              <NumberHead>waiting</NumberHead>
              <NumberHead>bytes</NumberHead>
              <th scope="col">full</th>
              <NumberHead>age of the oldest</NumberHead>
              <NumberHead>out</NumberHead>
            </tr>
          </thead>
          <tbody>
            {outbox.sinks.map((each) => (
              <OutboxRow key={`${each.pipeline}\n${each.sink}`} sink={each} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

function OutboxRow({ sink }: { sink: OutboxSink }) {
  return (
    <tr>
      <th scope="row">
        <a href={link("pipelines", sink.pipeline)}>{sink.pipeline}</a> · {sink.sink}
      </th>
      <td>
        {sink.delivery ? <State value={sink.delivery.state} /> : <span class="quiet">nobody serves it</span>}
        {sink.delivery?.why && <div class="why">{sink.delivery.why}</div>}
      </td>
      <td class="number">{count(sink.records.waiting)}</td>
      <td class="number">{bytes(sink.bytes)}</td>
      <td>
        {sink.policy && (
          <meter
            min={0}
            max={sink.policy.max_bytes}
            low={sink.policy.max_bytes * 0.6}
            high={sink.policy.max_bytes * 0.9}
            optimum={0}
            value={sink.bytes}
            aria-label={`${bytes(sink.bytes)} of ${bytes(sink.policy.max_bytes)}`}
          />
        )}
      </td>
      <td class="number">{sink.oldest ? duration(sink.age_seconds) : "–"}</td>
      <td class="number">{rate(sink.delivery?.rows_per_second ?? null)}</td>
    </tr>
  );
}
