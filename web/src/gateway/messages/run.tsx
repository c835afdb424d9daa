// Run: one call of the draft on live data, and what it did.
import { PlayCircleOutlined } from "@ant-design/icons";
import { Alert, Button, Collapse, Descriptions, Input, Progress, Select, Table, Tag } from "antd";
import { useEffect, useRef } from "react";
import { JsonView } from "../../shared/json";
import { ErrorNote } from "../../shared/parts";
import { type LogLine, type Publish, type Report, splitLog } from "./mistakes";
import { isNothing, isReturned, milliseconds, share, size } from "./report";
import type { Kind } from "./template";
import { words } from "./words";

export interface RunInput {
  group: string;
  topic: string;
  payload: string;
}

export interface Running {
  report: Report | undefined;
  error: Error | undefined;
  busy: boolean;
}

function Payload({ publish }: { publish: Publish }) {
  const { payload, payload_hex: hex, bytes } = publish;
  const shown = payload ?? hex ?? "";
  const isCut = payload !== undefined ? new TextEncoder().encode(payload).length < bytes : shown.length / 2 < bytes;
  return (
    <>
      {hex !== undefined && <div>{words.notText}</div>}
      <JsonView text={shown} />
      {isCut && <div className="gm-second">{words.cut}</div>}
    </>
  );
}

function PublishCard({ publish, topic }: { publish: Publish; topic: string }) {
  const part = share(publish);
  const returned = isReturned(publish);
  return (
    <section className="gm-publish" aria-label={returned ? words.returned : publish.topic}>
      <div className="ps-row">
        <Tag color={returned ? "success" : "processing"}>{returned ? words.returned : (words.publishedBy[publish.method] ?? publish.method)}</Tag>
        <span>
          {words.to} <span className="ps-mono">{returned ? topic : publish.topic}</span>, QoS {publish.qos}
        </span>
        <span className={publish.too_large ? "gm-bad" : "gm-second"}>
          {publish.limit === undefined ? size(publish.bytes) : words.sizeOf(size(publish.bytes), size(publish.limit))}
        </span>
        {part !== undefined && (
          <Progress
            className="gm-share"
            percent={part}
            size="small"
            showInfo={false}
            status={publish.too_large ? "exception" : "normal"}
            aria-label={words.sizeOf(size(publish.bytes), size(publish.limit ?? 0))}
          />
        )}
      </div>
      {publish.too_large && <Alert type="error" showIcon title={words.tooLarge} />}
      <Payload publish={publish} />
    </section>
  );
}

const LEVELS: Readonly<Record<string, string>> = { ERROR: "error", WARNING: "warning", INFO: "processing", DEBUG: "default" };

function Lines({ lines, onLine }: { lines: LogLine[]; onLine: (line: number) => void }) {
  if (lines.length === 0) {
    return <span className="gm-second">{words.noLines}</span>;
  }
  return (
    <ol className="gm-lines">
      {lines.map((line, i) => (
        <li key={i}>
          <Tag color={LEVELS[line.level] ?? "default"}>{line.level}</Tag>
          {line.line > 0 && line.file === "<string>" && (
            <Button type="link" size="small" aria-label={words.goToLine(line.line)} onClick={() => onLine(line.line)}>
              {words.lineNumber(line.line)}
            </Button>
          )}
          <span className="ps-mono">{line.text}</span>
        </li>
      ))}
    </ol>
  );
}

function Result({ report, topic, onLine }: { report: Report; topic: string; onLine: (line: number) => void }) {
  const { said, traceback } = splitLog(report.lines);
  return (
    <div className="ps-stack gm-result">
      <Alert
        type={report.ok ? "success" : "error"}
        showIcon
        title={report.ok ? words.runOk : words.runFailed}
        description={report.ok ? undefined : <span className="ps-mono">{report.error}</span>}
      />
      {report.wall_s > 0 && (
        <Descriptions
          size="small"
          column={3}
          items={[
            { key: "wall", label: words.wall, children: milliseconds(report.wall_s) },
            { key: "cpu", label: words.cpu, children: milliseconds(report.cpu_s) },
            { key: "memory", label: words.memory, children: size(report.peak_kib * 1024) },
          ]}
        />
      )}
      {traceback !== "" && (
        <Collapse size="small" defaultActiveKey={["t"]} items={[{ key: "t", label: words.traceback, children: <pre className="ps-code">{traceback}</pre> }]} />
      )}
      {report.ok && isNothing(report) && <span>{words.returnedNothing}</span>}
      {report.publishes.map((publish, i) => (
        <PublishCard key={i} publish={publish} topic={topic} />
      ))}
      {report.writes.length > 0 && (
        <Table
          size="small"
          title={() => words.writes}
          rowKey={({ device, var_name }) => `${device}/${var_name}`}
          pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
          dataSource={report.writes}
          columns={[
            { title: words.variable, key: "name", render: (_, { device, var_name }) => `${device} / ${var_name}` },
            { title: words.value, dataIndex: "value", render: (value: string) => <span className="ps-mono">{value}</span> },
          ]}
        />
      )}
      <section aria-label={words.logLines}>
        <div>
          <strong>{words.logLines}</strong>
        </div>
        <Lines lines={said} onLine={onLine} />
      </section>
      {report.left_out > 0 && <span className="gm-second">{words.leftOut(report.left_out)}</span>}
    </div>
  );
}

interface RunPanelProps {
  kind: Kind;
  groups: readonly string[];
  /** Where what is returned goes. */
  topic: string;
  input: RunInput;
  onInput: (input: RunInput) => void;
  running: Running;
  onRun: () => void;
  onStop: () => void;
  onLine: (line: number) => void;
}

export function RunPanel({ kind, groups, topic, input, onInput, running, onRun, onStop, onLine }: RunPanelProps) {
  const { report, error, busy } = running;
  const answer = useRef<HTMLDivElement>(null);
  // Who ran it from the editor sees what came of it, also where the panel is below the window's end.
  useEffect(() => {
    if (report) {
      answer.current?.scrollIntoView({ block: "nearest" });
    }
  }, [report]);
  return (
    <div className="ps-stack">
      <div className="ps-row">
        <Button type="primary" icon={<PlayCircleOutlined />} loading={busy} onClick={onRun}>
          {words.run}
        </Button>
        {busy && <Button onClick={onStop}>{words.stop}</Button>}
        {kind === "publish" && groups.length > 1 && (
          <label className="ps-row">
            {words.onGroup}
            <Select
              style={{ minWidth: 120 }}
              value={groups.includes(input.group) ? input.group : groups[0]}
              onChange={(group) => onInput({ ...input, group })}
              options={groups.map((value) => ({ value, label: value }))}
            />
          </label>
        )}
      </div>
      <span className="gm-second">{words.runText[kind]}</span>
      {kind === "subscribe" && (
        <div className="gm-input">
          <Input
            aria-label={words.runTopic}
            addonBefore={words.runTopic}
            value={input.topic}
            onChange={(event) => onInput({ ...input, topic: event.target.value })}
          />
          <Input.TextArea
            className="ps-editor"
            aria-label={words.runPayload}
            placeholder={words.runPayload}
            autoSize={{ minRows: 3, maxRows: 12 }}
            value={input.payload}
            onChange={(event) => onInput({ ...input, payload: event.target.value })}
          />
        </div>
      )}
      <ErrorNote error={error} />
      <div className="gm-answer" ref={answer} />
      <div role="status">{report && <Result report={report} topic={topic} onLine={onLine} />}</div>
    </div>
  );
}
