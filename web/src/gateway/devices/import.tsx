// Import of CSV files with a preview: what each row would do, and why some are not taken; then apply.
import { InboxOutlined } from "@ant-design/icons";
import { Alert, Button, Modal, Segmented, Table, Tag, Upload } from "antd";
import { useMemo, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { words as shared } from "../../shared/words";
import { send } from "../api";
import { type Changed, useEdit } from "../edit";
import { importWords as words } from "./import-words";
import { canApply, changeText, countsOf, type Plan, type PlanRow, type RowState, STATES, textOf } from "./import-plan";

interface ImportFile {
  name: string;
  text: string;
}

const COLOURS: Record<RowState, string> = { added: "success", changed: "processing", unchanged: "default", "not taken": "error" };

/** A hundred thousand rows are checked in some seconds, and in some more on a small machine. */
const PATIENCE_MS = 180_000;

const ask = <Answer,>(files: readonly ImportFile[], dryRun: boolean, base?: number) =>
  send<Answer>(
    "POST",
    "/import",
    { files, dry_run: dryRun, skip_bad: true, base, why: words.why(files.map(({ name }) => name).join(", ")) },
    undefined,
    { patience: PATIENCE_MS },
  );

function Rows({ plan }: { plan: Plan }) {
  const counts = countsOf(plan.files);
  const present = STATES.filter((state) => counts[state] > 0);
  const [state, setState] = useState<RowState | "all">(counts["not taken"] > 0 ? "not taken" : "all");
  const rows = useMemo(() => plan.rows.filter((row) => state === "all" || row.state === state), [plan, state]);
  return (
    <>
      <Segmented
        aria-label={words.show}
        value={state}
        onChange={setState}
        options={[
          { value: "all" as const, label: `${words.all} ${plan.rows.length.toLocaleString("en")}` },
          ...present.map((value) => ({ value, label: `${words.states[value]} ${counts[value].toLocaleString("en")}` })),
        ]}
      />
      <Table<PlanRow>
        size="small"
        rowKey={({ file, line }) => `${file}:${line}`}
        dataSource={rows}
        pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
        tableLayout="fixed"
        scroll={{ x: 680, y: 320 }}
        columns={[
          { title: words.line, key: "line", width: 130, render: (_, { file, line }) => (plan.files.length > 1 ? `${file}:${line}` : line) },
          { title: words.result, dataIndex: "state", width: 110, render: (value: RowState) => <Tag color={COLOURS[value]}>{words.states[value]}</Tag> },
          { title: words.name, key: "name", width: 170, render: (_, { device, name }) => (device === "" ? name : `${device} / ${name}`) },
          {
            title: words.what,
            key: "what",
            render: (_, row) => (
              <div className="gd-what">
                {row.changes.map((change) => (
                  <div key={change.key}>{changeText(change)}</div>
                ))}
                {row.problems.map((problem, i) => (
                  <div key={i} className="gd-problem">
                    {problem.column === "" ? problem.text : `${problem.column}: ${problem.text}`}
                  </div>
                ))}
              </div>
            ),
          },
        ]}
      />
    </>
  );
}

function Preview({ plan }: { plan: Plan }) {
  const failed = plan.files.filter(({ failure }) => failure !== undefined && failure !== "");
  return (
    <div className="ps-stack">
      {failed.map(({ name, failure }) => (
        <Alert key={name} type="error" showIcon title={name} description={failure} />
      ))}
      {plan.findings.map((finding, i) => (
        <Alert key={i} type={finding.severity === "error" ? "error" : "warning"} showIcon title={finding.object} description={finding.text} />
      ))}
      {plan.notes.length > 0 && (
        <Alert
          type="info"
          showIcon
          title={words.notes}
          description={plan.notes.map((note, i) => (
            <div key={i}>
              {note.column}: {note.text}
              {note.rows > 0 && ` (${words.fromLine(note.first_line, note.rows)})`}
            </div>
          ))}
        />
      )}
      {plan.rows.length > 0 && <Rows plan={plan} />}
    </div>
  );
}

export function ImportDialog({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [files, setFiles] = useState<ImportFile[]>([]);
  const [plan, setPlan] = useState<Plan>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const edit = useEdit(plan !== undefined);

  const run = async (what: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      await what();
    } catch (failed) {
      setError(failed as Error);
    } finally {
      setBusy(false);
    }
  };
  const take = (chosen: readonly File[]) =>
    run(async () => {
      const next = await Promise.all(chosen.map(async (file) => ({ name: file.name, text: textOf(await file.arrayBuffer()) })));
      setFiles(next);
      setPlan(await ask<Plan>(next, true));
    });
  const apply = () =>
    run(async () => {
      await edit.run((base) => ask<Changed>(files, false, base), { done: words.done });
      onDone();
      onClose();
    });
  const counts = plan && countsOf(plan.files);
  return (
    <Modal
      open
      width={plan ? 960 : 560}
      title={words.title}
      onCancel={onClose}
      footer={
        <>
          {plan && <Button onClick={() => setPlan(undefined)}>{words.others}</Button>}
          <Button onClick={onClose}>{shared.cancel}</Button>
          {plan && counts && (
            <Button type="primary" loading={busy} disabled={!canApply(plan)} onClick={() => void apply()}>
              {words.apply(counts.added + counts.changed)}
            </Button>
          )}
        </>
      }
    >
      <div className="ps-stack">
        <ErrorNote error={error} />
        {plan ? (
          <Preview plan={plan} />
        ) : (
          <Upload.Dragger
            multiple
            accept=".csv,text/csv"
            showUploadList={false}
            disabled={busy}
            beforeUpload={(file, all) => {
              if (file === all[0]) {
                void take(all);
              }
              return false;
            }}
          >
            <InboxOutlined className="gd-drop" />
            <p>{words.drop}</p>
            <p className="gd-quality">{words.kinds}</p>
          </Upload.Dragger>
        )}
      </div>
    </Modal>
  );
}
