// A pipeline from its sources over its operators to its sinks, each with its equation of the accounting.
import { count, plural, rate } from "../format";
import type { Operator, OutboxSink, Pipeline, Sink, Source } from "../model";
import type { Rates } from "../rates";
import { Identity, type Part } from "./identity";
import { State } from "./ui";

export function sourceParts({ messages: m }: Source): Part[] {
  return [
    { name: "decoded", value: m.decoded, kind: "done" },
    { name: "empty", value: m.empty, kind: "aside" },
    { name: "redelivered", value: m.redelivered, kind: "aside" },
    { name: "queued", value: m.queued, kind: "waits" },
    { name: "dead", value: m.dead, kind: "bad" },
    { name: "dropped", value: m.dropped, kind: "bad" },
  ];
}

export function operatorParts(operators: readonly Operator[]): Part[] {
  const sum = (of: keyof Operator["rows"]) => operators.reduce((total, each) => total + each.rows[of], 0);
  return [
    { name: "passed", value: sum("passed"), kind: "done" },
    { name: "applied", value: sum("applied"), kind: "done" },
    { name: "filtered", value: sum("filtered"), kind: "aside" },
    { name: "late", value: sum("late"), kind: "late" },
    { name: "dead", value: sum("dead"), kind: "bad" },
  ];
}

function recordParts({ records }: OutboxSink): Part[] {
  return [
    { name: "delivered", value: records.delivered, kind: "done" },
    { name: "waiting", value: records.waiting, kind: "waits" },
    { name: "rejected", value: records.rejected, kind: "bad" },
    { name: "dropped", value: records.dropped, kind: "bad" },
  ];
}

export const sourceKey = (pipeline: string, source: Source): string => `${pipeline}\n${source.table}\nreceived`;
export const operatorKey = (pipeline: string, operator: Operator): string => `${pipeline}\n${operator.name}\nmoved`;
export const sinkKey = (pipeline: string, sink: Sink): string => `${pipeline}\n${sink.table}\nrows`;

export const isSink = (operator: Operator): boolean => operator.name.startsWith("sink ");
/** Rows that an operator gave on; those that reached it, of one that gives none. */
export const moved = (operator: Operator): number => (isSink(operator) ? operator.rows.in : operator.rows.out);

/** Puts a pipeline's counters in, to be asked for by the keys above. */
export function sample(rates: Rates, pipeline: Pipeline): void {
  for (const each of pipeline.sources) rates.add(sourceKey(pipeline.name, each), each.messages.received);
  for (const each of pipeline.operators) rates.add(operatorKey(pipeline.name, each), moved(each));
  for (const each of pipeline.sinks) rates.add(sinkKey(pipeline.name, each), each.rows);
}

interface FlowProps {
  pipeline: Pipeline;
  outbox: readonly OutboxSink[];
  rates: Rates;
}

export function Flow({ pipeline, outbox, rates }: FlowProps) {
  const waitsFor = (sink: Sink) =>
    outbox.find((each) => each.pipeline === pipeline.name && each.sink === sink.table) ?? null;
  const rows = pipeline.operators.reduce((total, each) => total + each.rows.in, 0);
  return (
    <div class="flow">
      <div class="stage">
        <h3>Sources</h3>
        {pipeline.sources.map((each) => (
          <div class="box" key={each.table}>
            <div class="row">
              <b>{each.table}</b> <span class="quiet">{each.connector}</span>
              <State value={each.link} detail={each.detail} />
              <span class="rate">{rate(rates.of(sourceKey(pipeline.name, each)))}</span>
            </div>
            <Identity whole="received" value={each.messages.received} parts={sourceParts(each)} />
          </div>
        ))}
      </div>
      <div class="arrow" aria-hidden="true" />
      <div class="stage">
        <h3>Operators</h3>
        <div class="box">
          <div class="row">
            <b>{plural(pipeline.operators.length, "operator")}</b>
          </div>
          <Identity whole="rows taken" value={rows} parts={operatorParts(pipeline.operators)} />
        </div>
      </div>
      <div class="arrow" aria-hidden="true" />
      <div class="stage">
        <h3>Sinks</h3>
        {pipeline.sinks.map((each) => (
          <SinkBox
            key={each.table}
            sink={each}
            waiting={waitsFor(each)}
            rows={rates.of(sinkKey(pipeline.name, each))}
          />
        ))}
      </div>
    </div>
  );
}

function SinkBox({ sink, waiting, rows }: { sink: Sink; waiting: OutboxSink | null; rows: number | null }) {
  return (
    <div class="box">
      <div class="row">
        <b>{sink.table}</b> <span class="quiet">{sink.connector}</span>
        {sink.delivery !== "none" && <State value={sink.delivery} detail={sink.last_error} />}
        <span class="rate">{rate(rows)}</span>
      </div>
      {waiting && <Identity whole="emitted" value={waiting.records.emitted} parts={recordParts(waiting)} />}
      {!waiting && sink.written !== null && (
        <Identity
          whole="emitted"
          value={sink.emitted}
          parts={[
            { name: "written", value: sink.written, kind: "done" },
            { name: "waiting", value: Math.max(0, sink.emitted - sink.written), kind: "waits" },
          ]}
        />
      )}
      {!waiting && sink.written === null && (
        <p class="quiet">
          <strong>{count(sink.rows)}</strong> rows
        </p>
      )}
    </div>
  );
}
