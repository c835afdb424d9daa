// The script editor itself: the only file that imports CodeMirror, loaded when an editor is opened.
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  type Completion,
  type CompletionContext,
  completionKeymap,
  type CompletionResult,
  snippet,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python, pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  rectangularSelection,
  showTooltip,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { closedKey, type Offer, offersAt, parameters, type Script, signatureAt } from "./completion";
import type { Mistake } from "./mistakes";

export interface CodeOptions {
  text: string;
  label: string;
  /** Id of the text that says how to leave the editor. */
  describedBy: string;
  readOnly: boolean;
  dark: boolean;
  /** What the script is for, asked each time something is completed. */
  script: () => Script;
  onChange: (text: string) => void;
  onRun: () => void;
  onSave: () => void;
}

export interface Code {
  setText: (text: string) => void;
  setMistakes: (mistakes: readonly Mistake[]) => void;
  setReadOnly: (readOnly: boolean) => void;
  setDark: (dark: boolean) => void;
  goTo: (line: number) => void;
  close: () => void;
}

/** Colours are those of the pages, light and dark. */
const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--ps-code)" },
  "&.cm-focused": { outline: "2px solid var(--ant-color-primary)", outlineOffset: "-1px" },
  ".cm-scroller": {
    fontFamily: 'ui-monospace, "Cascadia Mono", Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace',
    lineHeight: "1.55",
  },
  ".cm-content": { caretColor: "var(--ant-color-text)", color: "var(--ant-color-text)" },
  ".cm-cursor": { borderLeftColor: "var(--ant-color-text)" },
  ".cm-gutters": { backgroundColor: "var(--ps-code)", color: "var(--ant-color-text-description)", borderRight: "1px solid var(--ps-line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--ant-color-primary) 8%, transparent)" },
  ".cm-tooltip": {
    backgroundColor: "var(--ant-color-bg-elevated)",
    color: "var(--ant-color-text)",
    border: "1px solid var(--ps-line)",
    borderRadius: "4px",
    maxWidth: "min(520px, 80vw)",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--ant-color-primary)", color: "var(--ant-color-text-light-solid)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionDetail": { color: "var(--ant-color-text-description)", fontStyle: "normal" },
  ".cm-signature": { padding: "2px 8px", fontFamily: "inherit" },
  ".cm-completionInfo": { padding: "8px 10px", whiteSpace: "pre-wrap" },
  ".cm-panels": { backgroundColor: "var(--ant-color-bg-elevated)", color: "var(--ant-color-text)" },
  ".cm-diagnostic": { padding: "6px 10px", whiteSpace: "pre-wrap" },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.bool, tags.null, tags.self], color: "var(--ps-word)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ps-string)" },
  { tag: [tags.number], color: "var(--ps-number)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.className], color: "var(--ps-key)" },
  { tag: [tags.comment], color: "var(--ant-color-text-description)", fontStyle: "italic" },
]);

/** Puts a key in and the cursor behind it. */
function putKey(view: EditorView, label: string, from: number, to: number): void {
  const { state } = view;
  const { text, eat } = closedKey(state.sliceDoc(Math.max(0, from - 50), from), state.sliceDoc(to, to + 2), label);
  view.dispatch({
    changes: { from, to: to + eat, insert: text },
    selection: { anchor: from + text.length },
    userEvent: "input.complete",
  });
}

const TYPES: Readonly<Record<Offer["kind"], string>> = {
  method: "method",
  key: "property",
  device: "namespace",
  variable: "variable",
  alarm: "constant",
  module: "namespace",
};

function completionOf(offer: Offer, rank: number): Completion {
  const { label, kind, detail, info, template } = offer;
  return {
    label,
    type: TYPES[kind],
    detail: detail || undefined,
    info: info || undefined,
    // In the order they are offered in, as far as what is typed leaves it open.
    boost: 99 - Math.min(rank, 98),
    apply:
      template !== undefined
        ? snippet(template)
        : kind === "module"
          ? undefined
          : (view, _, from, to) => putKey(view, label, from, to),
  };
}

