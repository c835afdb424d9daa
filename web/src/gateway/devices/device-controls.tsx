// Controls of the form of a device that no option table can give: the mode as a choice at a glance,
// a password that is never shown, files of certificates and keys.
import { Input, Radio } from "antd";
import { useCallback } from "react";
import { useLoad } from "../../shared/use-load";
import { listFiles } from "../cloud/calls";
import "../cloud/cloud.css";
import { FileField } from "../cloud/file-field";
import { fit } from "../cloud/files";
import type { FieldProps } from "../option-form";
import { send, path } from "../api";
import { labels } from "./labels";
import { words } from "./words";

export function mode({ id, option, value, onChange, disabled }: FieldProps) {
  return (
    <Radio.Group
      id={id}
      value={value ?? option.fallback}
      disabled={disabled}
      options={(option.words ?? []).map((word) => ({ value: word, label: word }))}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

/** What is typed; the file it is kept in is made when the device is saved. */
export function password(typed: string, onType: (text: string) => void) {
  return ({ id, value, disabled, invalid }: FieldProps) => (
    <Input.Password
      id={id}
      disabled={disabled}
      status={invalid && typed === "" ? "error" : undefined}
      autoComplete="new-password"
      placeholder={typeof value === "string" && value !== "" ? words.passwordKept : undefined}
      value={typed}
      onChange={(event) => onType(event.target.value)}
    />
  );
}

export const keepPassword = async (device: string, text: string) =>
  (await send<{ path: string }>("PUT", path`/devices/${device}/password`, { password: text })).path;

export function useFiles(draft: Record<string, unknown>, onFile: (key: string, file: string) => void) {
  const loaded = useLoad(useCallback(() => listFiles(), []));
  const files = loaded.data ?? [];
  const fits = fit(files, draft["cert"], draft["key"]);
  const field = (key: "cert" | "key") => (props: FieldProps) => (
    <FileField
      field={key}
      label={labels.devices[key]}
      props={props}
      files={files}
      fits={fits}
      onFile={(place, file) => {
        loaded.reload();
        onFile(place, file);
      }}
    />
  );
  return { cert: field("cert"), key: field("key") };
}
