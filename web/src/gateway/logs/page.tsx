// Logs: what the gateway and its scripts write, live.
import { DownloadOutlined, PauseOutlined, PlayCircleOutlined, VerticalAlignBottomOutlined } from "@ant-design/icons";
import { Alert, Button, Input, Select } from "antd";
import { useDeferredValue, useMemo, useState } from "react";
import { Copyable, Empty, ErrorNote, Head, useDo, WorkButton } from "../../shared/parts";
import { download } from "../../shared/download";
import { getText } from "../api";
import type { LogLine } from "../events";
import { VirtualList } from "../virtual-list";
import { When } from "../time";
import { local } from "../time-text";
import { GatewayLevel } from "./level";
import { chosen, distinct, type KeptLine, keyOf, LEVELS, type LogFilter, whole } from "./lines";
import { useLog } from "./use-log";
import { words } from "./words";

const ROW_HEIGHT = 24;

function Filters({ filter, lines, onChange }: { filter: LogFilter; lines: LogLine[]; onChange: (filter: LogFilter) => void }) {
  const sources = useMemo(() => distinct(lines, "source"), [lines]);
  const scripts = useMemo(() => distinct(lines, "script"), [lines]);
  const choice = (of: "source" | "script", label: string, any: string, names: string[]) => (
    <Select
      aria-label={label}
      className="ps-log-choice"
      showSearch
      value={filter[of]}
      options={[{ value: "", label: any }, ...names.map((name) => ({ value: name, label: name }))]}
      onChange={(value: string) => onChange({ ...filter, [of]: value })}
    />
  );
  return (
    <div className="ps-row">
      <Select
        aria-label={words.level}
        style={{ width: 120 }}
        value={filter.level}
        options={LEVELS.map((level) => ({ value: level, label: level }))}
        onChange={(level: string) => onChange({ ...filter, level })}
      />
      {choice("source", words.source, words.anySource, sources)}
      {choice("script", words.script, words.anyScript, scripts)}
      <Input
        allowClear
        className="ps-log-search"
        placeholder={words.search}
        aria-label={words.search}
        value={filter.text}
        onChange={(event) => onChange({ ...filter, text: event.target.value })}
      />
    </div>
  );
}

function Line({ line }: { line: LogLine }) {
  return (
    <>
      <span className="ps-log-time">{local(line.time, { short: true, ms: true })}</span>
      <span className={`ps-log-level ps-log-${line.level.toLowerCase()}`}>{line.level}</span>
      <span className="ps-log-source">{line.script ?? line.source}</span>
      <span className="ps-log-text">{line.text}</span>
    </>
  );
}

function Detail({ line }: { line: LogLine }) {
  return (
    <section aria-label={words.detail} className="ps-log-detail">
      <div className="ps-row">
        <When at={line.time} ms />
        <strong className={`ps-log-${line.level.toLowerCase()}`}>{line.level}</strong>
        <span className="ps-mono">
          {line.source} {line.line || ""}
        </span>
        {line.script && <span>{line.script}</span>}
        <Copyable short="" text={whole(line, local(line.time, { ms: true }))} />
      </div>
      <pre className="ps-code">{line.text}</pre>
    </section>
  );
}

export default function Logs() {
  const [paused, setPaused] = useState(false);
  const [filter, setFilter] = useState<LogFilter>({ level: "INFO", source: "", script: "", text: "" });
  const [open, setOpen] = useState<KeptLine>();
  const [follow, setFollow] = useState(true);
  const act = useDo();
  const { lines, held, missed, error, loaded } = useLog(paused);
  const late = useDeferredValue(filter);
  const rows = useMemo(() => chosen(lines, late), [lines, late]);
  const save = () => act(async () => download("penstock.log", await getText("log/download"), "text/plain"));
  return (
    <div className="ps-fill">
      <Head title={words.title}>
        <GatewayLevel />
        <WorkButton icon={<DownloadOutlined />} work={save}>
          {words.download}
        </WorkButton>
        <Button icon={paused ? <PlayCircleOutlined /> : <PauseOutlined />} onClick={() => setPaused(!paused)}>
          {paused ? words.resume : words.pause}
        </Button>
      </Head>
      <ErrorNote error={error} />
      {missed > 0 && <Alert type="warning" showIcon title={words.missed(missed)} />}
      <Filters filter={filter} lines={lines} onChange={setFilter} />
      {rows.length === 0 && loaded ? (
        <Empty text={lines.length === 0 ? words.none : words.noneMatch} />
      ) : (
        <VirtualList
          className="ps-log"
          label={words.lines}
          rows={rows}
          keyOf={keyOf}
          render={(line) => <Line line={line} />}
          rowHeight={ROW_HEIGHT}
          chosen={open && keyOf(open)}
          onChoose={setOpen}
          follow={follow && !paused && open === undefined}
          onFollow={setFollow}
        />
      )}
      <div className="ps-row ps-quiet">
        <span>{words.shown(rows.length, lines.length)}</span>
        {paused && held > 0 && <span role="status">{words.held(held)}</span>}
        {!follow && (
          <Button size="small" icon={<VerticalAlignBottomOutlined />} onClick={() => (setOpen(undefined), setFollow(true))}>
            {words.toEnd}
          </Button>
        )}
      </div>
      {open && <Detail line={open} />}
    </div>
  );
}
