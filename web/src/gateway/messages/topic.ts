// What is wrong or unwise about a topic, said while it is typed. Pure; the gateway decides.

export interface Advice {
  severe: boolean;
  text: string;
}

/** docs.aws.amazon.com, "AWS IoT Core message broker and protocol limits". */
const AWS_TOPIC_BYTES = 256;
const AWS_SLASHES = 7;

const bytes = (text: string) => new TextEncoder().encode(text).length;

function wildcardMistake(topic: string): string | undefined {
  const levels = topic.split("/");
  if (levels.some((level) => level.length > 1 && /[+#]/.test(level))) {
    return "+ and # stand alone between slashes";
  }
  const hash = levels.indexOf("#");
  return hash >= 0 && hash < levels.length - 1 ? "# is the last part" : undefined;
}

export function topicAdvice(topic: string, kind: "publish" | "subscribe", aws: boolean): Advice[] {
  const advice: Advice[] = [];
  if (kind === "publish" && /[+#]/.test(topic)) {
    advice.push({ severe: true, text: "A message is published to one topic: + and # are for subscribing." });
  }
  const mistake = kind === "subscribe" ? wildcardMistake(topic) : undefined;
  if (mistake !== undefined) {
    advice.push({ severe: true, text: `${mistake}.` });
  }
  if (topic.startsWith("$") && !topic.startsWith("$aws/") && !topic.startsWith("${") && !topic.startsWith("$share/")) {
    advice.push({
      severe: false,
      text: aws
        ? "Topics that begin with $ are reserved for AWS IoT, which may end the connection; those that exist begin with $aws/."
        : "Topics that begin with $ belong to the server.",
    });
  }
  if (aws && bytes(topic) > AWS_TOPIC_BYTES) {
    advice.push({ severe: true, text: `AWS IoT takes ${AWS_TOPIC_BYTES} bytes at most; these are ${bytes(topic)}.` });
  }
  if (aws && !topic.startsWith("$aws/") && (topic.match(/\//g) ?? []).length > AWS_SLASHES) {
    advice.push({ severe: true, text: `AWS IoT takes ${AWS_SLASHES} slashes at most.` });
  }
  return advice;
}

/** The parameters a topic names, `${name}`. */
export function parametersIn(topic: string): string[] {
  return [...topic.matchAll(/\$\{([^}]*)\}/g)].map(([, name]) => name ?? "");
}
