// Device List: cards of devices above, the variables of the chosen one below.
import { DeleteOutlined, DownloadOutlined, PlusOutlined, SafetyCertificateOutlined, UploadOutlined } from "@ant-design/icons";
import { Button, Grid, Input, Pagination } from "antd";
import { useCallback, useEffect, useState } from "react";
import { Empty, Head, Shown, useConfirm, useDo } from "../../shared/parts";
import { go, to, useRoute } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { useEdit } from "../edit";
import { useSession } from "../session";
import { useWaiting } from "../trust/waits";
import { words as trustWords } from "../trust/words";
import { countRows, type Device, getDevice, listDevices } from "./calls";
import { DeviceCard } from "./cards";
import { DeviceForm } from "./device-form";
import "./devices.css";
import { exportCsv } from "./export";
import { ImportDialog } from "./import";
import { Variables } from "./variables";
import { words } from "./words";

/** How often it is looked whether devices answer. */
const STATE_MS = 5000;
const SIZES = [8, 16, 48];

function useDevices(search: string, page: number, size: number) {
  const devices = useLoad(useCallback(() => listDevices(search, (page - 1) * size, size), [search, page, size]));
  const { reload } = devices;
  useEffect(() => {
    const timer = setInterval(reload, STATE_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return devices;
}

/** The chosen device also when its card is on another page. */
function useChosen(name: string | undefined, listed: readonly Device[] | undefined): Device | undefined {
  const found = listed?.find(({ device_name }) => device_name === name);
  const away = name !== undefined && listed !== undefined && found === undefined;
  const asked = useLoad(
    useCallback(async () => (away ? await getDevice(name).catch(() => undefined) : undefined), [away, name]),
  );
  return found ?? asked.data;
}

type Open = { what: "form"; device?: Device } | { what: "import" };

export default function DevicesPage() {
  const [, chosenName] = useRoute();
  const { can } = useSession();
  const [search, setSearch] = useState("");
  const [page, setPage] = useState(1);
  const narrow = Grid.useBreakpoint().sm === false;
  const [size, setSize] = useState<number>();
  const perPage = size ?? (narrow ? 4 : 8);
  const devices = useDevices(search, page, perPage);
  const [ticked, setTicked] = useState<ReadonlyMap<string, Device>>(new Map());
  const [open, setOpen] = useState<Open>();
  const confirm = useConfirm();
  const act = useDo();
  const { edit } = useEdit();
  const listed = devices.data?.items;
  const waits = useWaiting((listed ?? []).map(({ device_name, protocol, state }) => ({ name: device_name, protocol, away: state === "away" })));
  const first = listed?.[0]?.device_name;
  const name = chosenName ?? first;
  const chosen = useChosen(name, listed);

  const tick = (device: Device, is: boolean) =>
    setTicked((was) => {
      const next = new Map(was);
      next.delete(device.device_name);
      return is ? next.set(device.device_name, device) : next;
    });
  const remove = async (some: readonly Device[]) => {
    const counts = await Promise.all(some.map(({ device_name }) => countRows(device_name)));
    const variables = counts.reduce((sum, count) => sum + count, 0);
    confirm(words.confirmDevices(some.length), words.confirmDevicesText(variables), words.deleteIt, async () => {
      const edits = some.map((device) => ({ op: "delete" as const, block: "devices", name: device.device_name, cascade: true }));
      if (await act(() => edit(edits, { why: words.confirmDevices(some.length) }))) {
        setTicked(new Map());
        devices.reload();
        if (some.some((device) => device.device_name === chosenName)) {
          go("devices");
        }
      }
    });
  };
  return (
    <div className="gd-page">
      <Head title={words.title}>
        <Input
          allowClear
          className="gd-search"
          placeholder={words.searchDevices}
          aria-label={words.searchDevices}
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
            setPage(1);
          }}
        />
        {can("engineer") && listed?.some(({ protocol }) => protocol === "OPCUA") && (
          <Button icon={<SafetyCertificateOutlined />} aria-label={trustWords.title} title={trustWords.title} href={to("trust")} />
        )}
        {can("engineer") && <Button icon={<UploadOutlined />} aria-label={words.importFiles} title={words.importFiles} onClick={() => setOpen({ what: "import" })} />}
        <Button icon={<DownloadOutlined />} aria-label={words.exportDevices} title={words.exportDevices} onClick={() => void act(() => exportCsv("devices"))} />
        {can("engineer") && (
          <>
            <Button danger icon={<DeleteOutlined />} aria-label={words.deleteTicked} title={words.deleteTicked} disabled={ticked.size === 0} onClick={() => void act(() => remove([...ticked.values()]))} />
            <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setOpen({ what: "form" })}>
              {words.addDevice}
            </Button>
          </>
        )}
      </Head>
      <Shown loaded={devices}>
        {({ items, total }) =>
          total === 0 ? (
            <Empty text={search === "" ? words.noDevices : words.noSuchDevices} />
          ) : (
            <div>
              <ul className="gd-cards" aria-label={words.devices}>
                {items.map((device) => (
                  <DeviceCard
                    key={device.device_name}
                    device={device}
                    chosen={device.device_name === name}
                    ticked={ticked.has(device.device_name)}
                    canEdit={can("engineer")}
                    waits={waits.has(device.device_name)}
                    onTick={(is) => tick(device, is)}
                    onEdit={() => setOpen({ what: "form", device })}
                    onDelete={() => void act(() => remove([device]))}
                  />
                ))}
              </ul>
              <Pagination
                className="gd-pager"
                size="small"
                total={total}
                current={page}
                pageSize={perPage}
                pageSizeOptions={SIZES}
                showSizeChanger={total > 8}
                showTotal={words.total}
                onChange={(next, nextSize) => {
                  setPage(nextSize === perPage ? next : 1);
                  setSize(nextSize);
                }}
              />
            </div>
          )
        }
      </Shown>
      {chosen && <Variables key={chosen.device_name} device={chosen} onChanged={devices.reload} />}
      {open?.what === "form" && (
        <DeviceForm
          device={open.device && { ...open.device }}
          onSaved={(saved) => {
            setOpen(undefined);
            devices.reload();
            go("devices", saved);
          }}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open?.what === "import" && <ImportDialog onDone={devices.reload} onClose={() => setOpen(undefined)} />}
    </div>
  );
}
