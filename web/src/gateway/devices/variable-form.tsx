// Adds or edits a variable: the fields that count for its type and address, and the byte-order helper.
import { Button, Collapse, Modal } from "antd";
import { lazy, Suspense, useCallback, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { words as shared } from "../../shared/words";
import { useEdit } from "../edit";
import { OptionForm } from "../option-form";
import { findBlock, useOptions } from "../options";
import type { Order } from "./byte-order";
import { type Device, listGroups, type Row } from "./calls";
import { choice, firstText } from "./controls";
import { labels } from "./labels";
import { isModbus, following, newVariable, nextOf, settled, typesFor, variableKeys } from "./fields";
import { onlyAsked, tableOf } from "./modbus";
import { OrderHelper } from "./order-helper";
import { placeControls } from "./place-controls";
import { useDialog } from "./use-dialog";
import { words } from "./words";

type Draft = Record<string, unknown>;

export interface VariableFormProps {
  device: Device;
  /** Absent: a new one. */
  variable?: Draft;
  /** Its row in the table: what is shown now. */
  row?: Row;
  /** Variables of the device, which share its byte order. */
  count: number;
  onSaved: () => void;
  onClose: () => void;
}

const BrowseDialog = lazy(() => import("./browse"));

/** A node id that is picked says its namespace and kind itself. */
const WHOLE_NODE: Draft = { namespace_index: undefined, identifier_type: undefined };

function useChoices(draft: Draft, protocol: string) {
  const options = useOptions();
  const groups = useLoad(useCallback(async () => (await listGroups()).items, []));
  const all = findBlock(options.data, "vars")?.options.find(({ key }) => key === "data_type")?.words ?? [];
  const address = draft["register_addr"] as number | undefined;
  const readOnly = isModbus(protocol) ? tableOf(address)?.writable === false : protocol === "ISO-on-TCP" && draft["register_type"] === "I";
  return {
    types: typesFor(protocol, address, all),
    groups: (groups.data ?? []).filter(({ group_type }) => group_type === "collect").map(({ group_name }) => group_name),
    access: readOnly ? ["read"] : undefined,
  };
}

export function VariableForm({ device, variable, row, count, onSaved, onClose }: VariableFormProps) {
  const oldName = variable?.["var_name"] as string | undefined;
  const { protocol } = device;
  const [begin, setBegin] = useState<Draft>(variable ?? newVariable(protocol));
  const [draft, setDraft] = useState<Draft>(begin);
  const [order, setOrder] = useState<Order>();
  const [error, setError] = useState<Error>();
  const { edit, busy } = useEdit(draft !== begin || order !== undefined);
  const close = useDialog(draft !== begin || order !== undefined, onClose);
  const [picking, setPicking] = useState(false);
  const choices = useChoices(draft, protocol);
  const keys = variableKeys(draft, protocol);

  const save = async (next: boolean) => {
    setError(undefined);
    const whole = settled(draft); // an address that was typed last
    setDraft(whole);
    const value = { ...onlyAsked(whole, variableKeys(whole, protocol)), device: device.device_name };
    const turned = order !== undefined && order !== device.byte_order;
    try {
      await edit(
        [
          { op: "put", block: "vars", device: device.device_name, ...(oldName === undefined ? {} : { name: oldName }), value },
          ...(turned ? [{ op: "set" as const, block: "devices", name: device.device_name, value: { byte_order: order } }] : []),
        ],
        { why: oldName === undefined ? words.addVariable : words.editVariable(oldName) },
      );
    } catch (failed) {
      setError(failed as Error);
      return;
    }
    onSaved();
    if (next) {
      const another = nextOf(whole, protocol);
      setBegin(another);
      setDraft(another);
    } else {
      onClose();
    }
  };
  const take = (type: string, taken: Order | undefined) => {
    setDraft((was) => ({ ...was, data_type: type }));
    setOrder(taken);
  };
  return (
    <Modal
      open
      width={720}
      title={oldName === undefined ? `${words.addVariable} (${device.device_name})` : words.editVariable(oldName)}
      onCancel={close}
      footer={
        <>
          <Button onClick={close}>{shared.cancel}</Button>
          {oldName === undefined && (
            <Button loading={busy} onClick={() => void save(true)}>
              {words.saveNext}
            </Button>
          )}
          <Button type="primary" loading={busy} onClick={() => void save(false)}>
            {words.save}
          </Button>
        </>
      }
    >
      <ErrorNote error={error} />
      <OptionForm
        key={String(begin["var_name"])}
        block="vars"
        keys={keys}
        labels={labels.vars}
        value={draft}
        onChange={(next) => setDraft(following(next, protocol))}
        errors={error}
        strict={error !== undefined}
        controls={{
          var_name: firstText,
          ...placeControls(protocol, draft["register_addr"], () => setDraft((was) => following(settled(was), protocol))),
          data_type: choice(
            choices.types,
            order !== undefined && order !== device.byte_order ? words.orderOfDevice(order, count) : undefined,
          ),
          group: choice(choices.groups),
          ...(choices.access ? { read_write: choice(choices.access) } : {}),
        }}
      />
      {device.browse === true && keys.some((key) => key === "symbol" || key === "identifier") && (
        <Button onClick={() => setPicking(true)}>{words.browse}</Button>
      )}
      {picking && (
        <Suspense>
          <BrowseDialog
            device={device}
            onPick={(node, key) => {
              setDraft((was) => ({ ...was, [key]: node.address, ...(key === "identifier" ? WHOLE_NODE : {}) }));
              setPicking(false);
            }}
            onClose={() => setPicking(false)}
          />
        </Suspense>
      )}
      {isModbus(protocol) && <Collapse
        size="small"
        items={[
          {
            key: "order",
            label: words.orderHelp,
            children: (
              <OrderHelper
                device={device.device_name}
                name={oldName}
                text={row?.text ?? ""}
                type={row?.type ?? String(draft["data_type"])}
                order={device.byte_order}
                onTake={take}
              />
            ),
          },
        ]}
      />}
    </Modal>
  );
}
