// Server-sent events out of pieces of text as they arrive. Pure.

export interface ServerEvent {
  name: string;
  data: string;
  /** The last `id` up to here: where to go on after a cut. */
  id: string;
}

/** Returns a function that takes text and gives the events that are complete. */
export function eventParser(lastId = ""): (text: string) => ServerEvent[] {
  let rest = "";
  let name = "";
  let data: string[] = [];
  let id = lastId;
  const field = (line: string): ServerEvent | undefined => {
    if (line === "") {
      const event = data.length > 0 ? { name: name === "" ? "message" : name, data: data.join("\n"), id } : undefined;
      name = "";
      data = [];
      return event;
    }
    const colon = line.indexOf(":");
    const key = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (key === "event") {
      name = value;
    } else if (key === "data") {
      data.push(value);
    } else if (key === "id") {
      id = value;
    }
    return undefined;
  };
  return (text) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    return lines.map(field).filter((event) => event !== undefined);
  };
}
