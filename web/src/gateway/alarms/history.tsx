// History Alarms: what alarms did, newest first, page by page.
import { Alert, Button, Input, Select, Table } from "antd";
import { useCallback, useDeferredValue, useState } from "react";
import { Empty, Refresh, Shown } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { When } from "../time";
import { type Entry, type HistoryQuery, listHistory } from "./calls";
import { dayAgo, fromInput, toInput } from "./history-time";
import { Level, Value } from "./parts";
import { words } from "./words";

type Span = keyof typeof words.spans;

interface FilterProps {
  query: HistoryQuery;
  span: Span;
  onQuery: (query: HistoryQuery) => void;
  onSpan: (span: Span) => void;
}

function Filter({ query, span, onQuery, onSpan }: FilterProps) {
  const time = (key: "from" | "until", label: string) => (
    <label className="ga-time">
      {label}
      <Input
        type="datetime-local"
        value={toInput(query[key])}
        onChange={(event) => onQuery({ ...query, [key]: fromInput(event.target.value) ?? (key === "from" ? 0 : undefined) })}
      />
    </label>
  );
  return (
    <div className="ps-row" role="search">
      <Input
        allowClear
        className="ga-search"
        placeholder={words.nameFilter}
        aria-label={words.nameFilter}
        value={query.name}
        onChange={(event) => onQuery({ ...query, name: event.target.value })}
      />
      <Select<Span>
        aria-label={words.span}
        style={{ minWidth: 150 }}
        value={span}
        onChange={onSpan}
        options={(Object.keys(words.spans) as Span[]).map((value) => ({ value, label: words.spans[value] }))}
      />
      {span === "own" && time("from", words.from)}
      {span === "own" && time("until", words.until)}
    </div>
  );
}

/** As many as the gateway answers at once; fewer on a page mean that there are no more. */
const SHOWN = 50;

function Entries({ entries }: { entries: Entry[] }) {
  return (
    <Table<Entry>
      rowKey="id"
      size="middle"
      dataSource={entries}
      pagination={false}
      columns={[
        { title: words.time, dataIndex: "time", width: 180, render: (time: number) => <When at={time} /> },
        { title: words.level, dataIndex: "level", width: 130, responsive: ["md"], render: (level: number) => <Level level={level} /> },
        {
          title: words.name,
          dataIndex: "name",
          render: (name: string, { description, status, value, unit }) => (
            <>
              <strong>{name}</strong>
              <div className="ga-second">{description}</div>
              <div className="ga-small">
                {status} <Value text={value} unit={unit} />
              </div>
            </>
          ),
        },
        {
          title: words.status,
          dataIndex: "status",
          responsive: ["sm"],
          render: (status: string, { who }) => (
            <>
              {status}
              {who !== "" && <div className="ga-second">{words.by(who)}</div>}
            </>
          ),
        },
        { title: words.value, key: "value", responsive: ["sm"], render: (_, { value, unit }) => <Value text={value} unit={unit} /> },
        { title: words.group, dataIndex: "group", responsive: ["lg"] },
      ]}
    />
  );
}

export function History() {
  const [span, setSpan] = useState<Span>("30");
  const [query, setQuery] = useState<HistoryQuery>({ name: "", from: dayAgo(30), until: undefined });
  /** Ids of the last entries of the pages before this one. */
  const [behind, setBehind] = useState<number[]>([]);
  const wanted = useDeferredValue(query);
  const before = behind[behind.length - 1];
  const loaded = useLoad(useCallback(() => listHistory(wanted, before), [wanted, before]));
  const ask = (next: HistoryQuery) => {
    setQuery(next);
    setBehind([]);
  };
  const choose = (next: Span) => {
    setSpan(next);
    ask({ ...query, from: next === "own" ? query.from : dayAgo(Number(next)), until: undefined });
  };
  return (
    <>
      <div className="ps-row ga-bar">
        <Filter query={query} span={span} onQuery={ask} onSpan={choose} />
        <Refresh loaded={loaded} />
      </div>
      <Shown loaded={loaded}>
        {({ entries, store_failing }) => {
          const shown = entries.slice(0, SHOWN);
          const last = shown[shown.length - 1];
          return (
            <>
              {store_failing && <Alert type="warning" showIcon title={words.failing} />}
              {shown.length === 0 ? <Empty text={words.noHistory} /> : <Entries entries={shown} />}
              {(behind.length > 0 || entries.length > SHOWN) && (
                <nav className="ps-row" aria-label={words.pageOf(behind.length + 1)}>
                  <Button disabled={behind.length === 0} onClick={() => setBehind(behind.slice(0, -1))}>
                    {words.newer}
                  </Button>
                  <span>{words.pageOf(behind.length + 1)}</span>
                  <Button disabled={entries.length <= SHOWN} onClick={() => last && setBehind([...behind, last.id])}>
                    {words.older}
                  </Button>
                </nav>
              )}
            </>
          );
        }}
      </Shown>
    </>
  );
}
