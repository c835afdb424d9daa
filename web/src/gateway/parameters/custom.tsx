// The custom parameters: names and values of one's own.
import { DeleteOutlined, EditOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Card, Form, Input, Modal, Table } from "antd";
import { useState } from "react";
import { Empty, ErrorNote, useConfirm, useDo } from "../../shared/parts";
import { words as shared } from "../../shared/words";
import { useDialog } from "../devices/use-dialog";
import { useEdit } from "../edit";
import { type Custom, nameMistake, withoutParameter, withParameter } from "./changes";
import { words } from "./words";

interface ParameterFormProps {
  custom: Custom;
  /** Absent: a new one. */
  name?: string;
  save: (next: Custom, why: string) => Promise<unknown>;
  onClose: () => void;
}

function ParameterForm({ custom, name: old, save, onClose }: ParameterFormProps) {
  const before = old === undefined ? "" : (custom[old] ?? null);
  const [name, setName] = useState(old ?? "");
  const [value, setValue] = useState<string | null>(before);
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const close = useDialog(name !== (old ?? "") || value !== before, onClose);
  const mistake = nameMistake(custom, old, name);
  const shown = name === "" ? undefined : mistake;
  // A value that is not known cannot go along to another name.
  const lost = value === null && name !== old;
  const finish = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await save(withParameter(custom, old, name, value), old === undefined ? words.addParameter : words.editParameter(old));
      onClose();
    } catch (failed) {
      setError(failed as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      title={old === undefined ? words.addParameter : words.editParameter(old)}
      okText={words.save}
      cancelText={shared.cancel}
      okButtonProps={{ disabled: mistake !== undefined || lost }}
      confirmLoading={busy}
      onOk={() => void finish()}
      onCancel={close}
    >
      <ErrorNote error={error} />
      <Form layout="vertical" component="div">
        <Form.Item
          label={words.parameter}
          htmlFor="parameter-name"
          required
          validateStatus={shown ? "error" : undefined}
          help={shown === "taken" ? words.nameTaken : words.nameRule}
        >
          <Input id="parameter-name" autoFocus value={name} aria-invalid={shown !== undefined} onChange={(event) => setName(event.target.value)} />
        </Form.Item>
        <Form.Item label={words.parameterValue} htmlFor="parameter-value" help={value === null ? words.hiddenText : undefined}>
          <Input
            id="parameter-value"
            value={value ?? ""}
            placeholder={value === null ? words.hidden : undefined}
            onChange={(event) => setValue(event.target.value)}
          />
        </Form.Item>
      </Form>
    </Modal>
  );
}

interface Pair {
  name: string;
  value: string | null;
}

export function CustomParameters({ custom, canEdit, onSaved }: { custom: Custom; canEdit: boolean; onSaved: () => void }) {
  const [open, setOpen] = useState<{ name?: string }>();
  const confirm = useConfirm();
  const act = useDo();
  const { edit } = useEdit();
  const small = { size: "small", type: "text" } as const;
  const save = async (next: Custom, why: string) => {
    await edit([{ op: "set", block: "parameters", value: { custom: next } }], { why });
    onSaved();
  };
  const remove = (name: string) =>
    confirm(words.confirmParameter(name), words.confirmParameterText, words.delete, () =>
      act(() => save(withoutParameter(custom, name), words.deleteParameter(name))),
    );
  const pairs: Pair[] = Object.entries(custom).map(([name, value]) => ({ name, value }));
  return (
    <Card
      title={<h2>{words.custom}</h2>}
      extra={
        canEdit && (
          <Button icon={<PlusOutlined aria-hidden />} onClick={() => setOpen({})}>
            {words.addParameter}
          </Button>
        )
      }
    >
      <p>{words.customText}</p>
      {pairs.length === 0 ? (
        <Empty text={words.noCustom} />
      ) : (
        <Table<Pair>
          size="small"
          rowKey="name"
          dataSource={pairs}
          pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
          columns={[
            { title: words.parameter, dataIndex: "name", render: (name: string) => <span className="ps-mono">{name}</span> },
            { title: words.parameterValue, dataIndex: "value", render: (value: string | null) => (value === null ? <em>{words.hidden}</em> : value) },
            ...(canEdit
              ? [
                  {
                    title: words.operation,
                    key: "operation",
                    width: 100,
                    render: (_: unknown, { name }: Pair) => (
                      <>
                        <Button {...small} icon={<EditOutlined />} aria-label={words.editParameter(name)} onClick={() => setOpen({ name })} />
                        <Button {...small} danger icon={<DeleteOutlined />} aria-label={words.deleteParameter(name)} onClick={() => remove(name)} />
                      </>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
      {open && <ParameterForm custom={custom} name={open.name} save={save} onClose={() => setOpen(undefined)} />}
    </Card>
  );
}
