// Asking again and again: less often in the background, with growing pauses while nobody answers, and at once when there
// is reason to hope.
import { effect, signal, type Signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { lostSince, message, NoRoute, Problem, token, tokenWanted } from "./api";

const kBackgroundFactor = 10;
const kLongestPause = 30_000;

/** When the next try is due while the connection is lost, in milliseconds since 1970. */
export const nextTry = signal(0);

export interface Polled<T> {
  /** The last good answer; null: none yet. */
  data: T | null;
  /** Why the last try failed; empty: it did not. */
  error: string;
  /** Null: no status, as nobody answered. */
  status: number | null;
}

/** Wakes all polls, and tells when this is not the first time. */
const woken = signal(0);
export const wake = (): void => void (woken.value += 1);

document.addEventListener("visibilitychange", () => document.hidden || wake());
window.addEventListener("online", wake);
// Whoever gets through first wakes the others; so does a new token.
let wasLost = false;
effect(() => {
  const lost = lostSince.value !== null;
  if (wasLost && !lost) queueMicrotask(wake);
  wasLost = lost;
});
effect(() => {
  if (token.value !== null) queueMicrotask(wake);
});

function pause(every: number, failures: number): number {
  if (failures > 0) return Math.min(kLongestPause, 1000 * 2 ** (failures - 1)) * (0.75 + Math.random() / 2);
  return document.hidden ? every * kBackgroundFactor : every;
}

class Poll<T> {
  readonly state: Signal<Polled<T>> = signal({ data: null, error: "", status: null });
  private timer = 0;
  private failures = 0;
  private abort: AbortController | null = null;
  private readonly unwatch: () => void;

  constructor(
    private readonly load: (signal: AbortSignal) => Promise<T>,
    private readonly every: number,
  ) {
    this.unwatch = effect(() => {
      woken.value;
      this.failures = 0;
      this.plan(0);
    });
  }

  stop(): void {
    this.unwatch();
    clearTimeout(this.timer);
    this.abort?.abort();
    this.abort = null;
  }

  private plan(after: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), after);
  }

  private async ask(): Promise<void> {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    const before = this.state.peek();
    try {
      const data = await this.load(abort.signal);
      if (this.abort !== abort) return;
      this.failures = 0;
      this.state.value = { data, error: "", status: 200 };
    } catch (error) {
      if (this.abort !== abort) return;
      const status = error instanceof Problem ? error.status : null;
      this.state.value = { data: status === 404 ? null : before.data, error: message(error), status };
      if (error instanceof NoRoute) return; // It will not come by waiting.
      if (tokenWanted.peek() !== null) return; // A new token wakes all.
      this.failures += 1;
    }
    const after = pause(this.every, this.failures);
    if (this.failures > 0 && lostSince.peek() !== null) nextTry.value = Date.now() + after;
    this.plan(after);
  }
}

/** Polls while the component is there; another key begins anew. */
export function usePoll<T>(key: string, every: number, load: (signal: AbortSignal) => Promise<T>): Polled<T> {
  const [state, setState] = useState<{ key: string; polled: Polled<T> }>({ key: "", polled: kNothing });
  useEffect(() => {
    const poll = new Poll(load, every);
    const unwatch = effect(() => setState({ key, polled: poll.state.value }));
    return () => {
      unwatch();
      poll.stop();
    };
  }, [key, every]);
  return state.key === key ? state.polled : kNothing;
}

const kNothing: Polled<never> = { data: null, error: "", status: null };
