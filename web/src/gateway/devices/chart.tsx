// A chart of several variables over time, by uPlot. Loaded only when a trend is opened.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "../../shared/theme";
import { local } from "../time-text";
import { columns, type Point } from "./trend-data";
import { words } from "./words";

export interface Line {
  label: string;
  unit: string;
  points: readonly Point[];
  /** Drawn in steps: bits, and what is counted. */
  steps: boolean;
}

export interface ChartProps {
  lines: readonly Line[];
  /** Seconds since 1970 at the left and right edge. */
  from: number;
  to: number;
  label: string;
}

/** Told apart by lightness as well as by hue. */
export const COLOURS = {
  light: ["#0b6b80", "#b3470b", "#5b2a9d", "#2e7d32", "#a3145a", "#6b5a00", "#1a4fa3", "#555b61"],
  dark: ["#43bcd8", "#ffa25c", "#c3a0ff", "#7ccf80", "#ff8fc0", "#e0c84a", "#84b3ff", "#b5bcc4"],
};

const INK = { light: { text: "#444b52", grid: "#e3e7ea" }, dark: { text: "#b9c1c9", grid: "#2d343c" } };

/** Times of the axis; seconds only where the ticks are closer than a minute. */
const times = (_: uPlot, ticks: number[], __: number, ___: number, step: number) =>
  ticks.map((at) => local(at).slice(11, step < 60 ? 19 : 16));

const digits = (value: number | null | undefined) => (value === null || value === undefined ? "–" : String(Number(value.toPrecision(9))));

/** One scale for each unit: degrees and bars do not share an axis. At most two have an axis to be read. */
function options(lines: readonly Line[], theme: "light" | "dark", size: { width: number; height: number }): uPlot.Options {
  const ink = INK[theme];
  const units = [...new Set(lines.map(({ unit }) => unit))];
  const scaleOf = (unit: string) => `unit:${unit}`;
  const axis = { stroke: ink.text, grid: { stroke: ink.grid, width: 1 }, ticks: { stroke: ink.grid, width: 1 } };
  return {
    ...size,
    padding: [8, 8, 0, 0],
    cursor: { drag: { x: true, y: false }, points: { size: 6 } },
    legend: { live: true },
    scales: Object.fromEntries([["x", { time: true }], ...units.map((unit) => [scaleOf(unit), { auto: true }])]),
    axes: [
      { ...axis, values: times },
      ...units.slice(0, 2).map((unit, i) => ({
        ...axis,
        scale: scaleOf(unit),
        side: (i === 0 ? 3 : 1) as uPlot.Axis.Side,
        size: 64,
        ...(unit === "" ? {} : { label: unit, labelSize: 18 }),
        ...(i === 0 ? {} : { grid: { show: false } }),
      })),
    ],
    series: [
      { label: words.time, value: (_: uPlot, at: number | null) => (at === null ? "–" : local(at)) },
      ...lines.map((line, i) => ({
        label: line.label,
        scale: scaleOf(line.unit),
        stroke: COLOURS[theme][i % COLOURS[theme].length],
        width: 1.5,
        // Where only another variable was read the line goes on.
        spanGaps: false,
        ...(line.steps ? { paths: uPlot.paths.stepped?.({ align: 1 }) } : {}),
        value: (_: uPlot, value: number | null | undefined) => `${digits(value)}${line.unit === "" ? "" : ` ${line.unit}`}`,
      })),
    ],
  };
}

export default function Chart({ lines, from, to, label }: ChartProps) {
  const theme = useTheme().dark ? "dark" : "light";
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const newest = useRef(lines);
  newest.current = lines;
  // The chart is made anew for other lines and colours only; new points are given to it.
  const shape = lines.map((line) => `${line.label}\u0000${line.unit}\u0000${line.steps}`).join("\u0001");

  useEffect(() => {
    const box = place.current;
    if (!box) {
      return undefined;
    }
    const size = () => ({ width: Math.max(box.clientWidth, 200), height: Math.max(box.clientHeight - LEGEND, 160) });
    const mine = new uPlot(options(newest.current, theme, size()), [[]], box);
    plot.current = mine;
    const watcher = new ResizeObserver(() => mine.setSize(size()));
    watcher.observe(box);
    return () => {
      watcher.disconnect();
      mine.destroy();
      plot.current = undefined;
    };
  }, [shape, theme]);

  useEffect(() => {
    plot.current?.batch(() => {
      plot.current?.setData(columns(lines.map(({ points }) => points)) as uPlot.AlignedData, true);
      plot.current?.setScale("x", { min: from, max: to });
    });
  }, [lines, from, to, shape, theme]);

  return <div ref={place} className="gd-chart" role="img" aria-label={label} />;
}

/** Room below the chart for the names of the lines. */
const LEGEND = 56;
