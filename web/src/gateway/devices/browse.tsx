// What a device has, folder by folder as it is opened: several things are picked and become
// variables in one change, or one of them is used by a form.
import { CloseOutlined, MinusSquareOutlined, PlusSquareOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input, Modal, Select, Spin } from "antd";
import { useCallback, useEffect, useRef, useState } from "react";
import { ErrorNote } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { words as shared } from "../../shared/words";
import { useEdit } from "../edit";
import { browseWords } from "./browse-words";
import { freeName, type Line, linesOf, type Loaded, matching, nameOf, pickable, type Picked, variableOf, withPage, wrongNames } from "./browse-tree";
import { allNames, browse, type BrowseNode, type Device, listGroups } from "./calls";
import { useDialog } from "./use-dialog";

/** Names of a device that new ones must differ from; the gateway looks at all of them itself. */
const NAMES_MOST = 20_000;

interface BrowseProps {
  device: Pick<Device, "device_name">;
  /** One is picked for a form: its address, and the key of a variable that takes it. */
  onPick?: (node: BrowseNode, key: string) => void;
  /** Variables were added. */
  onSaved?: () => void;
  onClose: () => void;
}

function useTree(device: string) {
  const [loaded, setLoaded] = useState<Loaded>(new Map());
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const [error, setError] = useState<Error>();
  const [key, setKey] = useState("");
  const load = useCallback(
    async (node: string, after: string) => {
      setBusy((was) => new Set(was).add(node));
      setError(undefined);
      try {
        const page = await browse(device, node, after);
        setKey(page.key);
        setLoaded((was) => withPage(was, node, page, after !== ""));
      } catch (failed) {
        setError(failed as Error);
      } finally {
        setBusy((was) => new Set([...was].filter((one) => one !== node)));
      }
    },
    [device],
  );
  const asked = useRef(false);
  useEffect(() => {
    if (!asked.current) {
      asked.current = true;
      void load("", "");
    }
  }, [load]);
  const turn = ({ key: line, node: { node } }: Line) => {
    const opens = !open.has(line);
    setOpen((was) => (opens ? new Set(was).add(line) : new Set([...was].filter((one) => one !== line))));
    if (opens && !loaded.has(node)) {
      void load(node, "");
    }
  };
  return { loaded, open, busy, error, key, load, turn };
}

type Tree = ReturnType<typeof useTree>;

function accessText({ address, readable, writable }: BrowseNode): string {
  if (address === "") {
    return "";
  }
  return readable ? (writable ? browseWords.readWrite : browseWords.read) : writable ? browseWords.writeOnly : browseWords.none;
}

function NodeName({ line, tree }: { line: Line; tree: Tree }) {
  const { node, depth, key } = line;
  const isOpen = tree.open.has(key);
  return (
    <div className="gd-node" style={{ paddingInlineStart: depth * 18 }}>
      {node.inside ? (
        <Button
          type="text"
          size="small"
          aria-expanded={isOpen}
          aria-label={isOpen ? browseWords.close(node.name) : browseWords.open(node.name)}
          icon={isOpen ? <MinusSquareOutlined /> : <PlusSquareOutlined />}
          loading={tree.busy.has(node.node)}
          onClick={() => tree.turn(line)}
        />
      ) : (
        <span style={{ width: 24 }} />
      )}
      <span>{node.name}</span>
    </div>
  );
}

interface LinesProps {
  tree: Tree;
  lines: readonly Line[];
  isPicked: (node: BrowseNode) => boolean;
  /** The button or box before a line. */
  single: boolean;
  onPick: (node: BrowseNode, picked: boolean) => void;
}

