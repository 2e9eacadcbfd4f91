// What /readyz says, for people. Of an error in SQL its first line: the pipeline shows it with the caret.
import type { Readiness } from "../model";

interface Group {
  title: string;
  kind: "bad" | "warn";
  sentences: string[];
}

function groups(readiness: Readiness): Group[] {
  const clock = readiness.clock.detail ? [readiness.clock.detail] : [];
  const all: Group[] = [
    { title: "Not ready", kind: "bad", sentences: readiness.reasons },
    { title: "Away", kind: "warn", sentences: readiness.outages },
    { title: "Damage", kind: "bad", sentences: readiness.damage },
    { title: "Left over", kind: "warn", sentences: readiness.leftovers },
    { title: "Clock", kind: "warn", sentences: clock },
  ];
  return all.filter((group) => group.sentences.length > 0);
}

export function Health({ readiness }: { readiness: Readiness }) {
  const told = groups(readiness);
  return (
    <div class="health">
      <p class={readiness.ready ? "verdict good" : "verdict bad"}>{readiness.ready ? "Ready" : "Not ready"}</p>
      {!readiness.told && <p class="quiet">More is said to who shows a token.</p>}
      {readiness.told && told.length === 0 && <p class="quiet">Everything runs, and nothing is away.</p>}
      {told.map((group) => (
        <div key={group.title} class={`told ${group.kind}`}>
          <h3>{group.title}</h3>
          <ul>
            {group.sentences.map((sentence) => (
              <li key={sentence}>{sentence.split("\n", 1)[0]}</li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

/** The one word for the head of the page. */
export function verdict(readiness: Readiness): { text: string; kind: "good" | "warn" | "bad" } {
  if (!readiness.ready) return { text: "not ready", kind: "bad" };
  const quiet = groups(readiness).length === 0;
  return quiet ? { text: "ready", kind: "good" } : { text: "ready, with remarks", kind: "warn" };
}
