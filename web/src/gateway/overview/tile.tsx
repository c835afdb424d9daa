// One figure of the overview: what it is, how much, how it went, and what there is to say.
import { Card } from "antd";
import type { ReactNode } from "react";
import { Sparkline } from "../sparkline";
import type { History } from "../status";
import { rateText } from "./figures";
import { words } from "./words";

export interface TileProps {
  title: string;
  /** Where the title leads. */
  href?: string;
  figure: ReactNode;
  unit?: ReactNode;
  curve?: { history: History; of: string; least?: number };
  tone?: "good" | "warn" | "bad" | "calm";
  children?: ReactNode;
}

function Curve({ title, history, of, least }: { title: string; history: History; of: string; least?: number }) {
  const points = history.points[of] ?? [];
  const known = points.filter((point): point is number => point !== null);
  if (known.length === 0) {
    return <div className="ps-spark" />;
  }
  const label = words.curve(
    title,
    rateText(Math.min(...known)),
    rateText(Math.max(...known)),
    rateText(known[known.length - 1]),
  );
  return <Sparkline points={points} label={label} least={least} />;
}

export function Tile({ title, href, figure, unit, curve, tone = "calm", children }: TileProps) {
  return (
    <Card size="small" className={`ps-tile ps-tone-${tone}`}>
      <h2>{href ? <a href={href}>{title}</a> : title}</h2>
      <div className="ps-figure">
        <strong>{figure}</strong> {unit !== undefined && <span>{unit}</span>}
      </div>
      {curve && <Curve title={title} {...curve} />}
      <div className="ps-tile-more">{children}</div>
    </Card>
  );
}
