// Dark, light, or as the system has it.
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "dark" | "light";

const kTheme = "leat.theme";
const kThemes: readonly Theme[] = ["auto", "dark", "light"];

function stored(): Theme {
  const text = localStorage.getItem(kTheme);
  return kThemes.find((each) => each === text) ?? "auto";
}

export const theme = signal<Theme>(stored());
/** Counts changes of the colours, for what is drawn and not styled. */
export const repaint = signal(0);

effect(() => {
  if (theme.value === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
  localStorage.setItem(kTheme, theme.value);
  repaint.value = repaint.peek() + 1;
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (repaint.value += 1));

export function nextTheme(): void {
  theme.value = kThemes[(kThemes.indexOf(theme.value) + 1) % kThemes.length] ?? "auto";
}

/** A colour of the style sheet: "--text". */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();
