// A single block of the configuration as a form with Submit and Reset.
import { Button } from "antd";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { useEdit } from "../edit";
import { useUnsaved } from "../guard";
import { type FieldProps, OptionForm } from "../option-form";
import { changesOf } from "./changes";
import { words } from "./words";

type Draft = Record<string, unknown>;

export interface BlockFormProps {
  block: string;
  keys: readonly string[];
  value: Draft;
  disabled: boolean;
  labels?: Record<string, string>;
  controls?: Record<string, (field: FieldProps) => ReactNode>;
  onSaved: () => void;
}

export function BlockForm({ block, keys, value, disabled, labels, controls, onSaved }: BlockFormProps) {
  /** What was typed, over what the gateway has. */
  const [typed, setTyped] = useState<Draft>({});
  const [error, setError] = useState<Error>();
  const draft = { ...value, ...typed };
  const changes = changesOf(value, draft, keys);
  const dirty = Object.keys(changes).length > 0;
  const { edit, busy } = useEdit(dirty);
  useUnsaved(dirty);
  /** What was typed stays until the gateway tells the new values: nothing jumps back meanwhile. */
  const saved = useRef(false);
  useEffect(() => {
    if (saved.current) {
      saved.current = false;
      setTyped({});
    }
  }, [value]);
  const submit = async () => {
    setError(undefined);
    try {
      await edit([{ op: "set", block, value: changes }], { why: `${block}: ${Object.keys(changes).join(", ")}` });
      saved.current = true;
      onSaved();
    } catch (failed) {
      setError(failed as Error);
    }
  };
  return (
    <>
      <ErrorNote error={error} />
      <OptionForm
        block={block}
        keys={keys}
        value={draft}
        onChange={(next) => setTyped(changesOf(value, next, keys))}
        errors={error}
        strict={error !== undefined}
        disabled={disabled}
        labels={labels}
        controls={controls}
      />
      {!disabled && (
        <div className="ps-row">
          <Button type="primary" disabled={!dirty} loading={busy} onClick={() => void submit()}>
            {words.submit}
          </Button>
          <Button
            disabled={!dirty}
            onClick={() => {
              setTyped({});
              setError(undefined);
            }}
          >
            {words.reset}
          </Button>
        </div>
      )}
    </>
  );
}
