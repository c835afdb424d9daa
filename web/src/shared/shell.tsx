// The frame of a page: name, menu, choice of colours, and the word that the connection is lost.
import { BulbOutlined, MenuOutlined } from "@ant-design/icons";
import { Alert, App, Button, Drawer, Dropdown, Grid, Layout, Menu, type MenuProps, Typography } from "antd";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useConnection } from "./connection";
import { type Choice, useTheme } from "./theme";
import { words } from "./words";

const CHOICES: [Choice, string][] = [
  ["system", words.system],
  ["light", words.light],
  ["dark", words.dark],
];

export function ThemeButton() {
  const { choice, choose } = useTheme();
  const items = CHOICES.map(([key, label]) => ({ key, label }));
  return (
    <Dropdown
      trigger={["click"]}
      menu={{ items, selectable: true, selectedKeys: [choice], onClick: ({ key }) => choose(key as Choice) }}
    >
      <Button type="text" icon={<BulbOutlined />} aria-label={words.theme} />
    </Dropdown>
  );
}

/** Says once that it is back; the pages load anew by themselves. */
function useHealed(): void {
  const { message } = App.useApp();
  const { lost } = useConnection();
  const was = useRef(lost);
  useEffect(() => {
    if (was.current && !lost) {
      void message.success(words.back);
    }
    was.current = lost;
  }, [lost, message]);
}

export interface ShellProps {
  name: string;
  about: string;
  items: MenuProps["items"];
  /** Key of the menu's item for this page. */
  selected: string;
  onSelect: (key: string) => void;
  /** At the header's end, after the choice of colours. */
  extra?: ReactNode;
  children: ReactNode;
}

export function Shell({ name, about, items, selected, onSelect, extra, children }: ShellProps) {
  const wide = Grid.useBreakpoint().md ?? true;
  const [open, setOpen] = useState(false);
  const { lost } = useConnection();
  const content = useRef<HTMLElement>(null);
  useHealed();
  const menu = (
    <nav aria-label={words.menu}>
      <Menu
        mode="inline"
        style={{ borderInlineEnd: 0, background: "transparent" }}
        items={items}
        selectedKeys={[selected]}
        onClick={({ key }) => {
          setOpen(false);
          onSelect(key);
        }}
      />
    </nav>
  );
  const background = { background: "var(--ant-color-bg-container)" };
  return (
    <Layout className="ps-frame">
      <a
        className="ps-skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          content.current?.focus();
        }}
      >
        {words.skip}
      </a>
      <Layout.Header className="ps-header" style={background}>
        {!wide && <Button type="text" icon={<MenuOutlined />} aria-label={words.menu} onClick={() => setOpen(true)} />}
        <div className="ps-brand">
          <strong>{name}</strong>
          <Typography.Text type="secondary">{about}</Typography.Text>
        </div>
        <ThemeButton />
        {extra}
      </Layout.Header>
      <Layout hasSider={wide}>
        {wide ? (
          <Layout.Sider className="ps-sider" width={236} style={background}>
            {menu}
          </Layout.Sider>
        ) : (
          <Drawer open={open} placement="left" size={264} title={name} onClose={() => setOpen(false)} styles={{ body: { padding: 0 } }}>
            {menu}
          </Drawer>
        )}
        <Layout.Content>
          <main className="ps-content" ref={content} tabIndex={-1}>
            <div role="status">
              {lost && <Alert type="warning" showIcon title={words.lost} description={words.lostText} style={{ marginBottom: 16 }} />}
            </div>
            {children}
          </main>
        </Layout.Content>
      </Layout>
    </Layout>
  );
}
