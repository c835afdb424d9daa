// Dead letters: what scripts did not finish, and the replay that runs it again.
import { Alert, Button, Card, Checkbox, Drawer, Modal, Progress, Select, Table } from "antd";
import { useCallback, useEffect, useState } from "react";
import { JsonView } from "../../shared/json";
import { Empty, ErrorNote, Refresh, Shown, useDo, WorkButton } from "../../shared/parts";
import { go } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { words as shared } from "../../shared/words";
import { useSession } from "../session";
import { When } from "../time";
import { type DeadPage, getLetter, getReplay, type Ledger, type Letter, listDead, type Replay, startReplay, stopReplay } from "./calls";
import { size } from "./report";
import { words } from "./words";

const LOOK_EVERY_MS = 500;
function LetterDrawer({ id, onClose }: { id: number; onClose: () => void }) {
  const loaded = useLoad(useCallback(() => getLetter(id), [id]));
  return (
    <Drawer open size={720} title={words.letter(id)} onClose={onClose}>
      <Shown loaded={loaded}>
        {(letter) =>
          letter ? (
            <>
              <div>
                {letter.message}, {words.collected} <When at={letter.collected} ms />
              </div>
              <section aria-label={words.traceback}>
                <strong>{words.traceback}</strong>
                <pre className="ps-code">{letter.reason}</pre>
              </section>
              <section aria-label={words.input}>
                <strong>{words.input}</strong>
                <JsonView text={JSON.stringify(letter.input)} />
              </section>
            </>
          ) : (
            <Empty text={words.noDead} />
          )
        }
      </Shown>
    </Drawer>
  );
}

function Progressing({ replay, may, onStop }: { replay: Replay; may: boolean; onStop: () => Promise<unknown> }) {
  const { message, running, total, done, failed, reason, end } = replay;
  if (message === "" || total === 0) {
    return null;
  }
  return (
    <Alert
      type={running ? "info" : failed > 0 ? "warning" : "success"}
      showIcon
      title={running ? words.replayRunning(message, done, total) : words.replayEnded(message, done, total)}
      description={
        <>
          <Progress percent={Math.round(((done + failed) / Math.max(total, 1)) * 100)} size="small" aria-label={words.replayOf(message)} />
          {failed > 0 && <div>{words.replayFailed(failed)}</div>}
          {reason !== "" && <pre className="gm-reason">{reason}</pre>}
          {!running && end !== "" && <div>{end}</div>}
        </>
      }
      action={
        running &&
        may && (
          <WorkButton size="small" work={onStop}>
            {words.stop}
          </WorkButton>
        )
      }
    />
  );
}

/** The replay as it stands, asked for while it runs; `onStep` when it has gone on. */
function useReplay(onStep: () => void) {
  const [replay, setReplay] = useState<Replay>();
  const [error, setError] = useState<Error>();
  const look = useCallback(async () => {
    try {
      setReplay(await getReplay());
    } catch (failed) {
      setError(failed as Error);
    }
  }, []);
  useEffect(() => void look(), [look]);
  const running = replay?.running === true;
  useEffect(() => {
    if (!running) {
      return undefined;
    }
    const timer = setInterval(() => void look(), LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
      onStep();
    };
  }, [running, look, onStep]);
  return { replay, setReplay, error };
}

function ReplayDialog({ name, onStart, onClose }: { name: string; onStart: (keepGoing: boolean) => Promise<boolean>; onClose: () => void }) {
  const [keepGoing, setKeepGoing] = useState(false);
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    if (await onStart(keepGoing).finally(() => setBusy(false))) {
      onClose();
    }
  };
  return (
    <Modal
      open
      title={words.replayOf(name)}
      okText={words.replay}
      cancelText={shared.cancel}
      okButtonProps={{ loading: busy }}
      onOk={() => void start()}
      onCancel={onClose}
    >
      <p>{words.replayText}</p>
      <Checkbox checked={keepGoing} onChange={(event) => setKeepGoing(event.target.checked)}>
        {words.keepGoing}
      </Checkbox>
    </Modal>
  );
}

/** The first line that says something: the last one of a traceback. */
const shortReason = (reason: string) => reason.trim().split("\n").pop() ?? reason;

