// The window in which one changes one's own password.
import { App, Form, Input, Modal } from "antd";
import { useState } from "react";
import { ErrorNote } from "../shared/parts";
import { words as shared } from "../shared/words";
import { send } from "./api";
import { useSession } from "./session";
import { words } from "./words";

interface Entries {
  old: string;
  new: string;
  again: string;
}

/** Rule of an entry that repeats another. */
export const sameAs = (field: string) => ({ getFieldValue }: { getFieldValue: (name: string) => unknown }) => ({
  validator: (_: unknown, value: unknown) =>
    value === undefined || value === "" || value === getFieldValue(field) ? Promise.resolve() : Promise.reject(new Error(words.notTheSame)),
});

export const filledIn = (label: string) => ({ required: true, message: `${label} ${words.required}` });

export function PasswordWindow({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { message } = App.useApp();
  const { name } = useSession();
  const [form] = Form.useForm<Entries>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const change = async (entries: Entries) => {
    setBusy(true);
    setError(undefined);
    try {
      await send("PUT", "session/password", { old: entries.old, new: entries.new });
      void message.success(words.passwordChanged);
      onClose();
    } catch (failed) {
      setError(failed as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open={open}
      title={words.changePassword}
      okText={words.changePassword}
      cancelText={shared.cancel}
      okButtonProps={{ loading: busy }}
      onOk={() => form.submit()}
      onCancel={onClose}
      afterOpenChange={() => setError(undefined)}
      destroyOnHidden
    >
      <div className="ps-stack">
        <ErrorNote error={error} />
        <Form form={form} layout="vertical" preserve={false} onFinish={(entries) => void change(entries)}>
          <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
          <Form.Item name="old" label={words.oldPassword} rules={[filledIn(words.oldPassword)]}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
          <Form.Item name="new" label={words.newPassword} extra={words.passwordRule} rules={[filledIn(words.newPassword)]}>
            <Input.Password autoComplete="new-password" />
          </Form.Item>
          <Form.Item name="again" label={words.passwordAgain} dependencies={["new"]} rules={[filledIn(words.passwordAgain), sameAs("new")]}>
            <Input.Password autoComplete="new-password" />
          </Form.Item>
        </Form>
      </div>
    </Modal>
  );
}
