// Topic filters as AWS IoT has them. Pure.

/** AWS's `#` does not match the level above it: `a/#` takes `a/b` but not `a`. */
export function matches(filter: string, topic: string): boolean {
  const pattern = shareless(filter).split("/");
  const levels = topic.split("/");
  // A wildcard at the start does not reach the reserved topics.
  if (topic.startsWith("$") && (pattern[0] === "#" || pattern[0] === "+")) {
    return false;
  }
  for (const [i, wanted] of pattern.entries()) {
    if (wanted === "#") {
      return levels.length > i;
    }
    if (i >= levels.length || (wanted !== "+" && wanted !== levels[i])) {
      return false;
    }
  }
  return pattern.length === levels.length;
}

/** `$share/NAME/FILTER` is FILTER. */
function shareless(filter: string): string {
  const parts = filter.split("/");
  return parts[0] === "$share" && parts.length > 2 ? parts.slice(2).join("/") : filter;
}

/** What is wrong with a filter; undefined when it can be subscribed to. */
export function filterMistake(filter: string): "empty" | "hash" | "plus" | undefined {
  const levels = filter.split("/");
  if (filter === "") {
    return "empty";
  }
  if (levels.some((level, i) => level.includes("#") && (level !== "#" || i !== levels.length - 1))) {
    return "hash";
  }
  return levels.some((level) => level.includes("+") && level !== "+") ? "plus" : undefined;
}

/** A topic to publish to has no wildcards. */
export function isTopic(topic: string): boolean {
  return topic !== "" && !/[+#]/.test(topic);
}
