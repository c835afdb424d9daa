// The bytes of a value in all orders and types side by side; the right one is taken over with a press.
import { ReloadOutlined } from "@ant-design/icons";
import { Alert, Button, Form, Input, Space, Tag } from "antd";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLoad } from "../../shared/use-load";
import { arranged, bytesOfHex, encoded, hexOf, isOrder, likelyOnes, matches, type Order, ORDERS, type Reading, readings, scaled, widthOf } from "./byte-order";
import { readBytes } from "./calls";
import { words } from "./words";

export interface OrderHelperProps {
  /** The bytes of this variable are read; undefined: it is not saved yet. */
  device: string;
  name: string | undefined;
  /** What is shown now, from which bytes are computed when there are none. */
  text: string;
  /** Of the variable and its device, as they are read now. */
  type: string;
  order: string;
  onTake: (type: string, order: Order | undefined) => void;
}

/** Bytes to begin with, and whether they are only as exact as the shown value. */
function bytesOf(raw: string | undefined, { text, type, order }: OrderHelperProps): { hex: string; computed: boolean } {
  const wire = raw === undefined ? undefined : bytesOfHex(raw);
  if (wire) {
    return { hex: hexOf(wire), computed: false };
  }
  const value = encoded(type, text);
  return value ? { hex: hexOf(arranged(value, isOrder(order) ? order : "abcd")), computed: true } : { hex: "", computed: false };
}

interface CellProps {
  reading: Reading;
  isNow: boolean;
  isLikely: boolean;
  display: string;
  onTake: () => void;
}

function Cell({ reading, isNow, isLikely, display, onTake }: CellProps) {
  const { text, type, order, likely } = reading;
  if (text === "") {
    return <td className="gd-nonsense">–</td>;
  }
  const match = matches(reading, display);
  const power = match ? undefined : scaled(reading, display);
  const shown = text.length > 12 ? Number(text).toExponential(4) : text;
  const named = widthOf(type) === 2 ? "" : order;
  return (
    <td className={match ? "gd-match" : likely === 0 && power === undefined ? "gd-nonsense" : undefined}>
      <button type="button" className="gd-take" aria-label={`${shown}: ${words.take(type, named)}`} title={text} onClick={onTake}>
        {shown}
      </button>
      {isNow && <Tag>{words.orderNow}</Tag>}
      {match ? (
        <Tag color="success">{words.orderMatch}</Tag>
      ) : power !== undefined ? (
        <Tag color="warning">{words.orderScaled(power)}</Tag>
      ) : (
        isLikely && !isNow && display === "" && <Tag color="processing">{words.orderLikely}</Tag>
      )}
    </td>
  );
}

export function OrderHelper(props: OrderHelperProps) {
  const { device, name, type, order, onTake } = props;
  const read = useLoad(useCallback(async () => (name === undefined ? undefined : readBytes(device, name)), [device, name]));
  const begin = bytesOf(read.data, props);
  const [typed, setTyped] = useState<string>();
  const [display, setDisplay] = useState("");
  const hex = typed ?? begin.hex;
  const all = useMemo(() => readings(bytesOfHex(hex) ?? new Uint8Array()), [hex]);
  const likely = useMemo(() => likelyOnes(all), [all]);
  const types = [...new Set(all.map((reading) => reading.type))];
  // The form is long: what was asked for is brought into view once it is there.
  const place = useRef<HTMLDivElement>(null);
  const isThere = all.length > 0;
  useEffect(() => {
    if (isThere) {
      place.current?.scrollIntoView({ block: "nearest" });
    }
  }, [isThere]);
  return (
    <div className="gd-order" ref={place}>
      <p>{words.orderText}</p>
      <div className="gd-order-fields">
        <Form.Item label={words.orderBytes} htmlFor="order-bytes" layout="vertical">
          <Space.Compact block>
            <Input id="order-bytes" className="ps-mono" value={hex} placeholder="41 B4 00 00" onChange={(event) => setTyped(event.target.value)} />
            {name !== undefined && (
              <Button
                icon={<ReloadOutlined spin={read.loading} />}
                aria-label={words.orderAgain}
                title={words.orderAgain}
                onClick={() => {
                  setTyped(undefined);
                  read.reload();
                }}
              />
            )}
          </Space.Compact>
        </Form.Item>
        <Form.Item label={words.display} htmlFor="order-display" layout="vertical">
          <Input id="order-display" inputMode="decimal" value={display} placeholder="22.5" onChange={(event) => setDisplay(event.target.value)} />
        </Form.Item>
      </div>
      {read.error && <Alert type="warning" showIcon title={read.error.message} />}
      {all.length === 0 && !read.loading && <Alert type="info" showIcon title={words.orderNoBytes} />}
      {begin.computed && typed === undefined && !read.loading && <p className="gd-quality">{words.orderFromValue}</p>}
      {all.length > 0 && (
        <div className="gd-order-scroll">
          <table>
            <caption className="gd-unseen">{words.orderHelp}</caption>
            <thead>
              <tr>
                <th scope="col">{words.type}</th>
                {ORDERS.map((one) => (
                  <th key={one} scope="col" className="ps-mono">
                    {one}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {types.map((one) => {
                const row = all.filter((reading) => reading.type === one);
                return (
                  <tr key={one}>
                    <th scope="row">{one}</th>
                    {row.map((reading) => (
                      <Cell
                        key={reading.order}
                        reading={reading}
                        display={display}
                        isLikely={likely.has(reading)}
                        isNow={one === type && (row.length === 1 || reading.order === order)}
                        onTake={() => onTake(one, row.length === 1 ? undefined : reading.order)}
                      />
                    ))}
                    {row.length === 1 && <td colSpan={3} />}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
