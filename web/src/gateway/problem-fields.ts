// Which field of a form a refusal is about. Pure.
import { Problem } from "./api";

/** The refusal's texts by field; what belongs to none of `keys` stays with the refusal. */
export function errorsOf(error: Error | undefined, keys?: readonly string[]): Record<string, string> {
  if (!(error instanceof Problem)) {
    return {};
  }
  const said = [{ field: error.field, text: error.detail }, ...error.findings.filter(({ severity }) => severity === "error")];
  const errors: Record<string, string> = {};
  for (const { field, text } of said) {
    if (field !== "" && (keys === undefined || keys.includes(field))) {
      errors[field] ??= text;
    }
  }
  return errors;
}
