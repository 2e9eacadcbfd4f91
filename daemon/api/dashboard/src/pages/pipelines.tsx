// All pipelines in one table.
import { request } from "../api";
import { count, moment } from "../format";
import type { Summary } from "../model";
import { NumberHead, Scroll, State, Waiting } from "../parts/ui";
import { usePoll } from "../poll";
import { link } from "../router";

export function Pipelines() {
  const { data, error } = usePoll("pipelines", 2_000, (signal) =>
    request<{ pipelines: Summary[] }>("api/v1/pipelines", { signal }),
  );
  return (
    <>
      <header class="row">
        <h1>Pipelines</h1>
        <div class="row end">
          <a class="button" href={link("editor")}>
            New pipeline
          </a>
        </div>
      </header>
      {!data && <Waiting error={error} />}
      {data && data.pipelines.length === 0 && <p class="quiet">There is none yet.</p>}
      {data && data.pipelines.length > 0 && <List pipelines={data.pipelines} />}
    </>
  );
}

function List({ pipelines }: { pipelines: Summary[] }) {
  return (
    <Scroll label="Pipelines">
      <table>
        <thead>
          <tr>
            <th scope="col">pipeline</th>
            <th scope="col">state</th>
            <th scope="col">watermark, UTC</th>
            <th scope="col">last commit, UTC</th>
            <NumberHead>dead letters</NumberHead>
            <NumberHead>restarts</NumberHead>
          </tr>
        </thead>
        <tbody>
          {pipelines.map((each) => (
            <tr key={each.name}>
              <th scope="row">
                <a href={link("pipelines", each.name)}>{each.name}</a>
              </th>
              <td>
                <State value={each.state} detail={each.error || each.waiting_for} />{" "}
                {each.refused && <State value="refused" detail={`A new text: ${each.refused}`} />}
              </td>
              <td>{moment(each.watermark)}</td>
              <td>{moment(each.last_commit_time)}</td>
              <td class="number">{count(each.dead_letters)}</td>
              <td class="number">{count(each.restarts)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
