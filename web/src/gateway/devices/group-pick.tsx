// Adds variables to a collect group: a list of groups in a dialog, and Confirm.
import { Modal, Radio, Spin } from "antd";
import { useCallback, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { words as shared } from "../../shared/words";
import { listGroups } from "./calls";
import { words } from "./words";

export interface GroupPickProps {
  count: number;
  /** True when done; the dialog closes then. */
  pick: (group: string) => Promise<boolean>;
  onClose: () => void;
}

export function GroupPick({ count, pick, onClose }: GroupPickProps) {
  const groups = useLoad(
    useCallback(async () => (await listGroups()).items.filter(({ group_type }) => group_type === "collect"), []),
  );
  const [chosen, setChosen] = useState<string>();
  const [busy, setBusy] = useState(false);
  const finish = async () => {
    setBusy(true);
    const done = await pick(chosen ?? "").finally(() => setBusy(false));
    if (done) {
      onClose();
    }
  };
  return (
    <Modal
      open
      title={`${words.chooseGroup} (${words.ticked(count)})`}
      okText={words.confirm}
      cancelText={shared.cancel}
      okButtonProps={{ disabled: chosen === undefined, loading: busy }}
      onOk={() => void finish()}
      onCancel={onClose}
    >
      <ErrorNote error={groups.error} />
      {groups.data === undefined && !groups.error && <Spin aria-label={shared.loading} />}
      <Radio.Group
        aria-label={words.chooseGroup}
        className="gd-groups"
        value={chosen}
        onChange={(event) => setChosen(event.target.value as string)}
        options={(groups.data ?? []).map(({ group_name, polling_interval, upload_interval }) => ({
          value: group_name,
          label: (
            <>
              {group_name} <span className="gd-quality">{words.groupEvery(polling_interval, upload_interval)}</span>
            </>
          ),
        }))}
      />
    </Modal>
  );
}
