// The engine in a worker: Python by Pyodide, the package costcalc, and what it needs. It asks only its own origin.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const LIMITS = { seconds: 15, run_seconds: 15, layers: 60_000 }; // of one answer, so the worker ends itself first
const SITE = "/lib/engine";
const say = (progress) => postMessage({ progress });

async function started() {
  say("Loading Python (1 of 3): 13 MB the first time, kept for later visits.");
  const engine = fetch("engine.zip").then((response) => {
    if (!response.ok) throw new Error(`engine.zip: ${response.status}`);
    return response.arrayBuffer();
  });
  engine.catch(() => {}); // told when it is waited for
  const python = await loadPyodide({ indexURL: new URL("./pyodide/", location.href).href });
  say("Unpacking the engine (2 of 3).");
  python.unpackArchive(await engine, "zip", { extractDir: SITE });
  say("Starting the engine (3 of 3).");
  python.globals.set("SITE", SITE);
  python.globals.set("LIMITS", python.toPy(LIMITS));
  python.runPython(await (await fetch("engine.py")).text());
  return { python, answer: python.globals.get("answer") };
}

const engine = started();
engine.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ failed: `the engine could not start: ${error.message}` }),
);

let mounted = 0;

// A file that was opened, read where it is: only what the engine looks at is loaded. TensorFlow Lite files are mapped
// into memory, which needs a copy of them.
async function mount(python, file) {
  const folder = `/given/${++mounted}`;
  const path = `${folder}/${file.name}`;
  python.FS.mkdirTree(folder);
  if (file.name.toLowerCase().endsWith(".tflite")) {
    python.FS.writeFile(path, new Uint8Array(await file.arrayBuffer()));
    return { path, unmount: () => python.FS.unlink(path) };
  }
  python.FS.mount(python.FS.filesystems.WORKERFS, { files: [file] }, folder);
  return { path, unmount: () => python.FS.unmount(folder) };
}

// Requests and answers are texts of JSON: nothing of either is run.
async function answered(request) {
  const { python, answer } = await engine;
  const { hold, name, file } = request;
  if (!hold) return JSON.parse(answer(JSON.stringify(request)));
  const { path, unmount } = await mount(python, file);
  try {
    return JSON.parse(answer(JSON.stringify({ hold, name, path })));
  } finally {
    unmount();
  }
}

onmessage = async ({ data: { number, request } }) => {
  try {
    postMessage({ number, answer: await answered(request) });
  } catch (error) {
    const message = /RangeError|memory|Maximum call/.test(String(error)) ? "the engine ran out of memory" : "the engine failed";
    postMessage({ number, failed: true, answer: { problems: [{ code: "engine", message, help: null, notes: [String(error).slice(-300)] }] } });
  }
};
