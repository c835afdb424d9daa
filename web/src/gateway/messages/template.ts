// What a new message begins with: a script that works, and a file of its own. Pure.

export type Kind = "publish" | "subscribe";

const PUBLISH = (main: string) => `# Called each time a group of this message uploads. Run shows what it would send, on the newest values.
import logging


def ${main}(data_collect, wizard_api):
    values = []
    for device, variables in data_collect["values"].items():
        data = {name: variable["raw_data"] for name, variable in variables.items()}
        values.append({"Device": device, "timestamp": data_collect["timestamp"], "Data": data})
    logging.info(values)
    return values  # sent in order of collection, kept until the server has acknowledged it
`;

const ALARM = (main: string) => `# Called when alarms of a group of this message begin or end, with those that changed.
import logging


def ${main}(data_collect, wizard_api):
    alarms = []
    for name, alarm in data_collect["values"].items():
        alarms.append({"alarm": name, "current": alarm["current"], "value": alarm["value"],
                       "content": alarm["alarm_content"], "timestamp": alarm["timestamp"]})
    logging.info(alarms)
    return alarms
`;

const SUBSCRIBE = (main: string) => `# Called for each message that arrives under the topic.
import logging


def ${main}(topic, payload, wizard_api):
    logging.info(topic)
    logging.info(payload)
`;

export const MAIN = "main";

export function template(kind: Kind, groupType: string, main = MAIN): string {
  return kind === "subscribe" ? SUBSCRIBE(main) : groupType === "alarm" ? ALARM(main) : PUBLISH(main);
}

/** Whether the text is a template that nobody touched: another one may take its place. */
export function isTemplate(text: string, main = MAIN): boolean {
  return [PUBLISH, ALARM, SUBSCRIBE].some((make) => make(main) === text);
}

const NAME_MOST = 60;

/** A file below scripts/ that no message has yet: "Tank level!" becomes scripts/Tank_level.py. */
export function scriptPath(name: string, taken: readonly string[]): string {
  const stem =
    name
      .replace(/[^A-Za-z0-9_-]+/g, "_")
      .replace(/^[_-]+|_+$/g, "")
      .slice(0, NAME_MOST) || "script";
  const used = new Set(taken.map((path) => path.toLowerCase()));
  for (let number = 1; ; number++) {
    const path = `scripts/${stem}${number === 1 ? "" : `_${number}`}.py`;
    if (!used.has(path.toLowerCase())) {
      return path;
    }
  }
}
