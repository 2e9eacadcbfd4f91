// SQL to read, and SQL to write.
import type { RefObject } from "preact";
import { useMemo } from "preact/hooks";
import { pieces, type Range } from "./sql";

function Painted({ text, wrong }: { text: string; wrong: readonly Range[] }) {
  const painted = useMemo(() => pieces(text, wrong), [text, wrong]);
  return (
    <>
      {painted.map((piece, i) =>
        piece.kind === "space" && !piece.wrong ? (
          piece.text
        ) : (
          <span key={i} class={piece.wrong ? `sql-${piece.kind} wrong` : `sql-${piece.kind}`}>
            {piece.text}
          </span>
        ),
      )}
    </>
  );
}

const kNothingWrong: readonly Range[] = [];

function numbers(text: string): string {
  return Array.from({ length: text.split("\n").length }, (_, i) => i + 1).join("\n");
}

export function SqlText({ text }: { text: string }) {
  return (
    <div class="sql" tabIndex={0} role="group" aria-label="SQL of the pipeline">
      <pre class="gutter" aria-hidden="true">
        {numbers(text)}
      </pre>
      <pre class="paint">
        <code>
          <Painted text={text} wrong={kNothingWrong} />
        </code>
      </pre>
    </div>
  );
}

interface EditorProps {
  text: string;
  wrong: readonly Range[];
  onInput: (text: string) => void;
  field: RefObject<HTMLTextAreaElement>;
  describedBy: string;
}

/**
 * A text area whose letters are invisible, over the same text painted: the browser does the editing, with all keys and
 * input methods that people know. Both lie in one cell of a grid, so they have one size, and one element scrolls both.
 * Tab leaves it as it leaves any field.
 */
export function SqlEditor(props: EditorProps) {
  return (
    <div class="sql editor">
      <pre class="gutter" aria-hidden="true">
        {numbers(props.text)}
      </pre>
      <div class="paper">
        <pre class="paint" aria-hidden="true">
          <Painted text={props.text} wrong={props.wrong} />
          {"\n "}
        </pre>
        <textarea
          ref={props.field}
          value={props.text}
          wrap="off"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          aria-label="SQL"
          aria-describedby={props.describedBy}
          aria-invalid={props.wrong.length > 0}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      </div>
    </div>
  );
}
