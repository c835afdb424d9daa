// Texts of the explanation of a value.

/** Small ones are numbers in the manuals, large ones hexadecimal. */
const codeText = (code: number) => (code > 255 ? `0x${code.toString(16).toUpperCase()}` : String(code));

export const explainWords = {
  asking: "The device is being asked…",
  rows: {
    asked: "Asked just now",
    sent: "Sent",
    received: "Received",
    outcome: "What came of it",
    type: "Type in the device",
  },
  outcomes: {
    answered: "It answered",
    refused: "It refused",
    "no answer": "It did not answer",
    "no connection": "It cannot be reached",
    "not asked": "It was not asked",
  },
  code: (code: number) => `code ${codeText(code)}`,
  meanings: "What the bytes can mean",
  meaningsText:
    "The bytes as they came, in every byte order and as every type. Compare with the device's own display; a press takes type and byte order over.",
  meaningsShown: "The bytes as they came, in every byte order and as every type. Compare with the device's own display.",
  takeTitle: (type: string, order: string) => `Read it as ${type}${order === "" ? "" : ` in byte order ${order}`}?`,
  takeVariable: "The change is applied at once and can be reverted.",
  takeDevice: (device: string, count: number) =>
    `The byte order is set for the whole device ${device}: ${count.toLocaleString("en")} variable${count === 1 ? "" : "s"} will be read with it.`,
  take: "Apply",
  refused: "Refused before, near this place",
  hole: (first: string, last: string) => (first === last ? first : `${first} to ${last}`),
  holeCode: (code: number, times: number) => `code ${codeText(code)}, ${times.toLocaleString("en")} time${times === 1 ? "" : "s"}`,
  here: "this place",
  again: "tried again",
  elsewhere: (count: number) => `and ${count.toLocaleString("en")} more elsewhere in this device`,
  most: (items: number) => `It gives at most ${items.toLocaleString("en")} in one request.`,
} as const;
