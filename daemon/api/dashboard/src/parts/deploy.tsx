// Deploying: first asked what would become of the state, then, when somebody has seen that, done.
import { useEffect, useState } from "preact/hooks";
import { message, Problem, request, segment } from "../api";
import { count } from "../format";
import type { Deployed, StateChange } from "../model";
import { go, link } from "../router";
import { Action, Card, Confirm, Dialog, hush } from "./ui";

interface Props {
  name: string;
  sql: string;
  ready: boolean;
}

type Step =
  | { is: "confirm"; state: StateChange; created: boolean; warnings: string[] }
  | { is: "refused"; title: string; text: string }
  | null;

export function Deploy({ name, sql, ready }: Props) {
  const [step, setStep] = useState<Step>(null);
  useEffect(() => hush(), [name, sql]);
  const path = `api/v1/pipelines/${segment(name)}`;
  const look = async () => {
    const next = await dryRun(path, sql);
    if (typeof next === "string") return next;
    return setStep(next);
  };
  const deploy = async (cold: boolean) => {
    const done = await request<Deployed>(path, { method: "PUT", body: { sql, cold: cold ? "accept" : "refuse" } });
    go(link("pipelines", name));
    return [`${name} is deployed, version ${done.version}`, ...(done.sessions ?? [])].join("; ");
  };
  return (
    <>
      <Action class="primary" disabled={!ready} run={look} title={ready ? "" : "it needs a name and a text"}>
        Deploy…
      </Action>
      {step?.is === "confirm" && (
        <Confirm
          title={step.created ? `Deploy ${name} as a new pipeline?` : `Replace ${name}?`}
          verb={step.state.cold.length > 0 ? "Deploy, and start these anew" : "Deploy"}
          danger={step.state.cold.length > 0}
          run={() => deploy(step.state.cold.length > 0)}
          onClose={() => setStep(null)}
        >
          <StateTable state={step.state} created={step.created} />
          {step.warnings.map((warning) => (
            <pre class="told warn" key={warning}>
              {warning}
            </pre>
          ))}
        </Confirm>
      )}
      {step?.is === "refused" && (
        <Dialog title={step.title} onClose={() => setStep(null)} wide>
          <Card title="Why">
            <pre class="caret">{step.text}</pre>
          </Card>
          <div class="row end">
            <button type="button" onClick={() => setStep(null)}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** What a deployment would do, or a sentence why it would do nothing. Throws what is neither wrong SQL nor about state. */
async function dryRun(path: string, sql: string): Promise<Step | string> {
  try {
    const answer = await request<Deployed>(path, { method: "PUT", body: { sql, cold: "accept", dry_run: true } });
    if (answer.changed === false) return "it runs this text already";
    return { is: "confirm", state: answer.state, created: answer.created, warnings: answer.warnings ?? [] };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 409 && error.body["state"])
      return { is: "confirm", state: error.body["state"] as StateChange, created: false, warnings: [] };
    if (error.status !== 422) throw error;
    return { is: "refused", title: "The SQL is wrong", text: String(error.body["text"] ?? message(error)) };
  }
}

const nameOf = (each: string | { operator: string }): string => (typeof each === "string" ? each : each.operator);

function StateTable({ state, created }: { state: StateChange; created: boolean }) {
  const nothing = state.kept.length + state.cold.length + state.dropped.length === 0;
  if (nothing) return <p>{created ? "It begins without state." : "It has no state: nothing is lost."}</p>;
  return (
    <div class="carried">
      {state.kept.length > 0 && (
        <>
          <h3>Goes on with its state</h3>
          <ul>
            {state.kept.map((each) => (
              <li key={each.operator}>
                {each.operator}, {count(each.keys)} keys
              </li>
            ))}
          </ul>
        </>
      )}
      {state.cold.length > 0 && (
        <>
          <h3 class="warn">Starts anew</h3>
          <ul>
            {state.cold.map((each) => (
              <li key={each.operator}>
                {each.operator}: {each.why}
              </li>
            ))}
          </ul>
        </>
      )}
      {state.dropped.length > 0 && (
        <>
          <h3 class="warn">Is thrown away</h3>
          <ul>
            {state.dropped.map((each) => (
              <li key={nameOf(each)}>{nameOf(each)}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
