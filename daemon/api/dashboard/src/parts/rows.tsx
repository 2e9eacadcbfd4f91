// Rows as a table, of any shape.
import { cell } from "../format";
import type { Cell } from "../model";
import { Scroll } from "./ui";

interface Props {
  label: string;
  columns: readonly string[];
  rows: readonly (readonly (Cell | undefined)[])[];
  /** A class of each row, such as its kind. */
  classes?: readonly string[];
}

export function RowsTable({ label, columns, rows, classes }: Props) {
  return (
    <Scroll label={label} tall>
      <table class="rows">
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col" class={typeof rows[0]?.[columns.indexOf(name)] === "number" ? "number" : ""}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i} class={classes?.[i] ?? ""}>
              {columns.map((name, j) => (
                <td key={name} class={typeof row[j] === "number" ? "number" : row[j] == null ? "null" : ""}>
                  {cell(row[j])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
