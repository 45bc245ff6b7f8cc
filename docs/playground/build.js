// `npm ci && npm run build [-- DIRECTORY]`: the playground as a static site, in build/ unless a directory is named.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "build"));
const web = join(here, "../../costcalc/render/web/built");
const PYODIDE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "pyodide"), { recursive: true });
for (const name of PYODIDE) copyFileSync(join(here, "node_modules/pyodide", name), join(out, "pyodide", name));
for (const name of ["play.js", "play.css"]) copyFileSync(join(web, name), join(out, name));
for (const name of ["worker.js", "engine.py"]) copyFileSync(join(here, "src", name), join(out, name));

const python = process.env.PYTHON ?? "python3";
const packed = spawnSync(python, [join(here, "pack.py"), out], { stdio: "inherit" });
if (packed.status !== 0) process.exit(packed.status ?? 1);

const files = readdirSync(out, { recursive: true })
  .map((name) => String(name).replaceAll("\\", "/"))
  .filter((name) => statSync(join(out, name)).isFile())
  .sort();
const hash = createHash("sha256");
for (const name of files) hash.update(`${name}\0`).update(readFileSync(join(out, name)));
const build = hash.digest("hex").slice(0, 16);
const service = readFileSync(join(here, "src/service.js"), "utf8")
  .replace("BUILD", build)
  .replace("FILE_LIST", JSON.stringify(["./", ...files.filter((name) => name !== "index.html")]));
writeFileSync(join(out, "service.js"), service);
const bytes = files.reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
console.log(`playground ${build}: ${files.length + 1} files, ${bytes} bytes in ${out}`);
