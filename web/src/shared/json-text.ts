// JSON as people read and type it. Pure.
import { mistakeAt } from "./json-mistake";

export interface JsonMistake {
  line: number;
  column: number;
  text: string;
}

const PIECE = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Indented when it is JSON, as it is when not. Only the layout changes: a number keeps its digits
 * (1.0 stays 1.0), which parsing and writing again would not do.
 */
export function pretty(text: string): string {
  if (!isJson(text)) {
    return text;
  }
  const pieces = text.match(PIECE) ?? [];
  let depth = 0;
  let laid = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  pieces.forEach((piece, i) => {
    if (piece === "{" || piece === "[") {
      depth++;
      const next = pieces[i + 1];
      laid += piece + (next === "}" || next === "]" ? "" : line());
    } else if (piece === "}" || piece === "]") {
      depth--;
      const before = pieces[i - 1];
      laid += (before === "{" || before === "[" ? "" : line()) + piece;
    } else if (piece === ",") {
      laid += piece + line();
    } else {
      laid += piece === ":" ? ": " : piece;
    }
  });
  return laid;
}

export function isJson(text: string): boolean {
  return mistake(text) === undefined;
}

/** Where the text stops being JSON; undefined when it is JSON. */
export function mistake(text: string): JsonMistake | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const lines = text.slice(0, mistakeAt(text)).split("\n");
    return {
      line: lines.length,
      column: (lines[lines.length - 1] ?? "").length + 1,
      text: error instanceof Error ? error.message : String(error),
    };
  }
}

export type Token = { kind: "key" | "string" | "number" | "word" | "plain"; text: string };

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

/** Pieces of an indented JSON text, to be coloured; joined they are the text again. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) {
      found.push({ kind: "plain", text: text.slice(at, match.index) });
    }
    if (match[1] !== undefined) {
      found.push({ kind: match[2] === undefined ? "string" : "key", text: match[1] });
      if (match[2] !== undefined) {
        found.push({ kind: "plain", text: match[2] });
      }
    } else {
      found.push({ kind: match[3] !== undefined ? "number" : "word", text: match[0] });
    }
    at = match.index + match[0].length;
  }
  if (at < text.length) {
    found.push({ kind: "plain", text: text.slice(at) });
  }
  return found;
}
