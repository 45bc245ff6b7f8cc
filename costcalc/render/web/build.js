// `npm run build`: src/ becomes the page and the playground in built/, the same bytes on every machine.
import { build } from "esbuild";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";

const license = (name) => readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim();
const dagre = `/*! The layout of the graph is by dagre.\n${license("@dagrejs/dagre")}\n*/`;
const codemirror = `/*! The editor is CodeMirror.\n${license("@codemirror/view")}\n*/`;

const one = (entry, more) =>
  build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    charset: "utf8",
    target: "es2022",
    write: false,
    legalComments: "none",
    ...more,
  });

async function bundle(entry, name, notice) {
  const script = (await one(entry, { format: "iife" })).outputFiles[0].text
    .trim()
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`); // of strings in it
  if (script.includes("</script")) throw new Error("the bundle would end its own element");
  writeFileSync(`built/${name}.js`, `${notice}\n${script}\n`);
  console.log(`${name}.js ${script.length} characters`);
}

async function styles(entry, name) {
  const style = (await one(entry, {})).outputFiles[0].text.trim();
  writeFileSync(`built/${name}.css`, `${style}\n`);
  console.log(`${name}.css ${style.length} characters`);
}

await bundle("src/main.js", "page", dagre);
await styles("src/style.css", "page");
await bundle("src/play/main.js", "play", `${dagre}\n${codemirror}`);
await styles("src/play/play.css", "play");
copyFileSync("src/play/play.html", "built/play.html");
