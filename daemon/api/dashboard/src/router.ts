// The page's own address lies behind the #, so that it works wherever the page is served: "#/tables/t?y=temperature".
import { computed, signal } from "@preact/signals";

const address = signal(location.hash);
window.addEventListener("hashchange", () => (address.value = location.hash));

export interface Place {
  /** ["pipelines", "line 3"] */
  parts: string[];
  query: URLSearchParams;
}

export const place = computed<Place>(() => {
  const [path = "", query = ""] = address.value.replace(/^#\/?/, "").split("?", 2);
  return { parts: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
});

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function link(...parts: string[]): string {
  return "#/" + parts.map(encodeURIComponent).join("/");
}

/** Sets parameters of this address without leaving a step in the history; null takes one away. */
export function setQuery(changes: Record<string, string | null>): void {
  const query = new URLSearchParams(place.peek().query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  const hash = link(...place.peek().parts) + (text ? `?${text}` : "");
  history.replaceState(null, "", hash);
  address.value = hash;
}

export const go = (hash: string): void => void (location.hash = hash);
