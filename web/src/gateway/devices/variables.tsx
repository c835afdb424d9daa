// The variables of a device: search, table, and what can be done with those that are ticked.
import { ApartmentOutlined, DownloadOutlined, PlusOutlined, UploadOutlined } from "@ant-design/icons";
import { Button, Input, Pagination, Select } from "antd";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Empty, ErrorNote, useConfirm, useDo } from "../../shared/parts";
import { useEdit } from "../edit";
import { useSession } from "../session";
import { browseWords } from "./browse-words";
import { type Device, getVariable, type Row, type RowQuery } from "./calls";
import { exportCsv } from "./export";
import { GroupPick } from "./group-pick";
import { ImportDialog } from "./import";
import { TrendDrawer, type TrendOf } from "./trend";
import { useRows } from "./use-rows";
import { useTicked } from "./use-ticked";
import { VariableForm } from "./variable-form";
import { type GridHandle, VariableGrid } from "./variable-grid";
import { words } from "./words";

/** Loaded when they are opened first. */
const ExplainDrawer = lazy(() => import("./explain"));
const BrowseDialog = lazy(() => import("./browse"));

const SIZES = [30, 50, 100];
/** Typing is over when nothing is typed for so long. */
const TYPED_MS = 250;

/** What is open over the table. */
type Open =
  | { what: "form"; variable?: Record<string, unknown>; row?: Row }
  | { what: "explain"; row: Row }
  | { what: "trend"; rows: TrendOf[] }
  | { what: "group" }
  | { what: "browse" }
  | { what: "import" };

function useTyped(text: string): string {
  const [typed, setTyped] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setTyped(text.trim()), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return typed;
}

