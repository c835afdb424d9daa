// A thing's shadows: the classic one and named ones, their documents, an editor.
import { Button, Card, Descriptions, Form, Input, Modal, Segmented } from "antd";
import { useCallback, useState } from "react";
import { isMissing } from "../shared/api";
import { JsonEditor, JsonView } from "../shared/json";
import { isJson } from "../shared/json-text";
import { Empty, ErrorNote, Refresh, Shown, Time, useConfirm, useDo, WorkButton } from "../shared/parts";
import { useLoad } from "../shared/use-load";
import { words as shared } from "../shared/words";
import { deleteThingShadow, getThingShadow, listNamedShadows, updateThingShadow } from "./calls";
import { editable, type ShadowDocument, updateOf } from "./shadow-text";
import { words } from "./words";

const CLASSIC = "";

async function documentOf(thing: string, name: string): Promise<{ document?: ShadowDocument }> {
  try {
    return { document: await getThingShadow(thing, name) };
  } catch (error) {
    if (isMissing(error)) {
      return {};
    }
    throw error;
  }
}

interface EditorProps {
  start: string;
  onSave: (text: string) => Promise<void>;
  onCancel: () => void;
}

function ShadowEditor({ start, onSave, onCancel }: EditorProps) {
  const [text, setText] = useState(start);
  return (
    <div>
      <p>{words.shadowHelp}</p>
      <JsonEditor label={words.shadowDocument} value={text} onChange={setText} />
      <div className="ps-row" style={{ marginTop: 8 }}>
        <WorkButton type="primary" disabled={!isJson(text)} work={() => onSave(text)}>
          {words.save}
        </WorkButton>
        <Button onClick={onCancel}>{shared.cancel}</Button>
      </div>
    </div>
  );
}

function Document({ document }: { document: ShadowDocument }) {
  return (
    <>
      <Descriptions
        size="small"
        column={{ xs: 1, sm: 2 }}
        items={[
          { key: "version", label: words.version, children: document.version },
          { key: "time", label: words.lastUpdate, children: <Time seconds={document.timestamp} /> },
        ]}
      />
      <h3 className="ps-small">{words.shadowState}</h3>
      <JsonView label={words.shadowState} text={JSON.stringify(document.state ?? {})} />
      <details>
        <summary>{words.shadowMetadata}</summary>
        <JsonView text={JSON.stringify(document.metadata ?? {})} />
      </details>
    </>
  );
}

function Shadow({ thing, name, onGone }: { thing: string; name: string; onGone: () => void }) {
  const shadow = useLoad(useCallback(() => documentOf(thing, name), [thing, name]));
  const [editing, setEditing] = useState(false);
  const act = useDo();
  const confirm = useConfirm();
  const save = async (before: ShadowDocument | undefined, text: string) => {
    if (await act(() => updateThingShadow(thing, name, updateOf(before, text)), words.saved)) {
      setEditing(false);
      shadow.reload();
      onGone();
    }
  };
  // An update that was refused was so for a device that was faster: what it said is shown now.
  const cancel = () => {
    setEditing(false);
    shadow.reload();
  };
  const remove = () =>
    confirm(words.deleteShadow, words.deleteShadowText, words.delete, async () => {
      if (await act(() => deleteThingShadow(thing, name), words.deleted)) {
        shadow.reload();
        onGone();
      }
    });
  return (
    <Shown loaded={shadow}>
      {({ document }) =>
        editing ? (
          <ShadowEditor start={editable(document)} onSave={(text) => save(document, text)} onCancel={cancel} />
        ) : (
          <>
            <div className="ps-row">
              <Button onClick={() => setEditing(true)}>{document ? words.editShadow : words.createShadow}</Button>
              {document && (
                <Button danger onClick={remove}>
                  {words.delete}
                </Button>
              )}
              <Refresh loaded={shadow} />
            </div>
            {document ? <Document document={document} /> : <Empty text={words.noShadow} />}
          </>
        )
      }
    </Shown>
  );
}

const NAME = /^[a-zA-Z0-9:_-]{1,64}$/;

function AddShadow({ onAdd }: { onAdd: (name: string) => void }) {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const add = () => {
    setOpen(false);
    onAdd(name);
    setName("");
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>{words.addShadow}</Button>
      <Modal
        open={open}
        title={words.addShadow}
        okText={words.openShadow}
        cancelText={shared.cancel}
        okButtonProps={{ disabled: !NAME.test(name) }}
        onOk={add}
        onCancel={() => setOpen(false)}
      >
        <Form layout="vertical" onFinish={() => NAME.test(name) && add()}>
          <Form.Item label={words.shadowName} htmlFor="shadow-name" help={words.shadowNameRule}>
            <Input id="shadow-name" value={name} onChange={(event) => setName(event.target.value.trim())} />
          </Form.Item>
        </Form>
      </Modal>
    </>
  );
}

export function Shadows({ thing }: { thing: string }) {
  const names = useLoad(useCallback(() => listNamedShadows(thing), [thing]));
  const [added, setAdded] = useState<string[]>([]);
  const [open, setOpen] = useState(CLASSIC);
  const all = [CLASSIC, ...new Set([...(names.data ?? []), ...added])];
  return (
    <div className="ps-stack">
      <ErrorNote error={names.error} />
      <div className="ps-row">
        <Segmented
          value={open}
          onChange={setOpen}
          aria-label={words.shadow}
          options={all.map((name) => ({ value: name, label: name === CLASSIC ? words.classic : name }))}
        />
        <AddShadow
          onAdd={(name) => {
            setAdded((was) => [...was, name]);
            setOpen(name);
          }}
        />
      </div>
      <Card size="small">
        <Shadow key={open} thing={thing} name={open} onGone={names.reload} />
      </Card>
    </div>
  );
}
