// A policy as the manual's form has it (Action, Resource ARN, Effect) and as a document. Pure.

export interface Statement {
  effect: "Allow" | "Deny";
  /** Several are separated by commas. */
  action: string;
  resource: string;
}

const list = (text: string) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

const oneOrMany = (items: string[]) => (items.length === 1 ? items[0] : items);

export function documentOf(statements: Statement[]): string {
  const made = statements.map(({ effect, action, resource }) => ({
    Effect: effect,
    Action: oneOrMany(list(action)),
    Resource: oneOrMany(list(resource)),
  }));
  return JSON.stringify({ Version: "2012-10-17", Statement: made }, null, 2);
}

const texts = (value: unknown): string | undefined => {
  const items = Array.isArray(value) ? value : [value];
  return items.every((item) => typeof item === "string" && !item.includes(",")) ? items.join(", ") : undefined;
};

function statementOf(value: unknown): Statement | undefined {
  if (typeof value !== "object" || value === null) {
    return undefined;
  }
  const { Effect, Action, Resource, ...rest } = value as Record<string, unknown>;
  const action = texts(Action);
  const resource = texts(Resource);
  const plain = Object.keys(rest).length === 0;
  if (!plain || (Effect !== "Allow" && Effect !== "Deny") || action === undefined || resource === undefined) {
    return undefined;
  }
  return { effect: Effect, action, resource };
}

/** The form's rows; undefined when the document says more than the form can (a Condition, a Sid). */
export function statementsOf(text: string): Statement[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const statement = (parsed as { Statement?: unknown } | null)?.Statement;
  const found = (Array.isArray(statement) ? statement : [statement]).map(statementOf);
  return found.every((row) => row !== undefined) ? found : undefined;
}
