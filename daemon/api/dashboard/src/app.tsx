// The frame around all pages: head with navigation and health, the token, the lost connection.
import { useEffect, useRef, useState } from "preact/hooks";
import { has, lostSince, message, missing, request, roles, token, tokenWanted, useToken } from "./api";
import { moment } from "./format";
import { kUntold, type DaemonStatus, type Readiness } from "./model";
import { verdict } from "./parts/health";
import { Notes } from "./parts/ui";
import { DeadLettersPage } from "./pages/dead_letters";
import { Editor } from "./pages/editor";
import { Logs } from "./pages/logs";
import { Overview } from "./pages/overview";
import { PipelinePage } from "./pages/pipeline";
import { Pipelines } from "./pages/pipelines";
import { TablePage, Tables } from "./pages/tables";
import { nextTry, usePoll, wake, type Polled } from "./poll";
import { link, place } from "./router";
import { nextTheme, theme } from "./theme";

export function App() {
  const readiness = usePoll("readyz", 4_000, (signal) => askReadiness(signal));
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <Head readiness={readiness.data} />
      <LostBanner />
      <main id="content" tabIndex={-1}>
        <Page readiness={readiness} />
      </main>
      <Notes />
      {tokenWanted.value !== null && <TokenForm reason={tokenWanted.value} />}
    </>
  );
}

async function askReadiness(signal: AbortSignal): Promise<Readiness> {
  const told = await request<Partial<Readiness> & { ready: boolean }>("readyz", { signal, accept: [503] });
  return { ...kUntold, ...told, told: told.reasons !== undefined };
}

/** The address behind # is the page's own: it must not become "#content". */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function Head({ readiness }: { readiness: Readiness | null }) {
  const { data } = usePoll("who", 30_000, (signal) => request<DaemonStatus>("api/v1/status", { signal }));
  usePoll("routes", 600_000, learnRoutes);
  useEffect(() => {
    if (data) roles.value = data.roles;
  }, [data]);
  const said = readiness ? verdict(readiness) : null;
  return (
    <header class="head">
      <a class="brand" href={link()}>
        Leat
        {data && <small>{data.gateway}</small>}
      </a>
      <nav aria-label="Pages">
        <NavLink parts={[]}>Overview</NavLink>
        <NavLink parts={["pipelines"]}>Pipelines</NavLink>
        <NavLink parts={["tables"]}>Tables</NavLink>
        <NavLink parts={["dead-letters"]}>Dead letters</NavLink>
        <NavLink parts={["editor"]}>Editor</NavLink>
        {has("logs") && <NavLink parts={["logs"]}>Logs</NavLink>}
      </nav>
      <div class="row end">
        {said && (
          <a href={link()} class={`state ${said.kind}`}>
            {said.text}
          </a>
        )}
        {token.value !== null && (
          <button type="button" class="plain" onClick={forget}>
            Forget token
          </button>
        )}
        <button type="button" class="plain" aria-label={`Colours: ${theme.value}; change`} onClick={nextTheme}>
          {{ auto: "◐ auto", dark: "● dark", light: "○ light" }[theme.value]}
        </button>
      </div>
    </header>
  );
}

function forget(): void {
  useToken(null);
  wake();
}

function NavLink({ parts, children }: { parts: string[]; children: string }) {
  const here = (place.value.parts[0] ?? "") === (parts[0] ?? "");
  return (
    <a href={link(...parts)} aria-current={here ? "page" : undefined}>
      {children}
    </a>
  );
}

const kOptional = ["query", "tail", "trial", "validate", "explain", "logs", "status"];

/** What this daemon does not have, from its own description; without one each is found missing when it is asked for. */
async function learnRoutes(signal: AbortSignal): Promise<boolean> {
  const { paths } = await request<{ paths: Record<string, unknown> }>("api/v1/openapi.json", { signal });
  const known = Object.keys(paths).map((path) => path.replace(/^\/?(api\/v1\/)?/, ""));
  const absent = kOptional.filter((route) => !known.some((path) => path === route || path.startsWith(`${route}/`)));
  missing.value = new Set(absent);
  return true;
}

/** The focus goes to the new page, so that whoever cannot see it hears of it. */
function useFocusOnNewPage(page: string): void {
  const [first, setFirst] = useState(true);
  useEffect(() => {
    if (first) return setFirst(false);
    document.getElementById("content")?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [page]);
}

function Page({ readiness }: { readiness: Polled<Readiness> }) {
  const [page = "", name] = place.value.parts;
  useFocusOnNewPage(place.value.parts.join("/"));
  useEffect(() => {
    document.title = [name ?? page.replace("-", " "), "Leat"].filter(Boolean).join(" · ");
  }, [page, name]);
  switch (page) {
    case "":
      return <Overview readiness={readiness} />;
    case "pipelines":
      return name === undefined ? <Pipelines /> : <PipelinePage key={name} name={name} readiness={readiness.data} />;
    case "tables":
      return name === undefined ? <Tables /> : <TablePage key={name} name={name} />;
    case "dead-letters":
      return <DeadLettersPage />;
    case "editor":
      return <Editor />;
    case "logs":
      return <Logs />;
    default:
      return (
        <p class="error">
          There is no page "{page}". Go to the <a href={link()}>overview</a>.
        </p>
      );
  }
}

function LostBanner() {
  const since = lostSince.value;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (since === null) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [since]);
  if (since === null) return null;
  const wait = Math.max(0, Math.ceil((nextTry.value - now) / 1000));
  return (
    <div class="lost" role="alert">
      <span>
        No connection to the daemon since {moment(new Date(since).toISOString())} UTC. What is shown is from before.
      </span>
      <span aria-hidden="true">{wait > 0 ? `Next try in ${wait} s.` : "Trying…"}</span>
      <button type="button" onClick={wake}>
        Try now
      </button>
    </div>
  );
}

/** Modal, and Escape does not close it: without a token there is nothing to see. */
function TokenForm({ reason }: { reason: string }) {
  const [text, setText] = useState("");
  const [refused, setRefused] = useState("");
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current?.showModal(), []);
  const enter = (event: Event) => {
    event.preventDefault();
    const given = text.trim();
    if (!given) return;
    setRefused("");
    // First by itself: all the polls of a page with a wrong token would be taken for somebody who guesses.
    request("api/v1/pipelines", { token: given })
      .then(() => useToken(given))
      .catch((error: unknown) => setRefused(message(error)));
  };
  return (
    <dialog ref={element} aria-label="Token" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={enter}>
        <h2>This daemon asks for a token</h2>
        {(refused || reason) && <p class="error">{refused || reason}</p>}
        <p>
          Make one on the gateway with <code>leat token</code>. It is kept until this tab is closed.
        </p>
        <label class="stacked">
          Token
          <input
            type="password"
            name="token"
            autocomplete="off"
            autofocus
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <div class="row end">
          <button class="primary">Enter</button>
        </div>
      </form>
    </dialog>
  );
}
