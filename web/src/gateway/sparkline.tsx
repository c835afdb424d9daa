// A small curve: how a figure went in the last minutes. No library: a line and the area below it.
import { line } from "./sparkline-path";

export interface SparklineProps {
  points: (number | null)[];
  /** What it shows, for those who do not see it. */
  label: string;
  /** The scale reaches at least to here, so that noise does not look like a mountain. */
  least?: number;
  /** The curve's width in points; fewer stand at the right. */
  most?: number;
}

const WIDTH = 240;
const HEIGHT = 40;

export function Sparkline({ points, label, least = 1, most = 120 }: SparklineProps) {
  const { stroke, area } = line(points, { width: WIDTH, height: HEIGHT, least, most });
  return (
    <svg className="ps-spark" role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
      <path className="ps-spark-area" d={area} />
      <path className="ps-spark-line" d={stroke} />
    </svg>
  );
}
