// Chooses some of many names and does something with them: "Attach policy", "Attach thing".
import { Checkbox, Input, Modal, Spin } from "antd";
import { useEffect, useMemo, useState } from "react";
import { Empty, ErrorNote } from "./parts";
import { words } from "./words";

export interface PickerProps {
  open: boolean;
  title: string;
  ok: string;
  empty: string;
  load: () => Promise<string[]>;
  /** What is shown for a name; itself when absent. */
  label?: (name: string) => string;
  /** Those that are chosen already and cannot be chosen again. */
  taken?: string[];
  /** True when done; the picker closes then. */
  pick: (names: string[]) => Promise<boolean>;
  onClose: () => void;
}

/** Rows shown at once; whoever has more types a part of the name. */
const SHOWN = 200;

export function Picker({ open, title, ok, empty, load, label, taken = [], pick, onClose }: PickerProps) {
  const [names, setNames] = useState<string[]>();
  const [error, setError] = useState<Error>();
  const [chosen, setChosen] = useState<string[]>([]);
  const [search, setSearch] = useState("");
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    if (!open) {
      return undefined;
    }
    let here = true;
    setNames(undefined);
    setError(undefined);
    setChosen([]);
    setSearch("");
    load().then(
      (all) => here && setNames(all),
      (failed: Error) => here && setError(failed),
    );
    return () => {
      here = false;
    };
  }, [open, load]);

  const found = useMemo(
    () => (names ?? []).filter((name) => name.toLowerCase().includes(search.toLowerCase())).slice(0, SHOWN),
    [names, search],
  );
  const finish = async () => {
    setBusy(true);
    const done = await pick(chosen).finally(() => setBusy(false));
    if (done) {
      onClose();
    }
  };

  return (
    <Modal
      open={open}
      title={title}
      okText={ok}
      cancelText={words.cancel}
      okButtonProps={{ disabled: chosen.length === 0, loading: busy }}
      onOk={() => void finish()}
      onCancel={onClose}
      destroyOnHidden
    >
      <div className="ps-stack">
        <ErrorNote error={error} />
        {names === undefined && !error && <Spin />}
        {names?.length === 0 && <Empty text={empty} />}
        {names !== undefined && names.length > 0 && (
          <>
            <Input allowClear placeholder={words.search} aria-label={words.search} value={search} onChange={(event) => setSearch(event.target.value)} />
            <div style={{ maxHeight: 320, overflow: "auto" }}>
              {found.map((name) => (
                <div key={name} style={{ padding: "4px 0" }}>
                  <Checkbox
                    checked={chosen.includes(name) || taken.includes(name)}
                    disabled={taken.includes(name)}
                    onChange={(event) =>
                      setChosen((was) => (event.target.checked ? [...was, name] : was.filter((other) => other !== name)))
                    }
                  >
                    <span className="ps-mono">{label?.(name) ?? name}</span>
                  </Checkbox>
                </div>
              ))}
            </div>
          </>
        )}
      </div>
    </Modal>
  );
}
