// The path of a small curve. Pure.

export interface Frame {
  width: number;
  height: number;
  least: number;
  most: number;
}

const MARGIN = 2;
const one = (number: number) => number.toFixed(1);

/** Pieces of `points` without gaps, with the place of each point. */
function pieces(points: (number | null)[], frame: Frame): [number, number][][] {
  const shown = points.slice(-frame.most);
  const top = Math.max(frame.least, ...shown.map((value) => value ?? 0));
  const step = frame.width / Math.max(1, frame.most - 1);
  const start = frame.width - (shown.length - 1) * step;
  const found: [number, number][][] = [[]];
  shown.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) {
      found.push([]);
      return;
    }
    const y = frame.height - MARGIN - (Math.max(0, value) / top) * (frame.height - 2 * MARGIN);
    found[found.length - 1]?.push([start + i * step, y]);
  });
  return found.filter((piece) => piece.length > 0);
}

export function line(points: (number | null)[], frame: Frame): { stroke: string; area: string } {
  const all = pieces(points, frame);
  const stroke = all.map((piece) => piece.map(([x, y], i) => `${i === 0 ? "M" : "L"}${one(x)} ${one(y)}`).join("")).join("");
  const area = all
    .map((piece) => {
      const first = piece[0]?.[0] ?? 0;
      const last = piece[piece.length - 1]?.[0] ?? 0;
      const over = piece.map(([x, y]) => `L${one(x)} ${one(y)}`).join("");
      return `M${one(first)} ${frame.height}${over}L${one(last)} ${frame.height}Z`;
    })
    .join("");
  return { stroke, area };
}
