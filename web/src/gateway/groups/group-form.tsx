// Adds or edits a group.
import { Alert, Modal } from "antd";
import { useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { words as shared } from "../../shared/words";
import type { Group } from "../devices/calls";
import { firstText } from "../devices/controls";
import { labels } from "../devices/labels";
import { onlyAsked } from "../devices/modbus";
import { useDialog } from "../devices/use-dialog";
import { useEdit } from "../edit";
import { OptionForm } from "../option-form";
import { isFixed } from "./rows";
import { words } from "./words";

type Draft = Record<string, unknown>;

const NEW: Draft = { group_type: "collect", polling_interval: 10, upload_interval: 10, every_sample: false };

export function GroupForm({ group, onSaved, onClose }: { group?: Group; onSaved: () => void; onClose: () => void }) {
  const [begin] = useState<Draft>(group ? { ...group } : NEW);
  const [draft, setDraft] = useState(begin);
  const [error, setError] = useState<Error>();
  const { edit, busy } = useEdit(draft !== begin);
  const close = useDialog(draft !== begin, onClose);
  const alarm = draft["group_type"] === "alarm";
  // What a predefined group is called and is for stays as it is.
  const keys = [
    ...(isFixed(group?.group_name) ? [] : ["group_name", "group_type"]),
    "polling_interval",
    ...(alarm ? [] : ["upload_interval", "every_sample"]),
  ];
  const save = async () => {
    setError(undefined);
    try {
      const value = onlyAsked(draft, ["group_name", "group_type", ...keys]);
      await edit([{ op: "put", block: "groups", ...(group ? { name: group.group_name } : {}), value }], {
        why: group ? words.editGroup(group.group_name) : words.add,
      });
      onSaved();
      onClose();
    } catch (failed) {
      setError(failed as Error);
    }
  };
  const slow = !alarm && Number(draft["upload_interval"]) < Number(draft["polling_interval"]);
  return (
    <Modal
      open
      title={group ? words.editGroup(group.group_name) : words.add}
      okText={words.save}
      cancelText={shared.cancel}
      confirmLoading={busy}
      onOk={() => void save()}
      onCancel={close}
    >
      <ErrorNote error={error} />
      <OptionForm
        block="groups"
        keys={keys}
        labels={labels.groups}
        value={draft}
        onChange={setDraft}
        errors={error}
        strict={error !== undefined}
        controls={{ group_name: firstText }}
      />
      {slow && <Alert type="info" showIcon title={words.slow} />}
    </Modal>
  );
}
