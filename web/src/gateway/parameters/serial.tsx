// The serial ports: a table, and a dialog for each.
import { DeleteOutlined, EditOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Card, Modal, Table } from "antd";
import { useCallback, useState } from "react";
import { Empty, ErrorNote, Shown, useConfirm, useDo } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { words as shared } from "../../shared/words";
import { listPorts, type SerialPort } from "../devices/calls";
import { choice, firstText } from "../devices/controls";
import { labels } from "../devices/labels";
import { onlyAsked } from "../devices/modbus";
import { useDialog } from "../devices/use-dialog";
import { useEdit } from "../edit";
import { OptionForm } from "../option-form";
import { words } from "./words";

type Draft = Record<string, unknown>;

const KEYS = Object.keys(labels.serial);
const BAUDS = [300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400];
const NEW: Draft = { mode: "RS485", baud_rate: 9600, data_bits: 8, parity: "none", stop_bits: 1 };

function PortForm({ port, onSaved, onClose }: { port?: SerialPort; onSaved: () => void; onClose: () => void }) {
  const [begin] = useState<Draft>(port ? { ...port } : NEW);
  const [draft, setDraft] = useState(begin);
  const [error, setError] = useState<Error>();
  const { edit, busy } = useEdit(draft !== begin);
  const close = useDialog(draft !== begin, onClose);
  const save = async () => {
    setError(undefined);
    try {
      await edit([{ op: "put", block: "serial", ...(port ? { name: port.name } : {}), value: onlyAsked(draft, KEYS) }], {
        why: port ? words.editPort(port.name) : words.addPort,
      });
      onSaved();
      onClose();
    } catch (failed) {
      setError(failed as Error);
    }
  };
  return (
    <Modal
      open
      width={640}
      title={port ? words.editPort(port.name) : words.addPort}
      okText={words.save}
      cancelText={shared.cancel}
      confirmLoading={busy}
      onOk={() => void save()}
      onCancel={close}
    >
      <ErrorNote error={error} />
      <OptionForm
        block="serial"
        keys={KEYS}
        labels={labels.serial}
        value={draft}
        onChange={setDraft}
        errors={error}
        strict={error !== undefined}
        controls={{ name: firstText, baud_rate: choice(BAUDS), data_bits: choice([7, 8]), stop_bits: choice([1, 2]) }}
      />
    </Modal>
  );
}

interface PortTableProps {
  ports: SerialPort[];
  canEdit: boolean;
  onEdit: (port: SerialPort) => void;
  onDelete: (port: SerialPort) => void;
}

function PortTable({ ports, canEdit, onEdit, onDelete }: PortTableProps) {
  const small = { size: "small", type: "text" } as const;
  return (
    <Table<SerialPort>
      size="small"
      rowKey="name"
      dataSource={ports}
      pagination={false}
      scroll={{ x: "max-content" }}
      columns={[
        { title: labels.serial.name, dataIndex: "name", render: (name: string) => <strong>{name}</strong> },
        { title: labels.serial.path, dataIndex: "path", render: (path: string) => <span className="ps-mono">{path}</span> },
        { title: labels.serial.mode, dataIndex: "mode" },
        { title: labels.serial.baud_rate, dataIndex: "baud_rate", align: "right" },
        { title: labels.serial.data_bits, dataIndex: "data_bits", align: "right" },
        { title: labels.serial.parity, dataIndex: "parity" },
        { title: labels.serial.stop_bits, dataIndex: "stop_bits", align: "right" },
        ...(canEdit
          ? [
              {
                title: words.operation,
                key: "operation",
                width: 100,
                render: (_: unknown, port: SerialPort) => (
                  <>
                    <Button {...small} icon={<EditOutlined />} aria-label={words.editPort(port.name)} onClick={() => onEdit(port)} />
                    <Button {...small} danger icon={<DeleteOutlined />} aria-label={words.deletePort(port.name)} onClick={() => onDelete(port)} />
                  </>
                ),
              },
            ]
          : []),
      ]}
    />
  );
}

export function SerialPorts({ canEdit }: { canEdit: boolean }) {
  const ports = useLoad(useCallback(async () => (await listPorts()).items, []));
  const [open, setOpen] = useState<{ port?: SerialPort }>();
  const confirm = useConfirm();
  const act = useDo();
  const { edit } = useEdit();
  const { reload } = ports;
  const remove = ({ name }: SerialPort) =>
    confirm(words.confirmPort(name), words.confirmPortText, words.delete, async () => {
      if (await act(() => edit([{ op: "delete", block: "serial", name }], { why: words.deletePort(name) }))) {
        reload();
      }
    });
  return (
    <Card
      title={<h2>{words.serial}</h2>}
      extra={
        canEdit && (
          <Button icon={<PlusOutlined aria-hidden />} onClick={() => setOpen({})}>
            {words.addPort}
          </Button>
        )
      }
    >
      <p>{words.serialText}</p>
      <Shown loaded={ports}>
        {(all) =>
          all.length === 0 ? (
            <Empty text={words.noSerial} />
          ) : (
            <PortTable ports={all} canEdit={canEdit} onEdit={(port) => setOpen({ port })} onDelete={remove} />
          )
        }
      </Shown>
      {open && <PortForm port={open.port} onSaved={reload} onClose={() => setOpen(undefined)} />}
    </Card>
  );
}
