// The editor of a spec, in a shadow tree of its own: its styles need no leave of the policy.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { h } from "../dom.js";
import { completions } from "./completion.js";

const LOOK = EditorView.theme({
  "&": { height: "100%", fontSize: "13.5px", background: "var(--ground)", color: "var(--text)" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "ui-monospace, Menlo, Consolas, monospace", lineHeight: "1.5", overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { background: "var(--card)", color: "var(--quiet)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { background: "color-mix(in srgb, var(--bar) 35%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--bar)" },
  ".cm-tooltip": { background: "var(--card)", color: "var(--text)", border: "1px solid var(--strong)", borderRadius: "6px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--accent)", color: "var(--ground)" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: 0.85 },
  ".cm-completionInfo": { whiteSpace: "pre-wrap", maxWidth: "420px", font: "12.5px/1.45 system-ui, sans-serif" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--alarm)", textUnderlineOffset: "3px" },
  ".cm-lint-line": { background: "color-mix(in srgb, var(--alarm) 10%, transparent)" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--alarm)" },
});
const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.string, tags.content], color: "var(--text)" },
  { tag: [tags.separator, tags.squareBracket, tags.brace, tags.punctuation], color: "var(--strong)" },
]);

export class Editor {
  constructor(host, changed, schema) {
    this.host = host;
    this.changed = changed;
    this.schema = schema;
    const root = host.attachShadow({ mode: "open" });
    const box = h("div", { style: { height: "100%" } });
    root.append(box);
    this.view = new EditorView({ root, parent: box, state: this.state("") });
  }

  state(text) {
    return EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        bracketMatching(),
        closeBrackets(),
        indentUnit.of("  "),
        yaml(),
        syntaxHighlighting(COLOURS),
        autocompletion({ override: [(context) => this.complete(context)], icons: false }),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...defaultKeymap, ...historyKeymap]),
        LOOK,
        EditorView.contentAttributes.of({ "aria-label": "Spec", spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of((update) => update.docChanged && this.changed(this.text)),
      ],
    });
  }

  async complete(context) {
    const word = context.matchBefore(/[\w.-]*/);
    if (!context.explicit && !word.text && !/[{,] ?$/.test(context.state.sliceDoc(Math.max(word.from - 2, 0), word.from))) return null;
    const schema = await this.schema();
    const found = schema && completions(schema, context.state.sliceDoc(0, context.pos));
    return found ? { ...found, validFor: /^[\w.-]*$/ } : null;
  }

  get text() {
    return this.view.state.doc.toString();
  }

  // Another text, with a history of its own.
  set(text) {
    this.view.setState(this.state(text));
  }

  // Mark problems at their places: those without one are marked at the first line.
  mark(problems) {
    const { doc } = this.view.state;
    const marks = problems.map((one) => {
      const line = doc.line(Math.min(Math.max(one.line ?? 1, 1), doc.lines));
      const chars = [...line.text];
      const from = line.from + chars.slice(0, (one.column ?? 1) - 1).join("").length;
      const to = from + chars.slice((one.column ?? 1) - 1, (one.column ?? 1) - 1 + Math.max(one.width ?? 1, 1)).join("").length;
      return { from: Math.min(from, line.to), to: Math.min(Math.max(to, from), line.to), severity: "error", message: sentence(one) };
    });
    this.view.dispatch(setDiagnostics(this.view.state, marks.sort((a, b) => a.from - b.from)));
  }

  // Put the cursor at a problem.
  go(one) {
    const { doc } = this.view.state;
    const line = doc.line(Math.min(Math.max(one.line ?? 1, 1), doc.lines));
    const from = Math.min(line.from + [...line.text].slice(0, (one.column ?? 1) - 1).join("").length, line.to);
    this.view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.view.focus();
  }
}

export const sentence = (one) => `${one.message}${one.help ? ` (${one.help})` : ""}`;
