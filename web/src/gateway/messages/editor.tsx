// The editor of a message: its fields, its script, and Run.
import { ArrowLeftOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Tabs } from "antd";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ErrorNote, Head, Shown } from "../../shared/parts";
import { go, to } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { get, Problem } from "../api";
import { type Edit, useEdit } from "../edit";
import { useUnsaved } from "../guard";
import { useRevision } from "../revision-store";
import { useSession } from "../session";
import { getMessage, getScript, getStatus, type Group, listGroups, listScripts, loadNames, runScript, type ScriptFile } from "./calls";
import { CanaryPanel } from "./canary";
import { CodeField, type CodeHandle } from "./code";
import { NO_NAMES, type Script } from "./completion";
import { Fields, SharedScript } from "./fields";
import { messageOf, missing } from "./message-values";
import { type Mistake, mistakesOfFindings, mistakesOfReport } from "./mistakes";
import { sampleTopic } from "./report";
import { type RunInput, type Running, RunPanel } from "./run";
import type { Kind } from "./template";
import { blank, type Draft, type Saved, useDraft } from "./use-draft";
import { words } from "./words";

interface Surroundings {
  saved: Saved;
  groups: Group[];
  scripts: ScriptFile[];
  parameters: string[] | undefined;
  aws: boolean;
}

async function load(kind: Kind, name: string | undefined, may: boolean): Promise<Surroundings> {
  const message = name === undefined ? undefined : await getMessage(kind, name);
  const [groups, scripts, status, parameters, text] = await Promise.all([
    listGroups(),
    listScripts(),
    getStatus(),
    get<{ custom?: Record<string, string> }>("/parameters"),
    message && may ? getScript(message.script) : "",
  ]);
  return {
    saved: message ? { values: message, text } : blank(kind),
    groups,
    scripts,
    parameters: parameters.custom ? Object.keys(parameters.custom) : undefined,
    aws: (status.link.type ?? "AWS IoT") === "AWS IoT",
  };
}

/** Names for the completion; what cannot be loaded is not offered, which nobody is kept up by. */
function useNames(kind: Kind, groupType: string, groups: readonly string[]) {
  const key = JSON.stringify([groupType, groups]);
  const names = useLoad(
    useCallback(() => {
      const [type, list] = JSON.parse(key) as [string, string[]];
      return loadNames(kind, type, list);
    }, [kind, key]),
  );
  return names.data ?? NO_NAMES;
}

function useRun(kind: Kind, name: string | undefined, draft: Draft, input: RunInput, onMistakes: (mistakes: Mistake[]) => void) {
  const [running, setRunning] = useState<Running>({ report: undefined, error: undefined, busy: false });
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const run = async () => {
    const mine = new AbortController();
    stop.current = mine;
    setRunning((was) => ({ ...was, busy: true, error: undefined }));
    const { values, text } = draft;
    const groups = values.groups ?? [];
    const body = {
      source: text,
      main_function: values.main_function ?? "",
      ...(name === undefined ? {} : { message: name }),
      // Without a topic what is returned can be told from what is published.
      ...(kind === "publish"
        ? { group: groups.includes(input.group) ? input.group : groups[0], topic: "" }
        : { topic: input.topic || sampleTopic(values.topic ?? ""), payload: input.payload }),
    };
    try {
      const report = await runScript(body, mine.signal);
      setRunning({ report, error: undefined, busy: false });
      onMistakes(mistakesOfReport(report));
    } catch (error) {
      const stopped = mine.signal.aborted;
      setRunning({ report: undefined, error: stopped ? undefined : (error as Error), busy: false });
    }
  };
  return { running, run, stop: () => stop.current?.abort() };
}

interface SaveProps {
  kind: Kind;
  name: string | undefined;
  draft: Draft;
  scripts: ScriptFile[];
  onMistakes: (mistakes: Mistake[]) => void;
}

function useSave({ kind, name, draft, scripts, onMistakes }: SaveProps) {
  const { edit, busy } = useEdit(draft.dirty);
  const [error, setError] = useState<Error>();
  const [strict, setStrict] = useState(false);
  const save = async (): Promise<boolean> => {
    setStrict(true);
    setError(undefined);
    const { values, text } = draft;
    if (missing(kind, values).length > 0) {
      return false;
    }
    const message = messageOf(kind, values, scripts.map(({ path }) => path));
    const edits: Edit[] = [{ op: "put", block: kind, name, value: message }];
    if (draft.scriptDirty || name === undefined || message.script !== values.script) {
      edits.push({ op: "file", path: message.script ?? "", text });
    }
    try {
      await edit(edits, { done: words.saved(message.name ?? "") });
    } catch (failed) {
      setError(failed as Error);
      if (failed instanceof Problem) {
        onMistakes(mistakesOfFindings(failed.findings, message.name ?? ""));
      }
      return false;
    }
    setError(undefined);
    setStrict(false);
    onMistakes([]);
    return true;
  };
  return { save, busy, error, strict, clear: () => setError(undefined) };
}

/** Mistakes that name no line of the script stand above it. */
function Homeless({ mistakes }: { mistakes: Mistake[] }) {
  const first = mistakes.find(({ line }) => line === 0);
  return first ? <Alert type="error" showIcon title={first.text} /> : null;
}

