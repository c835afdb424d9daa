// The script editor in a page: loads CodeMirror when it is shown first.
import { Spin, Typography } from "antd";
import { type Ref, useEffect, useId, useImperativeHandle, useRef, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { useTheme } from "../../shared/theme";
import { words as shared } from "../../shared/words";
import type { Code } from "./code-mirror";
import type { Script } from "./completion";
import type { Mistake } from "./mistakes";
import { words } from "./words";

export interface CodeHandle {
  goTo: (line: number) => void;
}

export interface CodeFieldProps {
  text: string;
  script: Script;
  mistakes: readonly Mistake[];
  readOnly: boolean;
  handle: Ref<CodeHandle>;
  onChange: (text: string) => void;
  onRun: () => void;
  onSave: () => void;
}

export function CodeField(props: CodeFieldProps) {
  const place = useRef<HTMLDivElement>(null);
  const code = useRef<Code>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const [ready, setReady] = useState(false);
  const [error, setError] = useState<Error>();
  const { dark } = useTheme();
  const first = useRef(dark);
  const hint = useId();
  const label = words.script;

  useEffect(() => {
    let here = true;
    import("./code-mirror").then(
      ({ openCode }) => {
        if (here && place.current) {
          const { text, readOnly } = latest.current;
          code.current = openCode(place.current, {
            text,
            label,
            describedBy: hint,
            readOnly,
            dark: first.current,
            script: () => latest.current.script,
            onChange: (next) => latest.current.onChange(next),
            onRun: () => latest.current.onRun(),
            onSave: () => latest.current.onSave(),
          });
          setReady(true);
        }
      },
      (failed: Error) => here && setError(failed),
    );
    return () => {
      here = false;
      code.current?.close();
      code.current = undefined;
    };
  }, [hint, label]);

  const { text, mistakes, readOnly } = props;
  useEffect(() => code.current?.setText(text), [text, ready]);
  useEffect(() => code.current?.setReadOnly(readOnly), [readOnly, ready]);
  useEffect(() => code.current?.setDark(dark), [dark, ready]);
  useEffect(() => code.current?.setMistakes(mistakes), [mistakes, ready]);
  useImperativeHandle(props.handle, () => ({ goTo: (line) => code.current?.goTo(line) }), []);

  return (
    <div>
      <ErrorNote error={error} />
      <div className="gm-code" ref={place}>
        {!ready && !error && <Spin aria-label={shared.loading} style={{ margin: 32 }} />}
      </div>
      <Typography.Text type="secondary" id={hint} className="gm-hint">
        {words.leave}
      </Typography.Text>
    </div>
  );
}
