// Adds or edits a device: the fields of its protocol, then further settings.
import { Button, Form, Modal, Segmented } from "antd";
import { useCallback, useMemo, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { words as shared } from "../../shared/words";
import { Problem } from "../api";
import { useEdit } from "../edit";
import { OptionForm } from "../option-form";
import { defaultsOf } from "../option-text";
import { findBlock, useOptions } from "../options";
import { listPorts, type SerialPort } from "./calls";
import { choice, firstText } from "./controls";
import { labels } from "./labels";
import { onlyAsked } from "./modbus";
import { keepPassword, mode, password, useFiles } from "./device-controls";
import { deviceKeys, portOf, type Way, wayOf, withProtocol } from "./fields";
import { useDialog } from "./use-dialog";
import { words } from "./words";

type Draft = Record<string, unknown>;

const NEW: Draft = { protocol: "ModbusTCP", port: portOf("ModbusTCP") };
const WAYS = Object.entries(words.ways).map(([value, label]) => ({ value: value as Way, label }));

function portHint(ports: readonly SerialPort[], name: unknown): string | undefined {
  const port = ports.find((one) => one.name === name);
  if (ports.length === 0) {
    return words.noPort;
  }
  return port && words.line(port.baud_rate, port.data_bits, port.parity, port.stop_bits);
}

export interface DeviceFormProps {
  /** Absent: a new one. */
  device?: Draft;
  onSaved: (name: string) => void;
  onClose: () => void;
}

/** A new device begins with the documented defaults, so that they are seen. */
export function DeviceForm(props: DeviceFormProps) {
  const { data } = useOptions();
  return data === undefined && props.device === undefined ? null : <Dialog {...props} fresh={{ ...defaultsOf(findBlock(data, "devices")), ...NEW }} />;
}

function Dialog({ device, fresh, onSaved, onClose }: DeviceFormProps & { fresh: Draft }) {
  const [begin] = useState(device ?? fresh);
  const [draft, setDraft] = useState<Draft>(begin);
  const [way, setWay] = useState<Way>(device ? wayOf(device) : "serial");
  const [typed, setTyped] = useState("");
  const [more, setMore] = useState(false);
  const [error, setError] = useState<Error>();
  const { edit, busy } = useEdit(draft !== begin || typed !== "");
  const ports = useLoad(useCallback(async () => (await listPorts()).items, []));
  const close = useDialog(draft !== begin || typed !== "", onClose);
  const files = useFiles(draft, (key, file) => setDraft((was) => ({ ...was, [key]: file })));
  const { first, more: further } = deviceKeys(draft, way);
  const keys = useMemo(() => (more ? [...first, ...further] : first), [first, further, more]);
  const oldName = device?.["device_name"] as string | undefined;

  const save = async () => {
    setError(undefined);
    const value = onlyAsked(draft, [...first, ...further]);
    try {
      if (typed !== "" && keys.includes("password_file")) {
        value["password_file"] = await keepPassword(String(value["device_name"] ?? ""), typed);
      }
      await edit([{ op: "put", block: "devices", ...(oldName === undefined ? {} : { name: oldName }), value }], {
        why: oldName === undefined ? words.addDevice : words.editDevice(oldName),
      });
      onSaved(String(value["device_name"]));
    } catch (failed) {
      // A mistake among the further settings must be seen.
      setMore((was) => was || (failed instanceof Problem && further.includes(failed.field)));
      setError(failed as Error);
    }
  };
  return (
    <Modal
      open
      width={640}
      title={oldName === undefined ? words.addDevice : words.editDevice(oldName)}
      okText={words.save}
      cancelText={shared.cancel}
      confirmLoading={busy}
      onOk={() => void save()}
      onCancel={close}
    >
      <ErrorNote error={error} />
      {draft["protocol"] === "ModbusRTU" && (
        <Form.Item label={words.way} layout="vertical">
          <Segmented aria-label={words.way} value={way} onChange={setWay} options={WAYS} />
        </Form.Item>
      )}
      <OptionForm
        block="devices"
        keys={keys}
        labels={labels.devices}
        value={draft}
        onChange={(next) => setDraft(withProtocol(draft, next))}
        errors={error}
        strict={error !== undefined}
        controls={{
          device_name: firstText,
          mode,
          password_file: password(typed, setTyped),
          ...files,
          serial: choice((ports.data ?? []).map(({ name }) => name), portHint(ports.data ?? [], draft["serial"])),
        }}
      />
      <Button type="link" aria-expanded={more} onClick={() => setMore(!more)}>
        {more ? words.less : words.more}
      </Button>
    </Modal>
  );
}
