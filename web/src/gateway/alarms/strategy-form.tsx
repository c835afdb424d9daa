// The form of an alarm: what it watches, when it begins and ends, what is said about it.
import { Alert, AutoComplete, Button, Collapse, Drawer, Form, Radio, Select } from "antd";
import { useCallback, useDeferredValue, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { words as shared } from "../../shared/words";
import { choice } from "../devices/controls";
import { typesFor } from "../devices/fields";
import { placeControls } from "../devices/place-controls";
import { useDialog } from "../devices/use-dialog";
import { useEdit } from "../edit";
import { type FieldProps, OptionForm, type Value } from "../option-form";
import { findBlock, useOptions } from "../options";
import { errorsOf } from "../problem-fields";
import { findVariables, type Group, listDevices } from "./calls";
import { type Strategy, sentence } from "./condition";
import { Conditions } from "./conditions";
import { CONDITION_KEYS, fresh, ownKeys, settledOwn, strategyOf, type Values } from "./strategy-values";
import { words } from "./words";

function DeviceField({ id, value, onChange, invalid }: FieldProps) {
  const devices = useLoad(listDevices);
  return (
    <Select
      id={id}
      showSearch
      placeholder={words.chooseDevice}
      value={(value as string | undefined) || undefined}
      loading={devices.loading}
      status={invalid ? "error" : undefined}
      onChange={onChange}
      options={(devices.data ?? []).map(({ device_name, protocol }) => ({ value: device_name, label: `${device_name} (${protocol})` }))}
    />
  );
}

/** Of 100,000 variables those whose name has what is typed. */
function VariableField({ device, id, value, onChange, invalid }: FieldProps & { device: string }) {
  const typed = typeof value === "string" ? value : "";
  const search = useDeferredValue(typed);
  const found = useLoad(useCallback(() => (device === "" ? Promise.resolve([]) : findVariables(device, search)), [device, search]));
  return (
    <AutoComplete
      id={id}
      disabled={device === ""}
      placeholder={device === "" ? words.chooseDevice : words.chooseVariable}
      value={typed}
      status={invalid ? "error" : undefined}
      onChange={onChange}
      notFoundContent={found.loading || device === "" ? null : words.noVariables}
      options={(found.data ?? []).map(({ name, type, address, text, unit }) => ({
        value: name,
        label: (
          <span className="ga-option">
            {name}
            <span className="ga-second">
              {type} {address} {text !== "" && `= ${text} ${unit}`}
            </span>
          </span>
        ),
      }))}
    />
  );
}

interface BodyProps {
  values: Values;
  groups: Group[];
  error: Error | undefined;
  strict: boolean;
  /** Of the device that is chosen. */
  protocol: string;
  /** All that there are. */
  types: readonly string[];
  onChange: (values: Values) => void;
}

function Body({ values, groups, error, strict, protocol, types, onChange }: BodyProps) {
  const form = (keys: readonly string[], controls?: Record<string, (field: FieldProps) => React.ReactNode>) => (
    <OptionForm
      block="warning"
      keys={keys}
      value={values as Value}
      labels={words.labels}
      errors={errorsOf(error)}
      strict={strict}
      controls={controls}
      onChange={(next) => onChange(next as Values)}
    />
  );
  const said = sentence(values);
  const changed = CONDITION_KEYS.some((key) => (values[key] ?? 0) > 0);
  return (
    <>
      {form(["warn_name", "group"], {
        group: ({ id, value, onChange: choose }) => (
          <Select
            id={id}
            value={value as string}
            onChange={choose}
            options={groups.map(({ group_name, polling_interval }) => ({ value: group_name, label: `${group_name} (${words.every(polling_interval)})` }))}
          />
        ),
      })}
      <Form.Item label={words.source} extra={values.quotes === 1 ? words.existVariableText : words.newVariableText}>
        <Radio.Group
          aria-label={words.source}
          value={values.quotes}
          onChange={(event) => onChange({ ...values, quotes: event.target.value as number })}
          options={[
            { value: 0, label: words.newVariable },
            { value: 1, label: words.existVariable },
          ]}
        />
      </Form.Item>
      {form(["device", "var_name", ...(values.quotes === 0 ? ownKeys(values, protocol) : [])], {
        device: (field) => <DeviceField {...field} />,
        ...(values.quotes === 1
          ? { var_name: (field: FieldProps) => <VariableField {...field} device={values.device ?? ""} /> }
          : placeControls(protocol, values.register_addr, () => onChange(settledOwn(values)))),
        ...(values.quotes === 0 ? { data_type: choice(typesFor(protocol, values.register_addr, types)) } : {}),
      })}
      <Conditions values={values} errors={errorsOf(error)} strict={strict} onChange={onChange} />
      {said !== "" && (
        <p className="ga-sentence" role="status">
          {said}
        </p>
      )}
      {form(["alarm_content"])}
      <Collapse
        ghost
        defaultActiveKey={changed ? ["more"] : []}
        items={[{ key: "more", label: words.more, children: form(CONDITION_KEYS) }]}
      />
    </>
  );
}

export interface StrategyFormProps {
  /** Undefined: a new one. */
  strategy: Strategy | undefined;
  groups: Group[];
  onDone: () => void;
  onClose: () => void;
}

export function StrategyForm({ strategy, groups, onDone, onClose }: StrategyFormProps) {
  const [first] = useState<Values>(() => strategy ?? fresh(groups[0]?.group_name));
  const [values, setValues] = useState(first);
  const [error, setError] = useState<Error>();
  const [strict, setStrict] = useState(false);
  const devices = useLoad(listDevices);
  const protocol = (devices.data ?? []).find(({ device_name }) => device_name === values.device)?.protocol ?? "ModbusTCP";
  const dirty = values !== first;
  const { edit, busy } = useEdit(dirty);
  const close = useDialog(dirty, onClose);
  const options = findBlock(useOptions().data, "warning")?.options ?? [];
  const types = options.find(({ key }) => key === "data_type")?.words ?? [];
  const filled = options.every(({ key, required }) => !required || ![undefined, null, ""].includes(values[key as keyof Values] as never));
  const save = async () => {
    setStrict(true);
    setError(undefined);
    if (!filled) {
      return;
    }
    const whole = settledOwn(values); // an address that was typed last
    setValues(whole);
    try {
      const value = strategyOf(whole, protocol) as Record<string, unknown>;
      await edit([{ op: "put", block: "warning", name: strategy?.warn_name, value }], { done: words.saved(values.warn_name ?? "") });
    } catch (failed) {
      setError(failed as Error);
      return;
    }
    onDone();
    onClose();
  };
  return (
    <Drawer
      open
      size={720}
      title={strategy ? words.editTitle(strategy.warn_name) : words.addTitle}
      onClose={close}
      footer={
        <div className="ps-row">
          <Button type="primary" loading={busy} onClick={() => void save()}>
            {words.save}
          </Button>
          <Button onClick={close}>{shared.cancel}</Button>
        </div>
      }
    >
      <div className="ps-stack ga-notes">
        <ErrorNote error={error} />
        {strict && !filled && <Alert type="error" showIcon role="alert" title={words.fillIn} />}
      </div>
      <Form layout="vertical" component="div">
        <Body {...{ values, groups, error, strict, protocol, types }} onChange={setValues} />
      </Form>
    </Drawer>
  );
}
