// What is being edited: the message's fields and its script, and whether either has changed.
import { useState } from "react";
import { fresh, sameValues, type Values } from "./message-values";
import { isTemplate, type Kind, MAIN, template } from "./template";

export interface Saved {
  values: Values;
  text: string;
}

export interface Draft {
  values: Values;
  text: string;
  dirty: boolean;
  scriptDirty: boolean;
  setValues: (values: Values) => void;
  setText: (text: string) => void;
  reset: () => void;
}

export const blank = (kind: Kind): Saved => ({ values: fresh(kind), text: template(kind, "collect") });

/** `saved` may be replaced while somebody edits: what was not touched follows. */
export function useDraft(kind: Kind, saved: Saved): Draft {
  const [seen, setSeen] = useState(saved);
  const [values, putValues] = useState(saved.values);
  const [text, setText] = useState(saved.text);
  if (seen !== saved) {
    setSeen(saved);
    putValues((was) => (sameValues(was, seen.values) ? saved.values : was));
    setText((was) => (was === seen.text ? saved.text : was));
  }
  const scriptDirty = text !== saved.text;
  return {
    values,
    text,
    scriptDirty,
    dirty: scriptDirty || !sameValues(values, saved.values),
    setText,
    setValues: (next) => {
      // A template nobody has touched is made anew for what the message is now.
      if (isTemplate(text, values.main_function ?? MAIN)) {
        setText(template(kind, next.group_type ?? "collect", next.main_function || MAIN));
      }
      putValues(next);
    },
    reset: () => {
      putValues(saved.values);
      setText(saved.text);
    },
  };
}
