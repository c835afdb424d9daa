// Revisions: what ran when, by whom and why; what each changed; back to any of them.
import { RollbackOutlined } from "@ant-design/icons";
import { Alert, Button, Drawer, Table, Tag } from "antd";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Empty, Head, Refresh, Shown } from "../../shared/parts";
import { go, to } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { useRevision } from "../revision-store";
import { useSession } from "../session";
import { When } from "../time";
import { loadRevision, loadRevisions, type Revision, type Revisions } from "./data";
import { DifferenceView } from "./difference";
import { RevertWindow } from "./revert";
import { Trial } from "./trial";
import { words } from "./words";

const kindOf = ({ kind, of }: Revision) => {
  const word = words.kinds[kind] ?? kind;
  return of > 0 ? words.ofRevision(word, of) : word;
};

function One({ number, running, onRevert }: { number: number; running: boolean; onRevert: () => void }) {
  const { can } = useSession();
  const loaded = useLoad(useCallback(() => loadRevision(number), [number]));
  return (
    <Shown loaded={loaded}>
      {(revision) => (
        <>
          <dl className="ps-facts">
            <dt>{words.time}</dt>
            <dd>
              <When at={revision.time} />
            </dd>
            <dt>{words.kind}</dt>
            <dd>{kindOf(revision)}</dd>
            <dt>{words.who}</dt>
            <dd>{revision.who}</dd>
            <dt>{words.why}</dt>
            <dd>{revision.why || "–"}</dd>
            <dt>{words.what}</dt>
            <dd>{revision.summary}</dd>
          </dl>
          {can("engineer") && !running && (
            <div>
              <Button icon={<RollbackOutlined />} onClick={onRevert}>
                {words.revert}
              </Button>
            </div>
          )}
          <section tabIndex={0} aria-label={words.changedTo}>
            <h2 className="ps-card-title ps-small">{words.changedTo}</h2>
            <DifferenceView difference={revision.difference} />
          </section>
        </>
      )}
    </Shown>
  );
}

function List({ all }: { all: Revisions }) {
  const rows = useMemo(() => [...all.revisions].sort((a, b) => b.number - a.number), [all]);
  if (rows.length === 0) {
    return <Empty text={words.none} />;
  }
  return (
    <Table<Revision>
      rowKey="number"
      size="small"
      dataSource={rows}
      pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
      columns={[
        {
          title: words.number,
          dataIndex: "number",
          width: 130,
          render: (number: number) => (
            <>
              <a href={to("revisions", String(number))}>{number}</a>{" "}
              {number === all.running && <Tag color="success">{words.running}</Tag>}
            </>
          ),
        },
        { title: words.time, dataIndex: "time", width: 170, render: (time: number) => <When at={time} /> },
        { title: words.kind, key: "kind", responsive: ["md"], render: (_, revision) => kindOf(revision) },
        { title: words.who, dataIndex: "who", responsive: ["sm"] },
        { title: words.what, dataIndex: "summary", responsive: ["sm"] },
        { title: words.why, dataIndex: "why", responsive: ["lg"] },
      ]}
    />
  );
}

export default function RevisionsPage({ parts }: { parts: string[] }) {
  const running = useRevision();
  const loaded = useLoad(loadRevisions);
  const { reload, data } = loaded;
  useEffect(reload, [reload, running]);
  const asked = useMemo(() => (data ? Date.now() / 1000 : 0), [data]);
  const [reverting, setReverting] = useState<number>();
  const open = Number(parts[0]) || undefined;
  return (
    <>
      <Head title={words.title}>
        <Refresh loaded={loaded} />
      </Head>
      <p className="ps-quiet">{words.about}</p>
      <Shown loaded={loaded}>
        {(all) => (
          <>
            {all.problem && <Alert type="warning" showIcon title={words.problem} description={all.problem} />}
            {all.progress?.probation && (
              <Trial key={asked} probation={all.progress.probation} asked={asked} onChanged={reload} />
            )}
            <List all={all} />
          </>
        )}
      </Shown>
      <Drawer open={open !== undefined} title={words.revision(open ?? 0)} size={720} onClose={() => go("revisions")} destroyOnHidden>
        {open !== undefined && <One number={open} running={open === data?.running} onRevert={() => setReverting(open)} />}
      </Drawer>
      <RevertWindow
        of={reverting}
        onClose={(done) => {
          setReverting(undefined);
          if (done) {
            go("revisions");
            reload();
          }
        }}
      />
    </>
  );
}
