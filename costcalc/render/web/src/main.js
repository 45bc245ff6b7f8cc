// The page of one file: it shows the document that stands in it.
import { NetworkApp, TablesApp } from "./app.js";

const data = JSON.parse(document.getElementById("data").textContent);
new (data.kind === "network" ? NetworkApp : TablesApp)(data).start();
