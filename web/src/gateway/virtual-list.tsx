// Many rows of one height, of which only those in sight exist. Keys move the chosen row; while the
// end is in sight it stays there when rows come.
import { type KeyboardEvent, type ReactNode, type UIEvent, useEffect, useId, useLayoutEffect, useRef, useState } from "react";

export interface VirtualListProps<Row> {
  rows: Row[];
  keyOf: (row: Row) => string | number;
  render: (row: Row) => ReactNode;
  rowHeight: number;
  label: string;
  className?: string;
  chosen?: string | number;
  onChoose?: (row: Row | undefined) => void;
  /** Whether the newest row is kept in sight; false once one scrolls away. */
  follow: boolean;
  onFollow: (follow: boolean) => void;
}

const OVERSCAN = 10;

export function VirtualList<Row>(props: VirtualListProps<Row>) {
  const { rows, keyOf, render, rowHeight, label, className, chosen, onChoose, follow, onFollow } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const id = useId();

  useEffect(() => {
    const element = box.current;
    if (!element) {
      return undefined;
    }
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (follow && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [follow, rows, height]);

  const onScroll = ({ currentTarget }: UIEvent<HTMLDivElement>) => {
    setTop(currentTarget.scrollTop);
    const atEnd = currentTarget.scrollHeight - currentTarget.scrollTop - currentTarget.clientHeight < rowHeight * 2;
    if (atEnd !== follow) {
      onFollow(atEnd);
    }
  };
  const at = rows.findIndex((row) => keyOf(row) === chosen);
  const choose = (index: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    const row = rows[next];
    if (row === undefined || !box.current) {
      return;
    }
    onChoose?.(row);
    const y = next * rowHeight;
    if (y < box.current.scrollTop) {
      box.current.scrollTop = y;
    } else if (y + rowHeight > box.current.scrollTop + box.current.clientHeight) {
      box.current.scrollTop = y + rowHeight - box.current.clientHeight;
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const from = at < 0 ? rows.length : at;
    const moves: Record<string, number> = {
      ArrowUp: from - 1,
      ArrowDown: at < 0 ? rows.length - 1 : from + 1,
      PageUp: from - page,
      PageDown: from + page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      choose(to);
    } else if (event.key === "Escape") {
      onChoose?.(undefined);
    }
  };

  const first = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN);
  const last = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + OVERSCAN);
  const inSight = at >= first && at < last;
  return (
    <div
      ref={box}
      role="listbox"
      aria-label={label}
      aria-activedescendant={inSight ? `${id}${at}` : undefined}
      tabIndex={0}
      className={`ps-virtual ${className ?? ""}`}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ height: rows.length * rowHeight, position: "relative" }}>
        {rows.slice(first, last).map((row, i) => {
          const index = first + i;
          return (
            <div
              key={keyOf(row)}
              id={`${id}${index}`}
              role="option"
              aria-selected={index === at}
              aria-setsize={rows.length}
              aria-posinset={index + 1}
              className="ps-virtual-row"
              style={{ top: index * rowHeight, height: rowHeight }}
              onClick={() => onChoose?.(index === at ? undefined : row)}
            >
              {render(row)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
