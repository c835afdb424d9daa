// Moves alarms to another alarm group: a list of groups, and Confirm.
import { Modal, Radio } from "antd";
import { useState } from "react";
import { words as shared } from "../../shared/words";
import type { Group } from "./calls";
import { words } from "./words";

export interface GroupDialogProps {
  groups: Group[];
  count: number;
  /** True when done; the dialog closes then. */
  pick: (group: string) => Promise<boolean>;
  onClose: () => void;
}

export function GroupDialog({ groups, count, pick, onClose }: GroupDialogProps) {
  const [chosen, setChosen] = useState<string>();
  const [busy, setBusy] = useState(false);
  const finish = async () => {
    setBusy(true);
    if (await pick(chosen ?? "").finally(() => setBusy(false))) {
      onClose();
    }
  };
  return (
    <Modal
      open
      title={words.addToGroupTitle(count)}
      okText={words.confirm}
      cancelText={shared.cancel}
      okButtonProps={{ disabled: chosen === undefined, loading: busy }}
      onOk={() => void finish()}
      onCancel={onClose}
    >
      <Radio.Group
        aria-label={words.group}
        className="ga-choices"
        value={chosen}
        onChange={(event) => setChosen(event.target.value as string)}
        options={groups.map(({ group_name, polling_interval }) => ({
          value: group_name,
          label: (
            <>
              {group_name} <span className="ga-second">{words.every(polling_interval)}</span>
            </>
          ),
        }))}
      />
    </Modal>
  );
}
