// `npm run build`: src/ becomes built/page.js and built/page.css, the same bytes on every machine.
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";

const license = readFileSync("node_modules/@dagrejs/dagre/LICENSE", "utf8").trim();
const notice = `/*! The layout of the graph is by dagre.\n${license}\n*/`;

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

const script = (await one("src/main.js", { format: "iife" })).outputFiles[0].text
  .trim()
  .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`); // of strings in it
if (script.includes("</script")) throw new Error("the bundle would end its own element");
writeFileSync("built/page.js", `${notice}\n${script}\n`);
const style = (await one("src/style.css", {})).outputFiles[0].text.trim();
writeFileSync("built/page.css", `${style}\n`);
console.log(`page.js ${script.length} characters, page.css ${style.length}`);
