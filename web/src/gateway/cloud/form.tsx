// The form of the manual: type, endpoint, client id, three imports, advanced settings, Submit and
// Reset.
import { Alert, Button, Card, Collapse, Form, Input, Switch, Typography } from "antd";
import { useCallback, useEffect, useMemo, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { useEdit } from "../edit";
import { useUnsaved } from "../guard";
import { type FieldProps, OptionForm, type Value } from "../option-form";
import { defaultsOf } from "../option-text";
import { type Block, findBlock } from "../options";
import { errorsOf } from "../problem-fields";
import { useSession } from "../session";
import { listFiles, putCloud } from "./calls";
import { blockOf, type CloudBlock, endpointAdvice, follow, hasFiles, isAws, keysOf, same } from "./cloud-values";
import { FileField } from "./file-field";
import { type Field, fit } from "./files";
import { words } from "./words";

const CONTROLS = ["cert", "key", "root_ca"] as const;

interface BodyProps {
  values: CloudBlock;
  error: Error | undefined;
  strict: boolean;
  disabled: boolean;
  onChange: (values: CloudBlock | ((was: CloudBlock) => CloudBlock)) => void;
}

function useFiles(may: boolean) {
  return useLoad(useCallback(() => (may ? listFiles() : Promise.resolve([])), [may]));
}

function Body({ values, error, strict, disabled, onChange }: BodyProps) {
  const files = useFiles(!disabled);
  const aws = isAws(values);
  const labels = { ...words.labels, endpoint: aws ? words.endpoint : words.serverAddress, cert: aws ? words.labels.cert : words.clientCertificate };
  const form = (keys: readonly string[], controls?: Record<string, (field: FieldProps) => React.ReactNode>) => (
    <OptionForm
      block="cloud"
      keys={keys}
      value={values as Value}
      labels={labels}
      errors={errorsOf(error)}
      strict={strict}
      disabled={disabled}
      controls={controls}
      onChange={(next) => onChange(follow(values, next as CloudBlock))}
    />
  );
  const list = files.data ?? [];
  const fits = fit(list, values.cert, values.key);
  const imports = Object.fromEntries(
    CONTROLS.map((field) => [
      field,
      (props: FieldProps) => (
        <FileField
          field={field}
          label={labels[field]}
          props={props}
          files={list}
          fits={fits}
          onFile={(place: Field, path) => {
            onChange((was) => ({ ...was, [place]: path }));
            files.reload();
          }}
        />
      ),
    ]),
  );
  const { first, advanced } = keysOf(values);
  const advice = endpointAdvice(values.endpoint ?? "", aws);
  return (
    <>
      {form(["type", "endpoint", "client_id"])}
      {advice !== "" && <Alert type="warning" showIcon title={advice} style={{ marginBottom: 16 }} />}
      {!aws && <Authority {...{ values, error, strict, disabled, onChange }} />}
      {first.length > 0 && form(first)}
      <ErrorNote error={files.error} />
      {hasFiles(values) && (
        <>
          <Typography.Paragraph type="secondary">{words.filesText}</Typography.Paragraph>
          {form(CONTROLS, imports)}
        </>
      )}
      <Collapse
        ghost
        items={[
          {
            key: "advanced",
            label: words.advanced,
            children: (
              <>
                <Typography.Paragraph type="secondary">{words.advancedText}</Typography.Paragraph>
                {form(advanced)}
              </>
            ),
          },
        ]}
      />
    </>
  );
}

/** User name and password; what is kept is never shown. */
function Authority({ values, disabled, onChange }: BodyProps) {
  const [on, setOn] = useState((values.username ?? "") !== "");
  const kept = (values.password_file ?? "") !== "";
  return (
    <>
      <Form.Item label={words.authority}>
        <Switch
          aria-label={words.authority}
          disabled={disabled}
          checked={on}
          onChange={(next) => {
            setOn(next);
            if (!next) {
              onChange({ ...values, username: "", password: "", password_file: "" });
            }
          }}
        />
      </Form.Item>
      {on && (
        <div className="ps-options">
          <Form.Item label={words.labels.username} htmlFor="cloud-username">
            <Input
              id="cloud-username"
              autoComplete="off"
              disabled={disabled}
              value={values.username ?? ""}
              onChange={(event) => onChange({ ...values, username: event.target.value })}
            />
          </Form.Item>
          <Form.Item label={words.password} htmlFor="cloud-password">
            <Input.Password
              id="cloud-password"
              autoComplete="new-password"
              disabled={disabled}
              placeholder={kept ? words.passwordKept : undefined}
              value={typeof values["password"] === "string" ? values["password"] : ""}
              onChange={(event) => onChange({ ...values, password: event.target.value })}
            />
          </Form.Item>
        </div>
      )}
    </>
  );
}

export interface CloudFormProps {
  saved: CloudBlock;
  blocks: Block[];
  onSaved: () => void;
  onDirty: (dirty: boolean) => void;
}

const missing = (values: CloudBlock) =>
  values.enable !== false && [values.endpoint, values.client_id].some((text) => (text ?? "").trim() === "");

export function CloudForm({ saved, blocks, onSaved, onDirty }: CloudFormProps) {
  const base = useMemo<CloudBlock>(() => ({ ...(defaultsOf(findBlock(blocks, "cloud")) as CloudBlock), ...saved }), [blocks, saved]);
  const [values, setValues] = useState(base);
  const [error, setError] = useState<Error>();
  const [strict, setStrict] = useState(false);
  const may = useSession().can("engineer");
  const dirty = !same(values, base);
  const { run, busy } = useEdit(dirty);
  useUnsaved(dirty);
  useEffect(() => onDirty(dirty), [dirty, onDirty]);
  // Others may have changed it meanwhile; entries of one's own stay.
  const [seen, setSeen] = useState(base);
  if (seen !== base) {
    setSeen(base);
    setValues((was) => (same(was, seen) ? base : was));
  }
  const reset = () => {
    setValues(base);
    setError(undefined);
    setStrict(false);
  };
  const submit = async () => {
    setStrict(true);
    setError(undefined);
    if (missing(values)) {
      return;
    }
    try {
      await run((from) => putCloud(blockOf(values), from), { done: words.saved });
    } catch (failed) {
      setError(failed as Error);
      return;
    }
    setValues((was) => ({ ...was, password: undefined }));
    setError(undefined);
    setStrict(false);
    onSaved();
  };
  return (
    <Card size="small" title={words.form}>
      <Form layout="vertical" component="div">
        <Form.Item label={words.enable} extra={values.enable === false ? words.disabledText : undefined}>
          <Switch
            aria-label={words.enable}
            disabled={!may}
            checked={values.enable !== false}
            onChange={(enable) => setValues({ ...values, enable })}
          />
        </Form.Item>
        {values.enable !== false && <Body {...{ values, error, strict }} disabled={!may} onChange={setValues} />}
        <div className="gc-notes">
          <ErrorNote error={error} />
          {strict && missing(values) && <Alert type="error" showIcon role="alert" title={words.fillIn} />}
        </div>
        {may ? (
          <div className="ps-row">
            <Button type="primary" disabled={!dirty} loading={busy} onClick={() => void submit()}>
              {words.submit}
            </Button>
            <Button disabled={!dirty || busy} onClick={reset}>
              {words.reset}
            </Button>
          </div>
        ) : (
          <Typography.Text type="secondary">{words.viewOnly}</Typography.Text>
        )}
      </Form>
    </Card>
  );
}
