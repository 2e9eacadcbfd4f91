// The last lines of the daemon's log, and how much it says.
import { useState } from "preact/hooks";
import { mayChange, message, request } from "../api";
import { cell } from "../format";
import type { LogLine } from "../model";
import { say, Scroll, Waiting } from "../parts/ui";
import { usePoll } from "../poll";
import { place, setQuery } from "../router";

const kLevels = ["debug", "info", "warn", "error"];

export function Logs() {
  const level = place.value.query.get("level") ?? "info";
  const [search, setSearch] = useState("");
  const { data, error } = usePoll(`logs ${level}`, 2_000, (signal) =>
    request<{ lines: LogLine[] }>(`api/v1/logs?lines=300&level=${encodeURIComponent(level)}`, { signal }),
  );
  const text = search.toLowerCase();
  const lines = (data?.lines ?? []).filter((line) => text === "" || spoken(line).toLowerCase().includes(text));
  return (
    <>
      <header class="row">
        <h1>Logs</h1>
        <div class="row end">
          <WrittenLevel />
        </div>
      </header>
      <div class="row choices">
        <label>
          From level{" "}
          <select value={level} onChange={(event) => setQuery({ level: event.currentTarget.value })}>
            {kLevels.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          With <input type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        </label>
      </div>
      {!data && <Waiting error={error} />}
      {data && lines.length === 0 && <p class="quiet">No line.</p>}
      {lines.length > 0 && (
        <Scroll label="Log lines, newest first" tall>
          <ol class="log">
            {[...lines].reverse().map((line, i) => (
              <li key={`${line.time} ${i}`} class={line.level.toLowerCase()}>
                <time>{line.time}</time> <b>{line.level}</b> {spoken(line)}
              </li>
            ))}
          </ol>
        </Scroll>
      )}
    </>
  );
}

function spoken(line: LogLine): string {
  const fields = Object.entries(line.fields).map(([name, value]) => `${name}=${cell(value)}`);
  return [line.message, ...fields].join(" ");
}

/** What the daemon writes from now on; until its next start. */
function WrittenLevel() {
  const { data } = usePoll("log-level", 10_000, (signal) => request<{ level: string }>("api/v1/log-level", { signal }));
  const [set, setSet] = useState<string | null>(null);
  if (!data) return null;
  const change = async (level: string) => {
    setSet(level);
    try {
      await request("api/v1/log-level", { method: "PUT", body: { level } });
      say(`the daemon writes its log from level ${level} now, until it is started again`);
    } catch (error) {
      setSet(null);
      say(message(error), "bad");
    }
  };
  const level = set ?? data.level;
  return (
    <label>
      The daemon writes from{" "}
      <select value={level} disabled={!mayChange()} onChange={(event) => void change(event.currentTarget.value)}>
        {[...new Set([...kLevels, level])].map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
