// The window in which a user is added or changed.
import { App, Form, Input, Modal, Radio, Switch } from "antd";
import { useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { words as shared } from "../../shared/words";
import { path, send } from "../api";
import { filledIn } from "../password";
import { ROLES, type Role } from "../session-store";
import { words as common } from "../words";
import { words } from "./words";

export interface Account {
  name: string;
  role: Role;
  created: number;
  last_login: number | null;
  disabled: boolean;
  locked_until: number | null;
}

interface Entries {
  name: string;
  role: Role;
  password?: string;
  disabled?: boolean;
}

export function RoleChoice({ most, ...rest }: { most?: Role; value?: Role; onChange?: (event: unknown) => void; id?: string }) {
  const roles = ROLES.slice(0, most === undefined ? ROLES.length : ROLES.indexOf(most) + 1);
  return (
    <Radio.Group {...rest} className="ps-roles">
      {roles.map((role) => (
        <Radio key={role} value={role}>
          {common.roles[role]} <span className="ps-quiet">{words.roleHelp[role]}</span>
        </Radio>
      ))}
    </Radio.Group>
  );
}

async function save(known: Account | undefined, entries: Entries): Promise<string> {
  if (!known) {
    await send("POST", "users", { name: entries.name, role: entries.role, password: entries.password });
    return words.added(entries.name);
  }
  await send("PUT", path`/users/${known.name}`, {
    ...(entries.role === known.role ? {} : { role: entries.role }),
    ...(entries.password ? { password: entries.password } : {}),
    ...(entries.disabled === known.disabled ? {} : { disabled: entries.disabled }),
  });
  return words.changed(known.name);
}

export function AccountWindow({ account, onClose }: { account: Account | "new" | undefined; onClose: (done: boolean) => void }) {
  const { message } = App.useApp();
  const [form] = Form.useForm<Entries>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const known = account === "new" ? undefined : account;
  const finish = async (entries: Entries) => {
    setBusy(true);
    setError(undefined);
    try {
      void message.success(await save(known, entries));
      onClose(true);
    } catch (failed) {
      setError(failed as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open={account !== undefined}
      title={known ? words.editTitle(known.name) : words.addTitle}
      okText={words.save}
      cancelText={shared.cancel}
      okButtonProps={{ loading: busy }}
      onOk={() => form.submit()}
      onCancel={() => onClose(false)}
      afterClose={() => setError(undefined)}
      destroyOnHidden
    >
      <div className="ps-stack">
        <ErrorNote error={error} />
        <Form
          key={known?.name ?? ""}
          form={form}
          layout="vertical"
          preserve={false}
          initialValues={known ? { role: known.role, disabled: known.disabled } : { role: "viewer" }}
          onFinish={(entries) => void finish(entries)}
        >
          {!known && (
            <Form.Item name="name" label={words.name} rules={[filledIn(words.name)]}>
              <Input autoComplete="off" autoCapitalize="none" spellCheck={false} />
            </Form.Item>
          )}
          <Form.Item name="role" label={words.role}>
            <RoleChoice />
          </Form.Item>
          <Form.Item
            name="password"
            label={known ? words.newPassword : words.password}
            extra={known ? words.newPasswordHelp : common.passwordRule}
            rules={known ? [] : [filledIn(words.password)]}
          >
            <Input.Password autoComplete="new-password" />
          </Form.Item>
          {known && (
            <Form.Item name="disabled" label={words.disable} valuePropName="checked">
              <Switch />
            </Form.Item>
          )}
        </Form>
      </div>
    </Modal>
  );
}
