// Rows of a list that stands on the server, loaded page by page as one scrolls: which pages a part
// of the list needs, and which of those held are given up. Pure.

export interface Held<Row> {
  total: number;
  size: number;
  /** By number; the newest used last. */
  pages: ReadonlyMap<number, readonly Row[]>;
}

/** Pages kept in memory; the rows of one screen are on two or three. */
export const PAGES_MOST = 40;

export const nothing = <Row>(size: number): Held<Row> => ({ total: 0, size, pages: new Map() });

/** Numbers of the pages that rows `first` to `last` stand on, those of the middle first. */
export function pagesOf(first: number, last: number, size: number, total: number): number[] {
  if (total === 0 || last < first) {
    return [];
  }
  const end = Math.min(last, total - 1);
  const pages: number[] = [];
  for (let page = Math.floor(Math.max(first, 0) / size); page <= Math.floor(end / size); page++) {
    pages.push(page);
  }
  return pages;
}

export function rowAt<Row>(held: Held<Row>, index: number): Row | undefined {
  return held.pages.get(Math.floor(index / held.size))?.[index % held.size];
}

/** With a page that has come; what has not been looked at longest goes when there are too many. */
export function withPage<Row>(held: Held<Row>, page: number, rows: readonly Row[], total: number): Held<Row> {
  const pages = new Map(total === held.total ? held.pages : []);
  pages.delete(page);
  pages.set(page, rows);
  for (const oldest of pages.keys()) {
    if (pages.size <= PAGES_MOST) {
      break;
    }
    pages.delete(oldest);
  }
  return { total, size: held.size, pages };
}

/** Rows that are on the screen, of a list with rows of one height. */
export function inView(top: number, height: number, rowHeight: number, total: number): { first: number; last: number } {
  const first = Math.max(Math.min(Math.floor(top / rowHeight), total - 1), 0);
  return { first, last: Math.min(first + Math.ceil(height / rowHeight), total - 1) };
}
