// For how long an alarm is shelved.
import { InputNumber, Modal, Radio } from "antd";
import { useState } from "react";
import { useDo } from "../../shared/parts";
import { words as shared } from "../../shared/words";
import { shelve } from "./calls";
import { duration } from "./condition";
import { words } from "./words";

const USUAL = [15 * 60, 3600, 8 * 3600, 86400, 7 * 86400];
const MOST_MIN = 30 * 24 * 60;

export function ShelveDialog({ name, onDone, onClose }: { name: string; onDone: () => void; onClose: () => void }) {
  const [chosen, setChosen] = useState<number | "other">(3600);
  const [minutes, setMinutes] = useState<number | null>(120);
  const [busy, setBusy] = useState(false);
  const act = useDo();
  const seconds = chosen === "other" ? Math.round((minutes ?? 0) * 60) : chosen;
  const sound = seconds >= 60 && seconds <= MOST_MIN * 60;
  const finish = async () => {
    setBusy(true);
    const done = await act(() => shelve(name, seconds), words.shelved).finally(() => setBusy(false));
    if (done) {
      onDone();
      onClose();
    }
  };
  return (
    <Modal
      open
      title={words.shelveTitle(name)}
      okText={words.shelve}
      cancelText={shared.cancel}
      okButtonProps={{ loading: busy, disabled: !sound }}
      onOk={() => void finish()}
      onCancel={onClose}
    >
      <p>{words.shelveText}</p>
      <Radio.Group
        aria-label={words.shelveFor}
        className="ga-choices"
        value={chosen}
        onChange={(event) => setChosen(event.target.value as number | "other")}
        options={[
          ...USUAL.map((value) => ({ value: value as number | "other", label: duration(value) })),
          { value: "other" as const, label: words.shelveOther },
        ]}
      />
      {chosen === "other" && (
        <InputNumber
          aria-label={words.minutes}
          suffix={words.minutes}
          style={{ width: 220, marginTop: 12 }}
          min={1}
          max={MOST_MIN}
          value={minutes}
          onChange={setMinutes}
        />
      )}
      {!sound && <p role="alert">{words.shelveMost}</p>}
    </Modal>
  );
}