interface FormProps extends Surroundings {
  kind: Kind;
  name: string | undefined;
  reload: () => void;
}

function Form({ kind, name, saved, groups, scripts, parameters, aws, reload }: FormProps) {
  const may = useSession().can("engineer");
  const draft = useDraft(kind, saved);
  const [mistakes, setMistakes] = useState<Mistake[]>([]);
  const [input, setInput] = useState<RunInput>({ group: "", topic: "", payload: '{\n  "message": "Hello from AWS IoT console"\n}' });
  const [tab, setTab] = useState("run");
  const code = useRef<CodeHandle>(null);
  const { values, text, dirty } = draft;
  const names = useNames(kind, values.group_type ?? "collect", values.groups ?? []);
  const script = useMemo<Script>(
    () => ({ kind, mainFunction: values.main_function ?? "", aws, names }),
    [kind, values.main_function, aws, names],
  );
  const leaving = useRef(false);
  const { running, run, stop } = useRun(kind, name, draft, input, setMistakes);
  const { save, busy, error, strict, clear } = useSave({ kind, name, draft, scripts, onMistakes: setMistakes });
  const [gone, setGone] = useState(false);
  useUnsaved(dirty && !gone);
  const shared = scripts.find(({ path }) => path === values.script)?.used_by.filter((other) => other !== name) ?? [];

  const submit = async () => {
    if (!leaving.current && (await save())) {
      if (name === values.name) {
        reload();
      } else {
        setGone(true);
      }
    }
  };
  // The address changes once the guard knows that nothing is lost by it.
  useEffect(() => {
    if (gone) {
      leaving.current = true;
      go("messages", kind, values.name ?? "");
    }
  }, [gone, kind, values.name]);
  const reset = () => {
    draft.reset();
    setMistakes([]);
    clear();
  };
  const runNow = () => {
    setTab("run");
    void run();
  };

  return (
    <>
      <Head title={name ?? words.newTitle[kind]}>
        <Button icon={<ArrowLeftOutlined />} href={to("messages")}>
          {words.back}
        </Button>
        {may && (
          <>
            <Button type="primary" disabled={!dirty} loading={busy} onClick={() => void submit()}>
              {words.save}
            </Button>
            <Button disabled={!dirty || busy} onClick={reset}>
              {words.reset}
            </Button>
          </>
        )}
      </Head>
      <div className="ps-stack">
        <ErrorNote error={error} />
        {strict && missing(kind, values).length > 0 && <Alert type="error" showIcon role="alert" title={words.fillIn} />}
        <div className="gm-editor">
          <Card size="small" className="gm-fields">
            <Fields
              {...{ kind, values, text, groups, aws, parameters, error, strict }}
              disabled={!may}
              onChange={draft.setValues}
            />
          </Card>
          {may ? (
            <>
              <Card size="small" className="gm-script" title={words.script} extra={<span className="ps-mono gm-path">{values.script ?? ""}</span>}>
                <div className="ps-stack" style={{ gap: 8 }}>
                  <SharedScript others={shared} />
                  <Homeless mistakes={mistakes} />
                  <CodeField
                    {...{ text, script, mistakes }}
                    readOnly={false}
                    handle={code}
                    onChange={draft.setText}
                    onRun={runNow}
                    onSave={() => void (dirty ? submit() : undefined)}
                  />
                </div>
              </Card>
              <Card size="small" className="gm-run">
                <Tabs
                  size="small"
                  activeKey={tab}
                  onChange={setTab}
                  items={[
                    {
                      key: "run",
                      label: words.runTab,
                      children: (
                        <RunPanel
                          kind={kind}
                          groups={values.groups ?? []}
                          topic={values.topic ?? ""}
                          input={kind === "subscribe" && input.topic === "" ? { ...input, topic: sampleTopic(values.topic ?? "") } : input}
                          onInput={setInput}
                          running={running}
                          onRun={runNow}
                          onStop={stop}
                          onLine={(line) => code.current?.goTo(line)}
                        />
                      ),
                    },
                    ...(kind === "publish"
                      ? [{ key: "canary", label: words.canaryTab, children: <CanaryPanel name={name} source={text} may={may} /> }]
                      : []),
                  ]}
                />
              </Card>
            </>
          ) : (
            <Alert type="info" showIcon title={words.engineersOnly} />
          )}
        </div>
      </div>
    </>
  );
}

export function Editor({ kind, name }: { kind: Kind; name: string | undefined }) {
  const may = useSession().can("engineer");
  const revision = useRevision();
  const loaded = useLoad(
    // eslint-disable-next-line react-hooks/exhaustive-deps -- another revision is loaded anew
    useCallback(() => load(kind, name, may), [kind, name, may, revision]),
  );
  // While the next revision is on its way the one that is edited stays.
  const [shown, setShown] = useState<Surroundings>();
  useEffect(() => {
    if (loaded.data) {
      setShown(loaded.data);
    }
  }, [loaded.data]);
  const data = loaded.data ?? shown;
  return (
    <Shown loaded={{ ...loaded, data }}>
      {(surroundings) => <Form kind={kind} name={name} {...surroundings} reload={loaded.reload} />}
    </Shown>
  );
}
