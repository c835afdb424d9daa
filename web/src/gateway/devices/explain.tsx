// Why a value is as it is, in the gateway's words: what is asked, what came back and what it can
// mean, what to do. The state of things is there at once; the device is asked meanwhile.
import { Alert, Descriptions, Drawer, Spin } from "antd";
import { type ReactNode, useCallback } from "react";
import { Refresh, Shown, useConfirm, useDo } from "../../shared/parts";
import { type Loaded, useLoad } from "../../shared/use-load";
import { type Edit, useEdit } from "../edit";
import { useSession } from "../session";
import { When } from "../time";
import { WaitsNote } from "../trust/waits";
import { bytesOfHex, hexOf, isOrder, type Reading, widthOf } from "./byte-order";
import { countRows, type Explained, explain, type Look } from "./calls";
import { explainWords } from "./explain-words";
import { ReadingsTable } from "./readings-table";
import { Dot } from "./variable-row";
import { words } from "./words";

function channelText({ name = "", state = "", note = "", requests = 0, errors = 0, round_trip_ms }: Explained["channel"]): string {
  return [
    name,
    state,
    ...(requests > 0 ? [words.requests(requests, errors)] : []),
    ...(round_trip_ms ? [words.roundTrip(round_trip_ms)] : []),
    note,
  ]
    .filter((text) => text !== "")
    .join(", ");
}

const hexText = (hex: string) => hexOf(bytesOfHex(hex) ?? new Uint8Array());

/** Words that stand under what to do are not said twice. */
function outcomeText({ outcome, code, error }: Look, advice: string): string {
  return [explainWords.outcomes[outcome], ...(code !== 0 ? [explainWords.code(code)] : []), ...(error === "" || error === advice ? [] : [error])].join(", ");
}

type FactRow = { key: string; label: string; children: ReactNode };

function lookRows(look: Look, advice: string): FactRow[] {
  const rows: [keyof typeof explainWords.rows, ReactNode][] = [
    ["asked", look.text],
    ["sent", look.sent !== "" && <code className="gd-hex">{hexText(look.sent)}</code>],
    ["received", look.received !== "" && <code className="gd-hex">{hexText(look.received)}</code>],
    ["outcome", outcomeText(look, advice)],
    ["type", look.type],
  ];
  return rows.filter(([, value]) => value !== "" && value !== false).map(([key, children]) => ({ key, label: explainWords.rows[key], children }));
}

function Facts({ found }: { found: Explained }) {
  const good = found.state === "good" && found.what_to_do === "";
  const rows: [keyof typeof words.explainRows, ReactNode][] = [
    [
      "state",
      <>
        <Dot quality={found.state} /> {found.state}
      </>,
    ],
    ["request", found.request.text],
    ["channel", channelText(found.channel)],
    ["last_error", found.look?.error === found.last_error ? "" : found.last_error],
    ["next_try", found.next_try !== null && <When at={found.next_try} />],
  ];
  const items = rows.filter(([, value]) => value !== "" && value !== false).map(([key, children]) => ({ key: key as string, label: words.explainRows[key] as string, children }));
  return (
    <>
      <Alert type={good ? "success" : "warning"} showIcon title={good ? words.nothingWrong : words.whatToDo} description={found.what_to_do} />
      <Descriptions bordered size="small" column={1} className="gd-facts" items={found.look ? [...items, ...lookRows(found.look, found.what_to_do)] : items} />
    </>
  );
}

function Learned({ learned }: { learned: NonNullable<Explained["learned"]> }) {
  const { holes, elsewhere, most_items } = learned;
  if (holes.length === 0 && elsewhere === 0 && most_items === 0) {
    return null;
  }
  return (
    <section aria-label={explainWords.refused}>
      {(holes.length > 0 || elsewhere > 0) && <h3>{explainWords.refused}</h3>}
      <ul className="gd-holes">
        {holes.map(({ first, last, here, code, refusals, next_try }) => (
          <li key={first}>
            <b>{explainWords.hole(first, last)}</b>
            {here && ` (${explainWords.here})`}: {explainWords.holeCode(code, refusals)}
            {next_try !== null && (
              <>
                , {explainWords.again} <When at={next_try} />
              </>
            )}
          </li>
        ))}
        {elsewhere > 0 && <li>{explainWords.elsewhere(elsewhere)}</li>}
      </ul>
      {most_items > 0 && <p>{explainWords.most(most_items)}</p>}
    </section>
  );
}

/** What is taken over: the variable's type, and the order of all values of the device. */
function editsOf(device: string, name: string, reading: Reading, found: Explained): Edit[] {
  const edits: Edit[] = [];
  if (reading.type !== found.variable.type) {
    edits.push({ op: "set", block: "vars", device, name, value: { data_type: reading.type } });
  }
  if (widthOf(reading.type) !== 2 && isOrder(reading.order) && reading.order !== found.device.byte_order) {
    edits.push({ op: "set", block: "devices", name: device, value: { byte_order: reading.order } });
  }
  return edits;
}

interface ExplainProps {
  device: string;
  name: string;
  /** Type or byte order were changed here. */
  onChanged?: () => void;
  onClose: () => void;
}

function useTake({ device, name, onChanged }: ExplainProps, found: Loaded<Explained>) {
  const confirm = useConfirm();
  const act = useDo();
  const { edit } = useEdit();
  return (reading: Reading) => {
    const edits = found.data ? editsOf(device, name, reading, found.data) : [];
    const ofDevice = edits.some(({ block }) => block === "devices");
    if (edits.length === 0) {
      return;
    }
    void act(async () => {
      const count = ofDevice ? await countRows(device) : 0;
      const title = explainWords.takeTitle(reading.type, isOrder(reading.order) ? reading.order : "");
      confirm(title, ofDevice ? explainWords.takeDevice(device, count) : explainWords.takeVariable, explainWords.take, async () => {
        if (await act(() => edit(edits, { why: words.editVariable(name) }))) {
          found.reload();
          onChanged?.();
        }
      });
    });
  };
}

export default function ExplainDrawer(props: ExplainProps) {
  const { device, name, onClose } = props;
  const { can } = useSession();
  const now = useLoad(useCallback(() => explain(device, name, false), [device, name]));
  const looked = useLoad(useCallback(() => explain(device, name, true), [device, name]));
  const take = useTake(props, looked);
  const shown = looked.data || looked.error ? looked : now;
  const mayTake = can("engineer");
  return (
    <Drawer open title={words.explain(name)} size={760} onClose={onClose} extra={<Refresh loaded={looked} />}>
      <Shown loaded={shown}>
        {(found) => (
          <div className="gd-explain">
            <Facts found={found} />
            <WaitsNote device={device} protocol={found.device.protocol} away={found.state !== "good"} />
            {looked.loading && (
              <p role="status">
                <Spin size="small" aria-hidden /> {explainWords.asking}
              </p>
            )}
            {found.readings !== null && found.readings.length > 0 && (
              <section className="gd-order" aria-label={explainWords.meanings}>
                <h3>{explainWords.meanings}</h3>
                <p>{mayTake ? explainWords.meaningsText : explainWords.meaningsShown}</p>
                {found.look && <p className="gd-hex">{hexText(found.look.bytes)}</p>}
                <ReadingsTable readings={found.readings} onTake={mayTake ? take : undefined} />
              </section>
            )}
            {found.learned && <Learned learned={found.learned} />}
          </div>
        )}
      </Shown>
    </Drawer>
  );
}
