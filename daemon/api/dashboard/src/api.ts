// Requests to the daemon, and what they teach the page: whether the connection is there, whether a token is asked for,
// which routes this daemon has. Every request of the page goes through `request` or `open`.
import { signal } from "@preact/signals";

const kToken = "leat.token";

/** An answer that says no: an RFC 9457 problem, or what comes closest. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** All members of the problem, such as `errors` and `text` of wrong SQL. */
    readonly body: Record<string, unknown>,
  ) {
    super(detail || title);
  }
}

/** Nobody answered. */
export class Unreachable extends Error {}

/** This daemon has no such route. */
export class NoRoute extends Error {}

export const token = signal(sessionStorage.getItem(kToken));
/** Why a token is asked for; null: none is. */
export const tokenWanted = signal<string | null>(null);
/** When the connection was lost, in milliseconds; null: it is there. */
export const lostSince = signal<number | null>(null);
/** Routes that this daemon does not have, by their first words: "validate", "tail". */
export const missing = signal<ReadonlySet<string>>(new Set());
/** The roles of whoever asks; null: the daemon does not say, so all is offered. */
export const roles = signal<readonly string[] | null>(null);

export const has = (route: string): boolean => !missing.value.has(route);
export const mayChange = (): boolean => roles.value === null || roles.value.includes("admin");

export function useToken(text: string | null): void {
  if (text === null) sessionStorage.removeItem(kToken);
  else sessionStorage.setItem(kToken, text);
  token.value = text;
  tokenWanted.value = text === null && tokenWanted.value !== null ? tokenWanted.value : null;
}

export interface Options {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
  /** In place of the one that is kept. */
  token?: string;
  /** Statuses that are answers, too: /readyz tells with 503 what does not run. */
  accept?: readonly number[];
}

/** One segment of a path. */
export const segment = encodeURIComponent;

/** The JSON of the answer. Throws Problem, Unreachable, NoRoute, or AbortError. */
export async function request<T>(path: string, options: Options = {}): Promise<T> {
  const answer = await open(path, options);
  const text = await answer.text().catch((error: unknown) => {
    throw options.signal?.aborted ? error : unreachable();
  });
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Problem(answer.status, "not JSON", `the daemon answered ${path} with something that is no JSON`, {});
  }
}

/** The answer itself, for those that stream. */
export async function open(path: string, options: Options = {}): Promise<Response> {
  const sent = options.token ?? token.value;
  const headers: Record<string, string> = { Accept: "application/json, text/event-stream" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (sent !== null) headers["Authorization"] = `Bearer ${sent}`;
  const answer = await fetch(new URL(path, document.baseURI), {
    method: options.method ?? "GET",
    headers,
    cache: "no-store",
    credentials: "omit",
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.signal ? { signal: options.signal } : {}),
  }).catch((error: unknown) => {
    throw options.signal?.aborted ? error : unreachable();
  });
  lostSince.value = null;
  if (answer.ok || options.accept?.includes(answer.status)) return answer;
  throw await refusal(path, answer, sent);
}

function unreachable(): Unreachable {
  lostSince.value ??= Date.now();
  return new Unreachable("the daemon does not answer");
}

async function refusal(path: string, answer: Response, sent: string | null): Promise<Error> {
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const detail = String(body["detail"] ?? "");
  if (answer.status === 401) {
    // Of several requests under way the last ones come back after a new token was entered.
    if (sent === token.value) tokenWanted.value = sent === null ? "" : detail || "the daemon does not take this token";
  } else if (answer.status === 405 || (answer.status === 404 && detail.startsWith("there is nothing at"))) {
    lacks(path);
    return new NoRoute(`This daemon does not have that: ${detail}.`);
  } else if (answer.status === 502 || answer.status === 504) {
    return unreachable(); // Of a proxy before the daemon.
  }
  return new Problem(answer.status, String(body["title"] ?? `status ${answer.status}`), detail, body);
}

function lacks(path: string): void {
  const route = /^api\/v1\/([a-z-]+)/.exec(path)?.[1];
  if (route === undefined || missing.value.has(route)) return;
  missing.value = new Set([...missing.value, route]);
}

/** What somebody reads when a request failed; empty for one that was given up. */
export function message(error: unknown): string {
  if (error instanceof DOMException && error.name === "AbortError") return "";
  return error instanceof Error ? error.message : String(error);
}
