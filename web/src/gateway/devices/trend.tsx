// The trend of some variables: the last hour as the gateway keeps it, and what comes from now on.
import { Alert, Button, Drawer, Segmented, Spin, Table } from "antd";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { words as shared } from "../../shared/words";
import { type LiveValue, useEvents, type Watched } from "../events";
import { type Row, trend } from "./calls";
import { isBit, isReal } from "./modbus";
import { appended, drawable, extent, leftEdge, type Point } from "./trend-data";
import { words } from "./words";

const Chart = lazy(() => import("./chart"));

/** Lines of one chart: more cannot be told apart. */
export const LINES_MOST = 8;
const KEPT_S = 3600;

export type TrendOf = Pick<Row, "device" | "name" | "unit" | "type">;

const now = () => Date.now() / 1000;
const isOf = (variable: TrendOf | undefined, { device, name }: LiveValue) => variable?.device === device && variable.name === name;
const pointOf = ({ time, value, quality }: LiveValue): Point => [time, quality === "good" ? drawable(value) : null];

/** Points of each variable: those the gateway has kept, then the live ones. */
function usePoints(variables: readonly TrendOf[]) {
  const [points, setPoints] = useState<readonly (readonly Point[])[]>(() => variables.map(() => []));
  const [error, setError] = useState<Error>();
  const [known, setKnown] = useState(false);
  useEffect(() => {
    let here = true;
    Promise.all(variables.map(({ device, name }) => trend(device, name, KEPT_S))).then(
      (answers) => {
        if (here) {
          setPoints((live) =>
            answers.map((answer, i) =>
              appended(answer.points.map(([time, value]): Point => [time, drawable(value)]), live[i] ?? [], now() - KEPT_S),
            ),
          );
          setKnown(true);
        }
      },
      (failed: Error) => here && setError(failed),
    );
    return () => {
      here = false;
    };
  }, [variables]);
  const watch = useMemo(() => variables.map(({ device, name }): Watched => [device, name]), [variables]);
  useEvents(
    { watch },
    {
      onValues: (values) =>
        setPoints((was) =>
          was.map((old, i) => {
            const newer = values.filter((value) => isOf(variables[i], value)).map(pointOf);
            return newer.length === 0 ? old : appended(old, newer, now() - KEPT_S);
          }),
        ),
    },
  );
  return { points, error, known };
}

/** The right edge of the chart: now, each second; stands still while it is held. */
function useEdge(held: boolean): number {
  const [edge, setEdge] = useState(now);
  useEffect(() => {
    if (held) {
      return undefined;
    }
    const timer = setInterval(() => setEdge(now()), 1000);
    return () => clearInterval(timer);
  }, [held]);
  return edge;
}

const shown = (value: number | undefined) => (value === undefined ? "–" : String(Number(value.toPrecision(9))));

function Numbers({ variables, points, from }: { variables: readonly TrendOf[]; points: readonly (readonly Point[])[]; from: number }) {
  return (
    <Table
      size="small"
      pagination={false}
      rowKey="key"
      scroll={{ x: "max-content" }}
      dataSource={variables.map(({ device, name, unit }, i) => ({
        key: `${device}\u0000${name}`,
        name,
        unit,
        ...extent((points[i] ?? []).filter(([time]) => time >= from)),
      }))}
      columns={[
        { title: words.name, dataIndex: "name" },
        { title: words.last, dataIndex: "last", align: "right", render: shown },
        { title: words.least, dataIndex: "least", align: "right", render: shown },
        { title: words.most, dataIndex: "most", align: "right", render: shown },
        { title: "", dataIndex: "unit" },
      ]}
    />
  );
}

export function TrendDrawer({ variables: all, onClose }: { variables: readonly TrendOf[]; onClose: () => void }) {
  const variables = useRef(all.slice(0, LINES_MOST)).current;
  const [span, setSpan] = useState(300);
  const [held, setHeld] = useState(false);
  const { points, error, known } = usePoints(variables);
  const frozen = useRef(points);
  if (!held) {
    frozen.current = points;
  }
  const edge = useEdge(held);
  const drawn = frozen.current;
  const lines = useMemo(
    () => variables.map(({ name, unit, type }, i) => ({ label: name, unit, points: drawn[i] ?? [], steps: isBit(type) || !isReal(type) })),
    [variables, drawn],
  );
  const from = leftEdge(drawn, edge, span);
  const empty = drawn.every((line) => line.length === 0);
  return (
    <Drawer open size="min(1100px, 100vw)" title={words.trendTitle} onClose={onClose}>
      <div className="ps-stack">
        <ErrorNote error={error} />
        {all.length > LINES_MOST && <Alert type="info" showIcon title={words.trendMost(LINES_MOST)} />}
        <div className="ps-row">
          <Segmented
            aria-label={words.span}
            value={span}
            onChange={setSpan}
            options={Object.entries(words.spans).map(([value, label]) => ({ value: Number(value), label }))}
          />
          <Button onClick={() => setHeld(!held)}>{held ? words.go : words.pause}</Button>
        </div>
        <Suspense fallback={<Spin aria-label={shared.loading} />}>
          <Chart lines={lines} from={from} to={edge} label={words.chart(variables.map(({ name }) => name).join(", "))} />
        </Suspense>
        <Numbers variables={variables} points={drawn} from={from} />
        {known && empty && <Alert type="info" showIcon title={words.noPoints} />}
      </div>
    </Drawer>
  );
}
