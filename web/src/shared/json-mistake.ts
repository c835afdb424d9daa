// Where a text stops being JSON. Browsers do not agree on saying it, and some say it for a few
// mistakes only. Pure.

const BLANKS = /[ \t\r\n]*/y;
const TOKEN = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]/uy;

type Expected = "value" | "element or end" | "key" | "key or end" | "colon" | "comma or end";

const CLOSES: Record<string, string> = { "}": "{", "]": "[" };

/** What must follow `token` where `expected` was; undefined: it may not stand there. */
function following(expected: Expected, token: string, open: string[]): Expected | undefined {
  const mark = "{}[],:".includes(token) ? token : "";
  const isEnd = mark in CLOSES && open[open.length - 1] === CLOSES[mark];
  if (isEnd && (expected === "comma or end" || expected === (mark === "}" ? "key or end" : "element or end"))) {
    open.pop();
    return "comma or end";
  }
  switch (expected) {
    case "value":
    case "element or end":
      if (mark === "{" || mark === "[") {
        open.push(mark);
        return mark === "{" ? "key or end" : "element or end";
      }
      return mark === "" ? "comma or end" : undefined;
    case "key":
    case "key or end":
      return token.startsWith('"') ? "colon" : undefined;
    case "colon":
      return mark === ":" ? "value" : undefined;
    case "comma or end":
      return mark !== "," || open.length === 0 ? undefined : open[open.length - 1] === "{" ? "key" : "value";
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** The first character that cannot stand where it does; the text's length when it only ends too soon. */
export function mistakeAt(text: string): number {
  const open: string[] = [];
  let expected: Expected = "value";
  let at = 0;
  for (;;) {
    at += matchAt(BLANKS, text, at)?.length ?? 0;
    const token = matchAt(TOKEN, text, at);
    const next: Expected | undefined = token === undefined ? undefined : following(expected, token, open);
    if (token === undefined || next === undefined) {
      return at;
    }
    expected = next;
    at += token.length;
  }
}
