// What can be done about the sinks of a pipeline: pause, go on, and decide what nobody else can.
import { useState } from "preact/hooks";
import { request, segment } from "../api";
import type { Pipeline, Sink } from "../model";
import { wake } from "../poll";
import { Action, Confirm } from "./ui";

type Decision = "resend" | "skip";

const kDecisions: Record<Decision, string> = {
  resend: "It is sent again. If it had arrived after all, the far side has it twice.",
  skip: "It is settled without being sent. If it had not arrived, it is lost.",
};

export function SinkActions({ pipeline }: { pipeline: Pipeline }) {
  const sinks = pipeline.sinks.filter((sink) => sink.delivery !== "none");
  if (sinks.length === 0) return null;
  return (
    <ul class="actions">
      {sinks.map((sink) => (
        <li key={sink.table} class="row">
          <b>{sink.table}</b>
          <Buttons pipeline={pipeline.name} sink={sink} />
          {sink.last_error && <span class="why">last error: {sink.last_error}</span>}
        </li>
      ))}
    </ul>
  );
}

function Buttons({ pipeline, sink }: { pipeline: string; sink: Sink }) {
  const [deciding, setDeciding] = useState<Decision | null>(null);
  const tell = async (verb: string, done: string) => {
    await request(`api/v1/outbox/${segment(pipeline)}/${segment(sink.table)}/${verb}`, { method: "POST", body: {} });
    wake();
    return `${sink.table} ${done}`;
  };
  if (sink.hold === "undecided")
    return (
      <>
        <span class="state warn">nobody knows whether the last shipment arrived</span>
        <button type="button" onClick={() => setDeciding("resend")}>
          It did not: resend
        </button>
        <button type="button" onClick={() => setDeciding("skip")}>
          It did: skip
        </button>
        {deciding && (
          <Confirm
            title={`${deciding === "resend" ? "Resend" : "Skip"} the shipment of ${sink.table}?`}
            verb={deciding === "resend" ? "Resend" : "Skip"}
            danger
            run={() => tell(deciding, deciding === "resend" ? "sends it again" : "goes on behind it")}
            onClose={() => setDeciding(null)}
          >
            <p>{kDecisions[deciding]}</p>
          </Confirm>
        )}
      </>
    );
  if (sink.hold !== "none") return <Action run={() => tell("resume", "goes on")}>Resume delivery</Action>;
  return <Action run={() => tell("pause", "is paused")}>Pause delivery</Action>;
}