const source = (script: () => Script) => (context: CompletionContext): CompletionResult | null => {
  const found = offersAt(context.state.doc.toString(), context.pos, script());
  return found && found.offers.length > 0
    ? { from: found.from, options: found.offers.map(completionOf), validFor: /^[^"'\n[\]{}().]*$/ }
    : null;
};

/** Far enough for a call over a few lines. */
const CALL_LOOK_BACK = 400;

/** While the brackets of a call are open its signature stands above the line. */
const signature = (script: () => Script) =>
  showTooltip.compute(["selection", "doc"], (state) => {
    const { head, empty } = state.selection.main;
    const before = state.sliceDoc(Math.max(0, head - CALL_LOOK_BACK), head);
    // Asked for its parameters only where there is something to show.
    const text = empty && /\.\w+\([^()\n]*$/.test(before) ? signatureAt(before, parameters(state.doc.toString(), script()).api) : undefined;
    return text === undefined
      ? null
      : {
          pos: head,
          above: true,
          create: () => {
            const dom = document.createElement("div");
            dom.className = "cm-signature";
            dom.textContent = text;
            return { dom };
          },
        };
  });

function diagnosticsOf(state: EditorState, mistakes: readonly Mistake[]): Diagnostic[] {
  return mistakes
    .filter(({ line }) => line >= 1 && line <= state.doc.lines)
    .map(({ line, text }, i) => {
      const { from, to, text: code } = state.doc.line(line);
      const begin = from + (code.length - code.trimStart().length);
      // The first is where it went wrong, the others led there.
      return { from: Math.min(begin, to), to, severity: i === 0 ? ("error" as const) : ("warning" as const), message: text };
    });
}

export function openCode(parent: HTMLElement, options: CodeOptions): Code {
  const writable = new Compartment();
  const dark = new Compartment();
  const mayWrite = (readOnly: boolean) => [EditorState.readOnly.of(readOnly), EditorView.editable.of(!readOnly)];
  const isDark = (yes: boolean) => EditorView.theme({}, { dark: yes });
  let quiet = false;
  const run = (what: () => void) => () => {
    what();
    return true;
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        highlightActiveLineGutter(),
        history(),
        drawSelection(),
        rectangularSelection(),
        indentOnInput(),
        indentUnit.of("    "),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        search({ top: true }),
        python(),
        pythonLanguage.data.of({ autocomplete: source(options.script) }),
        signature(options.script),
        autocompletion({ icons: false, activateOnTypingDelay: 50 }),
        syntaxHighlighting(colours),
        look,
        dark.of(isDark(options.dark)),
        writable.of(mayWrite(options.readOnly)),
        EditorView.contentAttributes.of({ "aria-label": options.label, "aria-describedby": options.describedBy, spellcheck: "false", tabindex: "0" }),
        Prec.highest(
          keymap.of([
            { key: "Mod-Enter", run: run(() => options.onRun()) },
            { key: "Mod-s", run: run(() => options.onSave()), preventDefault: true },
            { key: "Tab", run: acceptCompletion },
          ]),
        ),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !quiet) {
            options.onChange(update.state.doc.toString());
          }
        }),
      ],
    }),
  });
  return {
    setText: (text) => {
      if (text !== view.state.doc.toString()) {
        quiet = true;
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
        quiet = false;
      }
    },
    setMistakes: (mistakes) => view.dispatch(setDiagnostics(view.state, diagnosticsOf(view.state, mistakes))),
    setReadOnly: (readOnly) => view.dispatch({ effects: writable.reconfigure(mayWrite(readOnly)) }),
    setDark: (yes) => view.dispatch({ effects: dark.reconfigure(isDark(yes)) }),
    goTo: (line) => {
      const at = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines))).from;
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    close: () => view.destroy(),
  };
}
