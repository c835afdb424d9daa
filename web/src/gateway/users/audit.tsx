// The audit log: log-ins, writes and changes, newest first.
import { Input, Table, Tag } from "antd";
import { useCallback, useEffect, useState } from "react";
import { Empty, Shown, useDo, WorkButton } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { get } from "../api";
import { When } from "../time";
import { words } from "./words";

interface Entry {
  id: number;
  time: number;
  who: string;
  from: string;
  what: string;
  object: string;
  result: string;
  detail: string;
}

interface Page {
  items: Entry[];
  next: number | null;
}

const PAGE = 100;
const TYPING_MS = 300;

const COLUMNS = [
  { title: words.time, dataIndex: "time", width: 165, render: (at: number) => <When at={at} /> },
  { title: words.who, dataIndex: "who" },
  { title: words.from, dataIndex: "from", responsive: ["lg" as const], render: (from: string) => <span className="ps-mono">{from}</span> },
  { title: words.what, dataIndex: "what" },
  { title: words.object, dataIndex: "object", responsive: ["sm" as const] },
  {
    title: words.result,
    dataIndex: "result",
    render: (result: string) => <Tag color={result === "ok" ? "success" : "error"}>{result}</Tag>,
  },
  { title: words.detail, dataIndex: "detail", responsive: ["md" as const] },
];

export function Audit() {
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [older, setOlder] = useState<Entry[]>([]);
  const [next, setNext] = useState<number | null>(null);
  const act = useDo();
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const loaded = useLoad(useCallback(() => get<Page>("audit", { limit: PAGE, search }), [search]));
  useEffect(() => {
    setOlder([]);
    setNext(loaded.data?.next ?? null);
  }, [loaded.data]);
  const more = () =>
    act(async () => {
      const page = await get<Page>("audit", { limit: PAGE, search, before: next ?? undefined });
      setOlder((was) => [...was, ...page.items]);
      setNext(page.next);
    });
  return (
    <div className="ps-stack">
      <Input allowClear className="ps-log-search" placeholder={words.search} aria-label={words.search} value={typed} onChange={(event) => setTyped(event.target.value)} />
      <Shown loaded={loaded}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty text={words.noAudit} />
          ) : (
            <>
              <Table<Entry> rowKey="id" size="small" dataSource={[...items, ...older]} pagination={false} columns={COLUMNS} />
              {next !== null && (
                <div>
                  <WorkButton work={more}>{words.older}</WorkButton>
                </div>
              )}
            </>
          )
        }
      </Shown>
    </div>
  );
}
