// Asks before an earlier revision runs again, and shows what that would change.
import { Form, Input, Modal } from "antd";
import { useCallback, useState } from "react";
import { ErrorNote, Shown } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { words as shared } from "../../shared/words";
import { send } from "../api";
import { type Changed, useEdit } from "../edit";
import type { Difference } from "./data";
import { DifferenceView } from "./difference";
import { words } from "./words";

function Preview({ of }: { of: number }) {
  const load = useCallback(() => send<{ difference?: Difference }>("POST", "revert", { of, dry_run: true }), [of]);
  return <Shown loaded={useLoad(load)}>{({ difference }) => <DifferenceView difference={difference} />}</Shown>;
}

export function RevertWindow({ of, onClose }: { of: number | undefined; onClose: (done: boolean) => void }) {
  const [why, setWhy] = useState("");
  const [error, setError] = useState<Error>();
  const { run, busy } = useEdit();
  const revert = async (number: number) => {
    setError(undefined);
    try {
      await run((base) => send<Changed>("POST", "revert", { of: number, why, base }), { done: words.revertDone(number) });
      onClose(true);
    } catch (failed) {
      setError(failed as Error);
    }
  };
  return (
    <Modal
      open={of !== undefined}
      title={words.revertTitle(of ?? 0)}
      okText={words.revertOk}
      cancelText={shared.cancel}
      okButtonProps={{ loading: busy }}
      onOk={() => of !== undefined && void revert(of)}
      onCancel={() => onClose(false)}
      afterClose={() => (setWhy(""), setError(undefined))}
      width={720}
      destroyOnHidden
    >
      <div className="ps-stack">
        <ErrorNote error={error} />
        <div>{words.revertText}</div>
        {of !== undefined && <Preview of={of} />}
        <Form layout="vertical" component="div">
          <Form.Item label={words.reason} htmlFor="revert-why" extra={words.reasonHelp}>
            <Input id="revert-why" value={why} maxLength={200} onChange={(event) => setWhy(event.target.value)} />
          </Form.Item>
        </Form>
      </div>
    </Modal>
  );
}
