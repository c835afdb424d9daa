// The table of variables: as long as the list, with only the rows in the document that are in view.
import { CaretDownOutlined, CaretUpOutlined } from "@ant-design/icons";
import { Checkbox, Grid } from "antd";
import { type Ref, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from "react";
import type { Row, Sort } from "./calls";
import { inView } from "./pages";
import { keyOf, useLive } from "./use-live";
import type { Rows } from "./use-rows";
import { type RowActions, VariableRow } from "./variable-row";
import { words } from "./words";

export interface GridHandle {
  scrollTo: (index: number) => void;
}

export interface VariableGridProps extends RowActions {
  label: string;
  rows: Rows;
  ticked: ReadonlySet<string>;
  canWrite: boolean;
  canEdit: boolean;
  sort: string;
  onSort: (sort: string) => void;
  onTickAll: (ticked: boolean) => void;
  /** The first row in view is another. */
  onPlace: (first: number) => void;
  ref?: Ref<GridHandle>;
}

const COLUMNS: readonly { key: Sort | "desc" | "operation"; css: string; label: string; sorts: boolean }[] = [
  { key: "name", css: "gd-name", label: words.name, sorts: true },
  { key: "group", css: "gd-group", label: words.group, sorts: true },
  { key: "type", css: "gd-type", label: words.type, sorts: true },
  { key: "address", css: "gd-address", label: words.address, sorts: true },
  { key: "value", css: "gd-value-cell", label: words.value, sorts: true },
  { key: "desc", css: "gd-desc", label: words.desc, sorts: false },
  { key: "time", css: "gd-time", label: words.time, sorts: true },
  { key: "operation", css: "gd-operations", label: words.operation, sorts: false },
];

/** Rows kept above and below what is in view, so that scrolling by keys has something to show. */
const BESIDE = 8;

function Heading({ column, sort, onSort }: { column: (typeof COLUMNS)[number]; sort: string; onSort: (sort: string) => void }) {
  const up = sort === column.key;
  const down = sort === `-${column.key}`;
  return (
    <div role="columnheader" className={column.css} aria-sort={up ? "ascending" : down ? "descending" : undefined}>
      {column.sorts ? (
        <button type="button" className="gd-sort" aria-label={words.sortBy(column.label)} onClick={() => onSort(up ? `-${column.key}` : column.key)}>
          {column.label}
          {up && <CaretUpOutlined />}
          {down && <CaretDownOutlined />}
        </button>
      ) : (
        column.label
      )}
    </div>
  );
}

/** Where the list is scrolled to, and how high its window is. */
function useView() {
  const body = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 0 });
  const measure = useCallback(() => {
    const box = body.current;
    if (box) {
      box.style.setProperty("--gd-top", `${Math.round(box.getBoundingClientRect().top + window.scrollY)}px`);
      setView((was) => (was.top === box.scrollTop && was.height === box.clientHeight ? was : { top: box.scrollTop, height: box.clientHeight }));
    }
  }, []);
  useLayoutEffect(() => {
    measure();
    const box = body.current;
    if (!box) {
      return undefined;
    }
    const watcher = new ResizeObserver(measure);
    watcher.observe(box);
    return () => watcher.disconnect();
  }, [measure]);
  return { body, view, measure };
}

export function VariableGrid({ label, rows, ticked, sort, onSort, onTickAll, onPlace, ref, ...row }: VariableGridProps) {
  const narrow = Grid.useBreakpoint().md === false;
  const rowHeight = narrow ? 84 : 42;
  const { body, view, measure } = useView();
  const { first, last } = inView(view.top, view.height, rowHeight, rows.total);
  const { at, show } = rows;

  useEffect(() => {
    show(first, last);
    onPlace(first);
  }, [show, onPlace, first, last]);
  useEffect(measure, [measure, rows.total]);
  useImperativeHandle(ref, () => ({ scrollTo: (index) => body.current?.scrollTo({ top: index * rowHeight }) }), [body, rowHeight]);

  const begin = Math.max(first - BESIDE, 0);
  const shown: { index: number; row: Row | undefined }[] = [];
  for (let index = begin; index <= Math.min(last + BESIDE, rows.total - 1); index++) {
    shown.push({ index, row: at(index) });
  }
  const live = useLive(shown.flatMap((one) => (one.row ? [one.row] : [])));
  const all = rows.total > 0 && ticked.size >= rows.total;
  return (
    <div role="table" aria-label={label} aria-rowcount={rows.total + 1} className="gd-grid">
      <div role="rowgroup" className="gd-heads">
        <div role="row" aria-rowindex={1} className="gd-row gd-head">
          <div role="columnheader" className="gd-tick">
            <Checkbox
              aria-label={words.tickAll}
              checked={all}
              indeterminate={ticked.size > 0 && !all}
              disabled={rows.total === 0}
              onChange={(event) => onTickAll(event.target.checked)}
            />
          </div>
          {COLUMNS.map((column) => (
            <Heading key={column.key} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
      </div>
      <div role="rowgroup" className="gd-body" ref={body} tabIndex={0} aria-label={label} onScroll={measure}>
        <div role="presentation" className="gd-space" style={{ height: rows.total * rowHeight }}>
          {shown.map((one) => (
            <VariableRow
              key={one.index}
              {...row}
              row={one.row}
              index={one.index}
              top={one.index * rowHeight}
              live={one.row && live.get(keyOf(one.row))}
              ticked={one.row !== undefined && ticked.has(one.row.name)}
            />
          ))}
        </div>
      </div>
    </div>
  );
}
