// Small parts that all pages share: buttons that work on something, dialogs, short messages, states.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { mayChange, message } from "../api";

/** What just happened, read out by screen readers; each goes by itself. */
const notes = signal<{ id: number; text: string; bad: boolean }[]>([]);
let lastNote = 0;
const kNoteShows = 8_000;

export function say(text: string, how: "good" | "bad" = "good"): void {
  if (text === "") return;
  const id = ++lastNote;
  notes.value = [...notes.value.slice(-3), { id, text, bad: how === "bad" }];
  setTimeout(() => hush(id), how === "bad" ? 2 * kNoteShows : kNoteShows);
}

/** One of them goes, or all that were said. */
export function hush(id?: number): void {
  notes.value = notes.value.filter((note) => id !== undefined && note.id !== id);
}

export function Notes() {
  return (
    <div class="notes" role="status" aria-live="polite">
      {notes.value.map((note) => (
        <div key={note.id} class={note.bad ? "note bad" : "note"}>
          <span>{note.text}</span>
          <button type="button" class="plain" aria-label="Dismiss" onClick={() => hush(note.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}

interface ActionProps {
  children: ComponentChildren;
  /** What it does; the button waits for it and tells how it ended. */
  run: () => Promise<string | void>;
  class?: string;
  disabled?: boolean;
  title?: string;
}

/** A button that changes something: off for those who may not. */
export function Action(props: ActionProps) {
  const [busy, setBusy] = useState(false);
  const allowed = mayChange();
  const act = async () => {
    setBusy(true);
    try {
      const text = await props.run();
      if (text) say(text);
    } catch (error) {
      say(message(error), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={props.class ?? ""}
      disabled={busy || !allowed || props.disabled === true}
      aria-busy={busy}
      title={allowed ? (props.title ?? "") : "needs a token with the role admin"}
      onClick={() => void act()}
    >
      {props.children}
    </button>
  );
}

interface DialogProps {
  title: string;
  children: ComponentChildren;
  onClose: () => void;
  wide?: boolean;
}

/** A modal dialog of the browser's own: it keeps the focus inside, and Escape closes it. */
export function Dialog(props: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={element} class={props.wide ? "wide" : ""} aria-label={props.title} onClose={props.onClose}>
      <h2>{props.title}</h2>
      {props.children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ComponentChildren;
  verb: string;
  danger?: boolean;
  run: () => Promise<string | void>;
  onClose: () => void;
}

/** Asks before something that cannot be taken back. */
export function Confirm(props: ConfirmProps) {
  const run = async () => {
    const text = await props.run();
    props.onClose();
    return text;
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      {props.children}
      <div class="row end">
        <button type="button" onClick={props.onClose}>
          Cancel
        </button>
        <Action class={props.danger ? "danger" : "primary"} run={run}>
          {props.verb}
        </Action>
      </div>
    </Dialog>
  );
}

const kGood = new Set(["running", "finished", "connected", "delivering", "idle", "right", "plausible"]);
const kBad = new Set(["failed", "stopped", "refused"]);

/** The word for a state, coloured; the word says it all without the colour, too. */
export function State({ value, detail }: { value: string; detail?: string }) {
  const kind = kGood.has(value) ? "good" : kBad.has(value) ? "bad" : "warn";
  return (
    <span class={`state ${kind}`} title={detail ?? ""}>
      {value}
    </span>
  );
}

/** Why there is nothing, or not yet. */
export function Waiting({ error, children }: { error: string; children?: ComponentChildren }) {
  if (error) return <p class="error">{error}</p>;
  return <p class="quiet">{children ?? "…"}</p>;
}

export function Card(props: { title: string; id?: string; aside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="card" aria-label={props.title} id={props.id}>
      <header class="row">
        <h2>{props.title}</h2>
        {props.aside && <div class="row end">{props.aside}</div>}
      </header>
      {props.children}
    </section>
  );
}

/** The head of a column of numbers. */
export function NumberHead({ children }: { children: string }) {
  return (
    <th scope="col" class="number">
      {children}
    </th>
  );
}

/** A table that scrolls sideways by itself where it is too wide; reachable by keyboard for that. */
export function Scroll(props: { label: string; children: ComponentChildren; tall?: boolean }) {
  return (
    <div class={props.tall ? "scroll tall" : "scroll"} role="group" aria-label={props.label} tabIndex={0}>
      {props.children}
    </div>
  );
}
