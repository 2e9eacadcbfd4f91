// Server-sent events over fetch: EventSource can neither send a token nor a body.
import { open, Unreachable, type Options } from "./api";

export interface StreamEvent {
  event: string;
  data: unknown;
}

/** Reads a stream to its end. Throws as `open`, and Unreachable when it breaks off. */
export async function readStream(path: string, options: Options, on: (event: StreamEvent) => void): Promise<void> {
  const answer = await open(path, options);
  if (answer.body === null) return;
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw options.signal?.aborted ? error : new Unreachable("the stream broke off");
    });
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event) on(event);
    }
  }
}

/** Null: a comment, as those that keep a connection open. */
function parseEvent(block: string): StreamEvent | null {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (field === "event") event = value ?? event;
    if (field === "data") data.push(value ?? "");
  }
  if (data.length === 0) return null;
  try {
    return { event, data: JSON.parse(data.join("\n")) as unknown };
  } catch {
    return null;
  }
}
