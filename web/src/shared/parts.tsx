// Small parts that pages are made of.
import { CopyOutlined, ReloadOutlined } from "@ant-design/icons";
import { Alert, App, Button, Spin, Typography } from "antd";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { Refusal } from "./api";
import type { Loaded } from "./use-load";
import { words } from "./words";

/** The page's heading with what one can do there. */
export function Head({ title, code = false, children }: { title: string; code?: boolean; children?: ReactNode }) {
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <div className="ps-head">
      <h1 className={code ? "ps-mono" : undefined}>{title}</h1>
      {children}
    </div>
  );
}

const headingOf = (error: unknown) => (error instanceof Refusal ? error.heading : words.failed);

/** An error in the words of whoever refused. */
export function ErrorNote({ error }: { error: Error | undefined }) {
  if (!error) {
    return null;
  }
  return <Alert type="error" showIcon role="alert" title={headingOf(error)} description={error.message} />;
}

/** Shows what was loaded, an error above it, or that it is on its way. */
export function Shown<T>({ loaded, children }: { loaded: Loaded<T>; children: (data: T) => ReactNode }) {
  return (
    <div className="ps-stack">
      <ErrorNote error={loaded.error} />
      {loaded.data !== undefined ? (
        children(loaded.data)
      ) : loaded.error ? null : (
        <Spin aria-label={words.loading} style={{ margin: 32 }} />
      )}
    </div>
  );
}

export function Refresh({ loaded }: { loaded: { loading: boolean; reload: () => void } }) {
  return <Button icon={<ReloadOutlined spin={loaded.loading} />} aria-label={words.refresh} onClick={loaded.reload} />;
}

/** Runs something that may be refused: the refusal is shown, `done` is said, true is success. */
export function useDo(): (what: () => Promise<unknown>, done?: string) => Promise<boolean> {
  const { message, notification } = App.useApp();
  return useCallback(
    async (what, done) => {
      try {
        await what();
      } catch (error) {
        notification.error({
          title: headingOf(error),
          description: error instanceof Error ? error.message : String(error),
          duration: 0,
          role: "alert",
        });
        return false;
      }
      if (done !== undefined) {
        void message.success(done);
      }
      return true;
    },
    [message, notification],
  );
}

/** Asks before something that cannot be taken back. */
export function useConfirm(): (title: string, content: ReactNode, ok: string, what: () => Promise<unknown>) => void {
  const { modal } = App.useApp();
  return useCallback(
    (title, content, ok, what) => {
      modal.confirm({
        title,
        content,
        okText: ok,
        okButtonProps: { danger: true },
        cancelText: words.cancel,
        onOk: what,
      });
    },
    [modal],
  );
}

/** A button that is busy while its work is under way. */
export function WorkButton({
  work,
  ...rest
}: { work: () => Promise<unknown> } & Omit<React.ComponentProps<typeof Button>, "onClick" | "loading">) {
  const [busy, setBusy] = useState(false);
  return (
    <Button
      {...rest}
      loading={busy}
      onClick={() => {
        setBusy(true);
        void work().finally(() => setBusy(false));
      }}
    />
  );
}

/** A long name that is copied with one press. */
export function Copyable({ text, short }: { text: string; short?: string }) {
  const { message } = App.useApp();
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    void message.success(words.copied);
  };
  return (
    <span className="ps-mono">
      {short ?? text}
      {navigator.clipboard && (
        <Button
          type="text"
          size="small"
          icon={<CopyOutlined />}
          aria-label={`${words.copy} ${short ?? text}`}
          onClick={() => void copy()}
        />
      )}
    </span>
  );
}

/** Seconds since 1970 as the API has them, in the user's time. */
export function Time({ seconds }: { seconds: number | undefined }) {
  return <span>{seconds === undefined ? "–" : new Date(seconds * 1000).toLocaleString()}</span>;
}

export function Empty({ text, children }: { text: string; children?: ReactNode }) {
  return (
    <div style={{ padding: "28px 12px", textAlign: "center" }}>
      <Typography.Paragraph type="secondary">{text}</Typography.Paragraph>
      {children}
    </div>
  );
}
