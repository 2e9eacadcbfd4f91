// browser.mjs CHROMIUM: a page of a headless Chromium, driven from standard input. A line is a call of a method of
// Playwright's Page, {"call": "keyboard.press", "args": ["Tab"]}; its answer is a line, too: {"value": …} or {"error": "…"}.
//
// Two calls are our own: "open" begins anew with a fresh profile and the given options of a context, "complaints" gives
// what the page has thrown, and what the browser has refused it, since it was opened.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const kLongestWait = 20_000;

const browser = await chromium.launch({ executablePath: process.argv[2] });
let context = null;
let page = null;
let complaints = [];

async function open(options) {
  await context?.close();
  context = await browser.newContext(options);
  page = await context.newPage();
  page.setDefaultTimeout(kLongestWait);
  complaints = [];
  const mine = complaints;
  page.on("pageerror", (error) => mine.push(String(error)));
  page.on("console", (message) => {
    // What a request is answered is the page's business, not a fault of the page.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) mine.push(message.text());
  });
}

async function carryOut({ call, args }) {
  if (call === "open") return open(...args);
  if (call === "complaints") return complaints;
  const path = call.split(".");
  const method = path.pop();
  const object = path.reduce((each, name) => each[name], page);
  const value = await object[method](...args);
  // Handles and answers of the network stay here.
  return ["string", "number", "boolean"].includes(typeof value) || method === "evaluate" ? value : null;
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await carryOut(JSON.parse(line)).then(
    (value) => ({ value: value ?? null }),
    (error) => ({ error: String(error.message ?? error) }),
  );
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
