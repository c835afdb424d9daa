// The gateway's own log level: how much it writes, for a time or until the restart.
import { Button, Popover, Select, Typography } from "antd";
import { useState } from "react";
import { useDo } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { get, send } from "../api";
import { useSession } from "../session";
import { When } from "../time";
import { LEVELS } from "./lines";
import { words } from "./words";

interface Level {
  level: string;
  configured?: string;
  until?: number | null;
}

const loadLevel = () => get<Level>("log/level");

function SetLevel({ now, onSet }: { now: Level; onSet: () => void }) {
  const act = useDo();
  const [level, setLevel] = useState(now.level);
  const [seconds, setSeconds] = useState(600);
  const set = async () => {
    const body = seconds > 0 ? { level, seconds } : { level };
    if (await act(() => send("PUT", "log/level", body), words.levelSet(level))) {
      onSet();
    }
  };
  return (
    <div className="ps-stack" style={{ maxWidth: 320 }}>
      <Typography.Text type="secondary">{words.gatewayLevelText}</Typography.Text>
      <div className="ps-row">
        <Select
          aria-label={words.gatewayLevel}
          style={{ width: 120 }}
          value={level}
          options={LEVELS.map((value) => ({ value, label: value }))}
          onChange={setLevel}
        />
        <Select
          aria-label={words.until}
          style={{ width: 150 }}
          value={seconds}
          options={[600, 3600, 86_400, 0].map((value) => ({ value, label: words.times[value] }))}
          onChange={setSeconds}
        />
      </div>
      <Button type="primary" onClick={() => void set()}>
        {words.set}
      </Button>
    </div>
  );
}

export function GatewayLevel() {
  const { can } = useSession();
  const [open, setOpen] = useState(false);
  const loaded = useLoad(loadLevel);
  const now = loaded.data;
  if (!now) {
    return null;
  }
  const done = () => {
    setOpen(false);
    loaded.reload();
  };
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      title={words.gatewayLevel}
      open={open}
      onOpenChange={setOpen}
      content={
        can("engineer") ? (
          <SetLevel now={now} onSet={done} />
        ) : (
          <span>
            {now.level} {now.until ? <When at={now.until} /> : null}
          </span>
        )
      }
    >
      <Button>
        {words.gatewayLevel}: {now.level}
      </Button>
    </Popover>
  );
}