function Lines({ tree, lines, isPicked, single, onPick }: LinesProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{browseWords.name}</th>
          <th scope="col" className="gd-browse-type">
            {browseWords.type}
          </th>
          <th scope="col">{browseWords.access}</th>
          <th scope="col" className="gd-browse-address">
            {browseWords.address}
          </th>
          <td />
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => {
          const { node, key } = line;
          const wrong = node.address !== "" && !pickable(node);
          return (
            <tr key={key}>
              <td>
                <NodeName line={line} tree={tree} />
              </td>
              <td className="gd-browse-type">{node.type}</td>
              <td>{accessText(node)}</td>
              <td className="gd-browse-address ps-mono">{node.address}</td>
              <td title={wrong ? browseWords.noType : undefined}>
                {pickable(node) &&
                  (single ? (
                    <Button size="small" aria-label={browseWords.pick(node.name)} onClick={() => onPick(node, true)}>
                      {browseWords.use}
                    </Button>
                  ) : (
                    <Checkbox aria-label={browseWords.pick(node.name)} checked={isPicked(node)} onChange={(event) => onPick(node, event.target.checked)} />
                  ))}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Folders that go on behind what is loaded. */
function More({ tree }: { tree: Tree }) {
  const names = new Map<string, string>();
  for (const { nodes } of tree.loaded.values()) {
    nodes.forEach(({ node, name }) => names.set(node, name));
  }
  return [...tree.loaded]
    .filter(([, { next }]) => next !== "")
    .map(([node, { next }]) => (
      <Button key={node} loading={tree.busy.has(node)} onClick={() => void tree.load(node, next)}>
        {node === "" ? browseWords.more : browseWords.moreOf(names.get(node) ?? node)}
      </Button>
    ));
}

interface PickedProps {
  picked: readonly Picked[];
  wrong: ReadonlySet<string>;
  onName: (address: string, name: string) => void;
  onDrop: (node: BrowseNode) => void;
}

function PickedNames({ picked, wrong, onName, onDrop }: PickedProps) {
  return (
    <ul className="gd-picked" style={{ listStyle: "none", margin: 0, padding: 0 }} aria-label={browseWords.picked(picked.length)}>
      {picked.map(({ node, name }) => {
        const isWrong = wrong.has(node.address);
        return (
          <li key={node.address} className="gd-node">
            <Input
              size="small"
              aria-label={browseWords.nameOf(node.address)}
              status={isWrong ? "error" : undefined}
              title={isWrong ? (name.trim() === "" ? browseWords.missing : browseWords.twice) : node.address}
              value={name}
              onChange={(event) => onName(node.address, event.target.value)}
            />
            <Button type="text" size="small" aria-label={browseWords.drop(name)} icon={<CloseOutlined />} onClick={() => onDrop(node)} />
          </li>
        );
      })}
    </ul>
  );
}

function usePicked(device: string) {
  const taken = useLoad(
    useCallback(async () => new Set(await allNames({ device, search: "", quality: "", sort: "" }, NAMES_MOST)), [device]),
  );
  const names: ReadonlySet<string> = taken.data ?? new Set();
  const [picked, setPicked] = useState<readonly Picked[]>([]);
  return {
    picked,
    wrong: wrongNames(picked, names),
    has: (node: BrowseNode) => picked.some((one) => one.node.address === node.address),
    put: (node: BrowseNode, is: boolean) =>
      setPicked((was) => {
        const others = was.filter((one) => one.node.address !== node.address);
        const used = new Set([...names, ...others.map(({ name }) => name)]);
        return is ? [...others, { node, name: freeName(nameOf(node), used) }] : others;
      }),
    rename: (address: string, name: string) => setPicked((was) => was.map((one) => (one.node.address === address ? { ...one, name } : one))),
  };
}

export default function BrowseDialog({ device: { device_name: device }, onPick, onSaved, onClose }: BrowseProps) {
  const tree = useTree(device);
  const [search, setSearch] = useState("");
  const { picked, wrong, has, put, rename } = usePicked(device);
  const groups = useLoad(useCallback(async () => (await listGroups()).items.filter(({ group_type }) => group_type === "collect"), []));
  const [group, setGroup] = useState("default");
  const [writable, setWritable] = useState(false);
  const [error, setError] = useState<Error>();
  const { edit, busy } = useEdit(picked.length > 0);
  const close = useDialog(picked.length > 0, onClose);
  const lines = matching(linesOf(tree.loaded, tree.open), search);
  const single = onPick !== undefined;
  const known = tree.loaded.has("");

  const save = async () => {
    setError(undefined);
    const how = { device, group, key: tree.key, writable };
    try {
      await edit(
        picked.map((one) => ({ op: "put" as const, block: "vars", device, value: variableOf(one, how) })),
        { why: browseWords.why(picked.length) },
      );
    } catch (failed) {
      setError(failed as Error);
      return;
    }
    onSaved?.();
    onClose();
  };
  return (
    <Modal
      open
      width={860}
      title={browseWords.title(device)}
      onCancel={close}
      footer={
        <>
          <Button onClick={close}>{shared.cancel}</Button>
          {!single && (
            <Button type="primary" loading={busy} disabled={picked.length === 0 || wrong.size > 0} onClick={() => void save()}>
              {browseWords.add(picked.length)}
            </Button>
          )}
        </>
      }
    >
      <div className="gd-browse">
        <ErrorNote error={error ?? tree.error} />
        <Input allowClear placeholder={browseWords.search} aria-label={browseWords.search} value={search} onChange={(event) => setSearch(event.target.value)} />
        <div className="gd-browse-list" role="region" aria-label={browseWords.title(device)} tabIndex={0}>
          {!known && !tree.error ? (
            <Spin style={{ margin: 24 }} aria-label={browseWords.loading} />
          ) : lines.length === 0 ? (
            <p style={{ margin: 16 }}>{search === "" ? browseWords.empty : browseWords.noMatch}</p>
          ) : (
            <Lines
              tree={tree}
              lines={lines}
              single={single}
              isPicked={has}
              onPick={(node, is) => {
                if (onPick) {
                  onPick(node, tree.key);
                  onClose();
                } else {
                  put(node, is);
                }
              }}
            />
          )}
        </div>
        <div className="gd-bar">
          <More tree={tree} />
          {tree.error && (
            <Button loading={tree.busy.size > 0} onClick={() => void tree.load("", "")}>
              {shared.refresh}
            </Button>
          )}
        </div>
        {!single && (
          <>
            <p role="status" style={{ margin: 0 }}>
              {browseWords.picked(picked.length)}
            </p>
            <PickedNames picked={picked} wrong={wrong} onName={rename} onDrop={(node) => put(node, false)} />
            <div className="gd-browse-fields">
              <label htmlFor="browse-group">{browseWords.group}</label>
              <Select
                id="browse-group"
                value={group}
                onChange={setGroup}
                options={(groups.data ?? []).map(({ group_name }) => ({ value: group_name, label: group_name }))}
              />
              <Checkbox checked={writable} onChange={(event) => setWritable(event.target.checked)}>
                {browseWords.writable}
              </Checkbox>
            </div>
          </>
        )}
      </div>
    </Modal>
  );
}