export interface DeadProps {
  /** Of this message only; undefined: of all. */
  name: string | undefined;
  ledgers: Ledger[];
  onChanged: () => void;
}

export function DeadLetters({ name, ledgers, onChanged }: DeadProps) {
  const loaded = useLoad(useCallback(() => listDead(name ?? ""), [name]));
  const [older, setOlder] = useState<DeadPage>();
  const [open, setOpen] = useState<number>();
  const [asking, setAsking] = useState<string>();
  const may = useSession().can("operator");
  const act = useDo();
  const { reload } = loaded;
  const step = useCallback(() => {
    reload();
    onChanged();
  }, [reload, onChanged]);
  const { replay, setReplay, error } = useReplay(step);
  useEffect(() => setOlder(undefined), [loaded.data]);
  const withDead = ledgers.filter(({ dead }) => dead > 0);
  const one = name ?? (withDead.length === 1 ? withDead[0]?.name : undefined);

  return (
    <Card size="small" title={words.dead} extra={<Refresh loaded={loaded} />}>
      <div className="ps-stack">
        <span className="gm-second">{words.deadText}</span>
        <ErrorNote error={error} />
        <div role="status">{replay && <Progressing replay={replay} may={may} onStop={() => act(async () => setReplay(await stopReplay()))} />}</div>
        <div className="ps-row">
          <Select
            aria-label={words.name}
            style={{ minWidth: 180 }}
            value={name ?? ""}
            onChange={(next) => (next === "" ? go("messages", "dead") : go("messages", "dead", next))}
            options={[
              { value: "", label: words.allMessages },
              ...ledgers.filter(({ dead, name: of }) => dead > 0 || of === name).map(({ name: of, dead }) => ({ value: of, label: `${of} (${dead})` })),
            ]}
          />
          {may && (
            <Button type="primary" disabled={one === undefined || replay?.running === true || loaded.data?.letters.length === 0} onClick={() => setAsking(one)}>
              {one === undefined ? words.replay : words.replayOf(one)}
            </Button>
          )}
          {may && one === undefined && withDead.length > 1 && <span className="gm-second">{words.chooseMessage}</span>}
        </div>
        <Shown loaded={loaded}>
          {(newest) => {
            const rows = [...newest.letters, ...(older?.letters ?? [])];
            const { next } = older ?? newest;
            const more = async (after: string) => {
              const page = await listDead(name ?? "", after);
              setOlder({ ...page, letters: [...(older?.letters ?? []), ...page.letters] });
            };
            return rows.length === 0 ? (
              <Empty text={words.noDead} />
            ) : (
              <>
                <Table<Letter>
                  rowKey="id"
                  size="small"
                  dataSource={rows}
                  pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
                  columns={[
                    {
                      title: words.number,
                      dataIndex: "id",
                      width: 80,
                      render: (id: number) => (
                        <Button type="link" size="small" aria-label={words.letter(id)} onClick={() => setOpen(id)}>
                          {id}
                        </Button>
                      ),
                    },
                    { title: words.collected, dataIndex: "collected", width: 180, responsive: ["sm"], render: (collected: number) => <When at={collected} /> },
                    { title: words.name, dataIndex: "message", responsive: ["sm"] },
                    { title: words.reason, dataIndex: "reason", render: (reason: string) => <span className="ps-mono">{shortReason(reason)}</span> },
                    { title: words.died, dataIndex: "died", width: 180, responsive: ["lg"], render: (died: number) => <When at={died} /> },
                    { title: words.bytes, dataIndex: "bytes", width: 90, responsive: ["lg"], render: (bytes: number) => size(bytes) },
                  ]}
                />
                {next !== null && <WorkButton work={() => act(() => more(next))}>{words.more}</WorkButton>}
              </>
            );
          }}
        </Shown>
      </div>
      {open !== undefined && <LetterDrawer id={open} onClose={() => setOpen(undefined)} />}
      {asking !== undefined && (
        <ReplayDialog
          name={asking}
          onClose={() => setAsking(undefined)}
          onStart={(keepGoing) => act(async () => setReplay(await startReplay(asking, keepGoing)))}
        />
      )}
    </Card>
  );
}
