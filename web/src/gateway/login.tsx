// Before the pages: log-in, the first administrator, and the word that a session is over.
import { Alert, Button, Card, Form, Input, Modal, Spin } from "antd";
import { type ReactNode, useEffect, useState } from "react";
import { useConnection } from "../shared/connection";
import { ErrorNote } from "../shared/parts";
import { ThemeButton } from "../shared/shell";
import { words as shared } from "../shared/words";
import { Problem } from "./api";
import { filledIn, sameAs } from "./password";
import { logIn, setUp, usePresence } from "./session";
import { left, type Presence } from "./session-store";
import { words } from "./words";

/** Does something that may be refused; after too many tries it has to be waited. */
function useTry(work: (entries: Record<string, string>) => Promise<void>) {
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const [wait, setWait] = useState(0);
  useEffect(() => {
    const timer = wait > 0 ? setTimeout(() => setWait(wait - 1), 1000) : undefined;
    return () => clearTimeout(timer);
  }, [wait]);
  const submit = async (entries: Record<string, string>) => {
    setBusy(true);
    setError(undefined);
    try {
      await work(entries);
    } catch (failed) {
      setError(failed as Error);
      setWait(failed instanceof Problem ? failed.retryAfter : 0);
    } finally {
      setBusy(false);
    }
  };
  return { error, busy, wait, submit };
}

function Refused({ error, wait }: { error: Error | undefined; wait: number }) {
  return (
    <>
      <ErrorNote error={error} />
      {wait > 0 && <Alert type="warning" showIcon title={words.waitFor(wait)} />}
    </>
  );
}

function LogIn({ known }: { known?: string }) {
  const { error, busy, wait, submit } = useTry(({ name = "", password = "" }) => logIn(name, password));
  return (
    <div className="ps-stack">
      <Refused error={error} wait={wait} />
      <Form layout="vertical" requiredMark={false} initialValues={{ name: known }} onFinish={(entries: Record<string, string>) => void submit(entries)}>
        <Form.Item name="name" label={words.account} rules={[filledIn(words.account)]} hidden={known !== undefined}>
          <Input autoComplete="username" autoFocus={known === undefined} autoCapitalize="none" spellCheck={false} />
        </Form.Item>
        <Form.Item name="password" label={words.password} rules={[filledIn(words.password)]}>
          <Input.Password autoComplete="current-password" autoFocus={known !== undefined} />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={busy} disabled={wait > 0}>
          {words.logIn}
        </Button>
      </Form>
    </div>
  );
}

function SetupCodeHelp() {
  return (
    <>
      {words.setupCodeHelp[0]} <code>{words.setupCommand}</code> {words.setupCodeHelp[1]}
    </>
  );
}

function SetUp() {
  const { error, busy, wait, submit } = useTry(({ code = "", name = "", password = "" }) => setUp(code.trim(), name, password));
  return (
    <div className="ps-stack">
      <Refused error={error} wait={wait} />
      <Form layout="vertical" onFinish={(entries: Record<string, string>) => void submit(entries)}>
        <Form.Item name="code" label={words.setupCode} extra={<SetupCodeHelp />} rules={[filledIn(words.setupCode)]}>
          <Input autoComplete="one-time-code" autoFocus autoCapitalize="none" spellCheck={false} />
        </Form.Item>
        <Form.Item name="name" label={words.administratorName} initialValue="admin" rules={[filledIn(words.administratorName)]}>
          <Input autoComplete="username" autoCapitalize="none" spellCheck={false} />
        </Form.Item>
        <Form.Item name="password" label={words.password} extra={words.passwordRule} rules={[filledIn(words.password)]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Form.Item name="again" label={words.passwordAgain} dependencies={["password"]} rules={[filledIn(words.passwordAgain), sameAs("password")]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={busy} disabled={wait > 0}>
          {words.createAdministrator}
        </Button>
      </Form>
    </div>
  );
}

function Door({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  const { lost } = useConnection();
  useEffect(() => {
    document.title = `${title} · ${words.name}`;
  }, [title]);
  return (
    <main className="ps-door">
      <div className="ps-door-theme">
        <ThemeButton />
      </div>
      <Card className="ps-door-card">
        {title !== words.name && <div className="ps-door-brand">{words.name}</div>}
        <h1>{title}</h1>
        <p>{text}</p>
        <div role="status">{lost && <Alert type="warning" showIcon title={shared.lost} description={shared.lostText} style={{ marginBottom: 16 }} />}</div>
        {children}
      </Card>
    </main>
  );
}

function Expired() {
  const { session } = usePresence();
  return (
    <Modal open title={words.expired} closable={false} footer={<Button onClick={left}>{words.discard}</Button>} mask={{ closable: false }} keyboard={false}>
      <p>{words.expiredText(session?.name ?? "")}</p>
      <LogIn known={session?.name} />
    </Modal>
  );
}

export function Entrance({ presence }: { presence: Presence }) {
  if (presence === "expired") {
    return <Expired />;
  }
  if (presence === "setup") {
    return (
      <Door title={words.welcome} text={words.setupText}>
        <SetUp />
      </Door>
    );
  }
  return presence === "out" ? (
    <Door title={words.logIn} text={words.logInText}>
      <LogIn />
    </Door>
  ) : (
    <Door title={words.name} text={words.asking}>
      <Spin aria-label={shared.loading} />
    </Door>
  );
}
