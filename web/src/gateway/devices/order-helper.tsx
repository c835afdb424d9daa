// The bytes of a value in all orders and types side by side; the right one is taken over with a press.
import { ReloadOutlined } from "@ant-design/icons";
import { Alert, Button, Form, Input, Space } from "antd";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLoad } from "../../shared/use-load";
import { arranged, bytesOfHex, encoded, hexOf, isOrder, type Order, type Reading, takeable, widthOf } from "./byte-order";
import { readBytes, readBytesAs } from "./calls";
import { ReadingsTable } from "./readings-table";
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

const isNow = (reading: Reading, type: string, order: string) =>
  reading.type === type && (reading.order === "ab" || reading.order === "" || reading.order === order);

/** Bytes to begin with, and whether they are only as exact as the shown value. */
function bytesOf(raw: string | undefined, { text, type, order }: OrderHelperProps): { hex: string; computed: boolean } {
  const wire = raw === undefined ? undefined : bytesOfHex(raw);
  if (wire) {
    return { hex: hexOf(wire), computed: false };
  }
  const value = encoded(type, text);
  return value ? { hex: hexOf(arranged(value, isOrder(order) ? order : "abcd")), computed: true } : { hex: "", computed: false };
}

/** Typing is over when nothing is typed for so long. */
const TYPED_MS = 250;

/** Readings of what is typed; those before stay until the next are there. */
function useReadings(hex: string) {
  const [asked, setAsked] = useState("");
  const bytes = bytesOfHex(hex);
  const text = bytes === undefined ? "" : hexOf(bytes);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return useLoad(useCallback(async () => (asked === "" ? [] : readBytesAs(asked)), [asked]));
}

export function OrderHelper(props: OrderHelperProps) {
  const { device, name, type, order, onTake } = props;
  const read = useLoad(useCallback(async () => (name === undefined ? undefined : readBytes(device, name)), [device, name]));
  const begin = bytesOf(read.data, props);
  const [typed, setTyped] = useState<string>();
  const [display, setDisplay] = useState("");
  const hex = typed ?? begin.hex;
  const found = useReadings(hex);
  const all = useMemo(
    () => (found.data ?? []).map((one) => ({ ...one, configured: isNow(one, type, order), settable: takeable(one) })),
    [found.data, type, order],
  );
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
      {hex === "" && !read.loading && <Alert type="info" showIcon title={words.orderNoBytes} />}
      {begin.computed && typed === undefined && !read.loading && <p className="gd-quality">{words.orderFromValue}</p>}
      {found.error && <Alert type="warning" showIcon title={found.error.message} />}
      {all.length > 0 && (
        <ReadingsTable
          readings={all}
          display={display}
          onTake={(reading) => onTake(reading.type, widthOf(reading.type) === 2 || !isOrder(reading.order) ? undefined : reading.order)}
        />
      )}
    </div>
  );
}
