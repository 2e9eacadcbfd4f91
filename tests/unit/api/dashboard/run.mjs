// run.mjs PAGE OUT: the unit tests of the dashboard's parts that are pure. PAGE has its packages (the build's copy of the
// page); the tests are bundled into OUT and run by Node.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [page, out] = process.argv.slice(2).map((each) => resolve(each));
const here = dirname(fileURLToPath(import.meta.url));
const names = readdirSync(here).filter((name) => name.endsWith(".test.ts"));
const esbuild = createRequire(join(page, "package.json"))("esbuild");

rmSync(out, { recursive: true, force: true });
await esbuild.build({
  entryPoints: names.map((name) => join(here, name)),
  bundle: true,
  platform: "node",
  format: "esm",
  outdir: out,
  outExtension: { ".js": ".mjs" },
  nodePaths: [join(page, "node_modules")],
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".css": "empty" },
});
const tests = names.map((name) => join(out, name.replace(/\.ts$/, ".mjs")));
process.exit(spawnSync(process.execPath, ["--test", ...tests], { stdio: "inherit" }).status ?? 1);
