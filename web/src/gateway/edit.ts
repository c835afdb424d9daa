// Edits of the configuration: all pages change it through here. An edit starts from the revision the
// user has seen; when somebody else has changed the configuration meanwhile he is asked.
import { App } from "antd";
import { useCallback, useRef, useState } from "react";
import { type Finding, Problem, send } from "./api";
import { revisionIs, runningRevision, useRevision } from "./revision-store";
import { words } from "./words";

export interface Edit {
  op: "put" | "delete" | "set" | "file";
  block?: string;
  name?: string;
  device?: string;
  value?: Record<string, unknown>;
  cascade?: boolean;
  path?: string;
  text?: string | null;
}

export interface Changed {
  result?: "applied" | "unchanged" | "dry_run" | "refused";
  text?: string;
  findings?: Finding[];
  running?: number;
  revision?: { number: number };
  difference?: { summary: string; changes: unknown[] };
  /** What began anew, a line each. */
  restarted?: string[];
  probation?: unknown;
}

export interface EditOptions {
  why?: string;
  dryRun?: boolean;
  /** Said when it is done; words of the page. */
  done?: string;
}

/** The gateway may also answer a refusal as a result with findings. */
export function accepted(answer: Changed): Changed {
  if (answer.result === "refused") {
    const first = answer.findings?.find(({ severity }) => severity === "error");
    throw new Problem(422, {
      title: words.refused,
      class: "invalid",
      object: first?.object,
      field: first?.field,
      detail: first?.text ?? answer.text,
      findings: answer.findings,
    });
  }
  revisionIs(answer.running ?? answer.revision?.number);
  return answer;
}

const isConflict = (error: unknown): error is Problem =>
  error instanceof Problem && error.status === 409 && error.field === "base";

/**
 * `dirty`: a form that uses it has entries; from then on its edits start from the revision that ran
 * when they began. Otherwise they start from the newest the page knows.
 */
export function useEdit(dirty = false) {
  const { message, modal } = App.useApp();
  const running = useRevision();
  const [busy, setBusy] = useState(false);
  const base = useRef(running);
  const was = useRef(false);
  if (!dirty || !was.current) {
    base.current = running;
  }
  was.current = dirty;

  const ask = useCallback(
    (problem: Problem) =>
      new Promise<boolean>((answer) => {
        modal.confirm({
          title: words.conflict,
          content: `${problem.detail}. ${words.conflictText}`,
          okText: words.saveAllTheSame,
          cancelText: words.keepLooking,
          onOk: () => answer(true),
          onCancel: () => answer(false),
        });
      }),
    [modal],
  );

  /** Runs `work` with the base; true in `force` is a second go on top of whatever runs now. */
  const run = useCallback(
    async (work: (base: number | undefined) => Promise<Changed>, { done, dryRun = false }: EditOptions = {}): Promise<Changed> => {
      setBusy(true);
      try {
        let answer: Changed;
        try {
          answer = accepted(await work(base.current || undefined));
        } catch (error) {
          if (!isConflict(error) || !(await ask(error))) {
            throw error;
          }
          answer = accepted(await work(undefined));
        }
        if (!dryRun) {
          base.current = runningRevision();
          void message.success(words.saved(done ?? words.savedShort, answer.restarted ?? []));
        }
        return answer;
      } finally {
        setBusy(false);
      }
    },
    [ask, message],
  );

  const edit = useCallback(
    (edits: Edit[], options: EditOptions = {}) =>
      run(
        (from) => send<Changed>("POST", "edits", { edits, why: options.why ?? "", base: from, dry_run: options.dryRun }),
        options,
      ),
    [run],
  );
  return { edit, run, busy };
}
