// Settings: where devices connect to, and what this cloud holds them to.
import { DownloadOutlined } from "@ant-design/icons";
import { Card, Descriptions, Table } from "antd";
import { useCallback } from "react";
import { ApiError, isMissing } from "../shared/api";
import { download } from "../shared/download";
import { Copyable, Head, Refresh, Shown, useDo, WorkButton } from "../shared/parts";
import { useLoad } from "../shared/use-load";
import { describeEndpoint, limits, rootCa, status } from "./calls";
import { ROOT_CA } from "./names";
import { facts, type Limit, limitsOf } from "./settings-data";
import { words } from "./words";

/** The control plane alone (`penstock-cloud api`) has no limits to show. */
const NO_BROKER = 503;

/** What an older or smaller server does not know is left out. */
async function maybe<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error) || (error instanceof ApiError && error.status === NO_BROKER)) {
      return undefined;
    }
    throw error;
  }
}

async function everything() {
  const [endpoint, state, limit] = await Promise.all([describeEndpoint(), maybe(status()), maybe(limits())]);
  const { ports, ...rest } = facts(state ?? {});
  const http = { name: "http", label: words.portHttp, port: Number(window.location.port) || 80 };
  return { endpoint, ...rest, ports: [...ports, http], limits: limitsOf(limit) };
}

const OPTIONAL = [
  { title: words.usual, dataIndex: "usual" as const, responsive: ["sm" as const] },
  { title: words.unit, dataIndex: "unit" as const, responsive: ["sm" as const] },
  { title: words.range, dataIndex: "range" as const, responsive: ["md" as const] },
  { title: words.meaning, dataIndex: "help" as const, responsive: ["lg" as const] },
];

function Limits({ rows }: { rows: Limit[] }) {
  return (
    <Card size="small" title={words.limits}>
      <Table<Limit>
        size="small"
        rowKey="name"
        dataSource={rows}
        pagination={false}
        columns={[
          { title: words.limit, dataIndex: "name", render: (name: string) => <span className="ps-mono">{name}</span> },
          { title: words.value, dataIndex: "value" },
          ...OPTIONAL.filter(({ dataIndex }) => rows.some((row) => row[dataIndex] !== "")),
        ]}
      />
    </Card>
  );
}

export default function Settings() {
  const loaded = useLoad(useCallback(() => everything(), []));
  const act = useDo();
  const saveRoot = () => act(async () => download(ROOT_CA, await rootCa(ROOT_CA)));
  return (
    <>
      <Head title={words.settings}>
        <Refresh loaded={loaded} />
      </Head>
      <Shown loaded={loaded}>
        {({ endpoint, ports, account, region, limits: rows }) => (
          <>
            <Card size="small" title={words.customEndpoint}>
              <p>{words.endpointText}</p>
              <Descriptions
                bordered
                size="small"
                column={1}
                items={[
                  { key: "endpoint", label: words.customEndpoint, children: <Copyable text={endpoint} /> },
                  ...ports.map(({ name, label, port }) => ({
                    key: name,
                    label,
                    children: port === undefined ? words.off : <Copyable text={String(port)} />,
                  })),
                  { key: "account", label: words.account, children: account ?? "–" },
                  { key: "region", label: words.region, children: region ?? "–" },
                  {
                    key: "root",
                    label: words.roots,
                    children: (
                      <WorkButton size="small" icon={<DownloadOutlined />} work={saveRoot}>
                        {ROOT_CA}
                      </WorkButton>
                    ),
                  },
                ]}
              />
            </Card>
            {rows.length > 0 && <Limits rows={rows} />}
          </>
        )}
      </Shown>
    </>
  );
}
