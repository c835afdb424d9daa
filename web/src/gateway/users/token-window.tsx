// Makes a token and shows it, once.
import { Alert, Form, Input, InputNumber, Modal } from "antd";
import { useState } from "react";
import { Copyable, ErrorNote } from "../../shared/parts";
import { words as shared } from "../../shared/words";
import { send } from "../api";
import { filledIn } from "../password";
import { useSession } from "../session";
import type { Role } from "../session-store";
import { RoleChoice } from "./account-window";
import { words } from "./words";

interface Entries {
  name: string;
  role: Role;
  days: number;
}

const DAYS_MOST = 3650;

export function TokenWindow({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { role } = useSession();
  const [form] = Form.useForm<Entries>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const [made, setMade] = useState<string>();
  const make = async (entries: Entries) => {
    setBusy(true);
    setError(undefined);
    try {
      setMade((await send<{ token: string }>("POST", "tokens", entries)).token);
    } catch (failed) {
      setError(failed as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open={open}
      title={made ? words.tokenMade : words.addToken}
      okText={made ? shared.close : words.addToken}
      cancelText={shared.cancel}
      okButtonProps={{ loading: busy }}
      cancelButtonProps={{ style: made === undefined ? undefined : { display: "none" } }}
      mask={{ closable: made === undefined }}
      onOk={() => (made ? onClose() : form.submit())}
      onCancel={onClose}
      afterClose={() => (setMade(undefined), setError(undefined))}
      destroyOnHidden
    >
      {made ? (
        <div className="ps-stack">
          <Alert type="warning" showIcon title={words.tokenOnce} />
          <Copyable text={made} />
          <div>
            {words.tokenUse}
            <pre className="ps-code">Authorization: Bearer {made}</pre>
          </div>
        </div>
      ) : (
        <div className="ps-stack">
          <ErrorNote error={error} />
          <Form form={form} layout="vertical" preserve={false} initialValues={{ role: "viewer", days: 90 }} onFinish={(entries) => void make(entries)}>
            <Form.Item name="name" label={words.tokenName} rules={[filledIn(words.tokenName)]}>
              <Input autoComplete="off" maxLength={64} />
            </Form.Item>
            <Form.Item name="role" label={words.role}>
              <RoleChoice most={role} />
            </Form.Item>
            <Form.Item name="days" label={words.days} extra={`1 – ${DAYS_MOST}`} rules={[filledIn(words.days)]}>
              <InputNumber min={1} max={DAYS_MOST} precision={0} />
            </Form.Item>
          </Form>
        </div>
      )}
    </Modal>
  );
}