export function Variables({ device, onChanged }: { device: Device; onChanged: () => void }) {
  const name = device.device_name;
  const { can } = useSession();
  const [search, setSearch] = useState("");
  const typed = useTyped(search);
  const [quality, setQuality] = useState("");
  const [sort, setSort] = useState("");
  const [size, setSize] = useState(50);
  const [place, setPlace] = useState(0);
  const [open, setOpen] = useState<Open>();
  const query = useMemo<RowQuery>(() => ({ device: name, search: typed, quality, sort }), [name, typed, quality, sort]);
  const rows = useRows(query, size);
  const ticked = useTicked(query, rows);
  const grid = useRef<GridHandle>(null);
  const confirm = useConfirm();
  const act = useDo();
  const { edit } = useEdit();
  const { reload, at } = rows;
  const close = useCallback(() => setOpen(undefined), []);
  const changed = useCallback(() => {
    reload();
    onChanged();
  }, [reload, onChanged]);

  const editRow = useCallback(
    (row: Row) => void act(async () => setOpen({ what: "form", row, variable: await getVariable(row.device, row.name) })),
    [act],
  );
  const remove = useCallback(
    (names: readonly string[]) =>
      confirm(words.confirmVariables(names.length), words.confirmVariablesText, words.deleteIt, async () => {
        const edits = names.map((one) => ({ op: "delete" as const, block: "vars", device: name, name: one }));
        if (await act(() => edit(edits, { why: words.confirmVariables(names.length) }))) {
          ticked.clear();
          changed();
        }
      }),
    [confirm, act, edit, name, ticked, changed],
  );
  const regroup = (group: string) =>
    act(async () => {
      const edits = [...ticked.names].map((one) => ({ op: "set" as const, block: "vars", device: name, name: one, value: { group } }));
      await edit(edits, { why: words.moved(edits.length, group) });
      ticked.clear();
      changed();
    });
  const trendOfTicked = () => {
    const found: TrendOf[] = [];
    for (let i = 0; i < rows.total && found.length < ticked.names.size && found.length < 9; i++) {
      const row = at(i);
      if (row && ticked.names.has(row.name)) {
        found.push(row);
      }
    }
    setOpen({ what: "trend", rows: found });
  };
  const onDelete = useCallback((row: Row) => remove([row.name]), [remove]);
  const onExplain = useCallback((row: Row) => setOpen({ what: "explain", row }), []);
  const onTrend = useCallback((row: Row) => setOpen({ what: "trend", rows: [row] }), []);

  return (
    <section className="gd-variables" aria-label={words.variables(name)}>
      <div className="gd-bar">
        <h2 title={name}>{words.variables(name)}</h2>
        <Input allowClear className="gd-search" placeholder={words.searchVariables} aria-label={words.searchVariables} value={search} onChange={(event) => setSearch(event.target.value)} />
        <Select
          aria-label={words.quality}
          value={quality}
          onChange={setQuality}
          popupMatchSelectWidth={false}
          options={[
            { value: "", label: words.anyQuality },
            { value: "good", label: words.goodOnly },
            { value: "bad", label: words.badOnly },
          ]}
        />
        {can("engineer") && <Button icon={<UploadOutlined />} aria-label={words.importFiles} title={words.importFiles} onClick={() => setOpen({ what: "import" })} />}
        <Button icon={<DownloadOutlined />} aria-label={words.exportVariables} title={words.exportVariables} onClick={() => void act(() => exportCsv("variables", { device: name }))} />
        {can("engineer") && device.browse && (
          <Button icon={<ApartmentOutlined aria-hidden />} onClick={() => setOpen({ what: "browse" })}>
            {browseWords.button}
          </Button>
        )}
        {can("engineer") && (
          <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setOpen({ what: "form" })}>
            {words.addVariable}
          </Button>
        )}
      </div>
      <ErrorNote error={rows.error} />
      {rows.known && rows.total === 0 ? (
        <Empty text={typed === "" && quality === "" ? words.noVariables : words.noSuchVariables} />
      ) : (
        <VariableGrid
          ref={grid}
          label={words.variables(name)}
          rows={rows}
          ticked={ticked.names}
          canWrite={can("operator")}
          canEdit={can("engineer")}
          sort={sort}
          onSort={setSort}
          onPlace={setPlace}
          onTick={ticked.tick}
          onTickAll={ticked.tickAll}
          onEdit={editRow}
          onDelete={onDelete}
          onExplain={onExplain}
          onTrend={onTrend}
        />
      )}
      <div className="gd-bar gd-foot">
        {can("engineer") && (
          <>
            <Button disabled={ticked.names.size === 0} onClick={() => setOpen({ what: "group" })}>
              {words.addToGroup}
            </Button>
            <Button danger disabled={ticked.names.size === 0} onClick={() => remove([...ticked.names])}>
              {words.deleteIt}
            </Button>
          </>
        )}
        <Button disabled={ticked.names.size === 0} onClick={trendOfTicked}>
          {words.trend}
        </Button>
        {ticked.names.size > 0 && (
          <Button type="link" onClick={ticked.clear} title={words.untick}>
            {words.ticked(ticked.names.size)}
          </Button>
        )}
        <Pagination
          className="gd-pager"
          size="small"
          total={rows.total}
          current={Math.floor(place / size) + 1}
          pageSize={size}
          pageSizeOptions={SIZES}
          showSizeChanger
          showLessItems
          showTotal={words.total}
          onChange={(page, next) => {
            setSize(next);
            grid.current?.scrollTo((page - 1) * next);
          }}
        />
      </div>
      {open?.what === "form" && <VariableForm device={device} variable={open.variable} row={open.row} count={rows.total} onSaved={changed} onClose={close} />}
      <Suspense fallback={null}>
        {open?.what === "explain" && <ExplainDrawer device={open.row.device} name={open.row.name} onChanged={changed} onClose={close} />}
        {open?.what === "browse" && <BrowseDialog device={device} onSaved={changed} onClose={close} />}
      </Suspense>
      {open?.what === "trend" && <TrendDrawer variables={open.rows} onClose={close} />}
      {open?.what === "group" && <GroupPick count={ticked.names.size} pick={regroup} onClose={close} />}
      {open?.what === "import" && <ImportDialog onDone={changed} onClose={close} />}
    </section>
  );
}
