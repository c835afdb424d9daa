// One of the three imports: a file that is uploaded, or one the gateway has already, with what it
// recognised in it.
import { CheckCircleOutlined, CloseCircleOutlined, UploadOutlined, WarningOutlined } from "@ant-design/icons";
import { App, Button, Select, Tag, Upload } from "antd";
import { useState } from "react";
import { useDo } from "../../shared/parts";
import type { FieldProps } from "../option-form";
import { When } from "../time";
import { type CertificateFile, uploadFile } from "./calls";
import { type Field, fieldFor, FILE_BYTES_MOST, findFile, type Fit, kindsOf, shortName, uploadName, validity } from "./files";
import { words } from "./words";

const VALIDITY_COLOURS = { good: "success", soon: "warning", over: "error", none: "default" } as const;

function Recognised({ file, field, fits }: { file: CertificateFile; field: Field; fits: Fit }) {
  const state = validity(file);
  return (
    <div className="gc-recognised">
      {file.subject !== undefined && file.subject !== "" && (
        <div>
          {words.subject}: <span className="ps-mono">{file.subject}</span>
        </div>
      )}
      {file.not_after !== undefined && file.not_after !== null && (
        <div>
          {words.validUntil} <When at={file.not_after} /> <Tag color={VALIDITY_COLOURS[state]}>{words.daysLeft(file.days_left ?? 0)}</Tag>
        </div>
      )}
      {file.key_type && (
        <div>
          {words.keyType}: {file.key_type}
        </div>
      )}
      {field === "key" && fits === "fits" && (
        <div className="gc-good">
          <CheckCircleOutlined /> {words.fits}
        </div>
      )}
      {field === "key" && fits === "fits not" && (
        <div className="gc-bad" role="alert">
          <CloseCircleOutlined /> {words.fitsNot}
        </div>
      )}
      {field === "cert" && file.kind === "root" && (
        <div className="gc-warn">
          <WarningOutlined /> {words.aRoot}
        </div>
      )}
      {field === "root_ca" && file.kind === "certificate" && (
        <div className="gc-warn">
          <WarningOutlined /> {words.notARoot}
        </div>
      )}
      {file.problem && (
        <div className="gc-bad" role="alert">
          <CloseCircleOutlined /> {file.problem}
        </div>
      )}
    </div>
  );
}

export interface FileFieldProps {
  field: Field;
  label: string;
  props: FieldProps;
  files: CertificateFile[];
  fits: Fit;
  /** A file was uploaded: the list is loaded anew, and the field it is for gets it. */
  onFile: (field: Field, path: string) => void;
}

export function FileField({ field, label, props, files, fits, onFile }: FileFieldProps) {
  const { message } = App.useApp();
  const act = useDo();
  const [busy, setBusy] = useState(false);
  const { id, value, onChange, disabled, invalid } = props;
  const file = findFile(files, value);
  const take = async (chosen: File) => {
    if (chosen.size > FILE_BYTES_MOST) {
      void message.error(words.tooLarge(chosen.name));
      return;
    }
    setBusy(true);
    await act(async () => {
      const made = await uploadFile(uploadName(chosen.name), await chosen.text());
      const place = fieldFor(made.kind, field);
      if (place !== field) {
        void message.info(words.moved(chosen.name, words.labels[place]));
      }
      onFile(place, made.path);
    }).finally(() => setBusy(false));
  };
  const options = files.filter(({ kind }) => kindsOf(field).includes(kind)).map(({ path }) => ({ value: path, label: shortName(path) }));
  const chosen = file?.path ?? (typeof value === "string" && value !== "" ? value : undefined);
  return (
    <>
      <div className="gc-file">
        <Select
          id={id}
          className="gc-file-name"
          allowClear
          disabled={disabled}
          placeholder={words.choose}
          status={invalid ? "error" : undefined}
          value={chosen}
          options={chosen !== undefined && !file ? [...options, { value: chosen, label: shortName(chosen) }] : options}
          onChange={(next) => onChange(next ?? "")}
        />
        {!disabled && (
          <Upload
            showUploadList={false}
            accept=".pem,.crt,.cer,.key,.txt"
            beforeUpload={(upload) => {
              void take(upload);
              return false;
            }}
          >
            <Button icon={<UploadOutlined />} loading={busy} aria-label={words.importOf(label)}>
              {words.import}
            </Button>
          </Upload>
        )}
      </div>
      {file && <Recognised file={file} field={field} fits={fits} />}
    </>
  );
}
