// Accounts: who may log in, with which role.
import { DeleteOutlined, EditOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Table, Tag } from "antd";
import { useState } from "react";
import { Shown, useConfirm, useDo } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { get, path, send } from "../api";
import { useSession } from "../session";
import { When } from "../time";
import { words as common } from "../words";
import { type Account, AccountWindow } from "./account-window";
import { words } from "./words";

const loadAccounts = async () => (await get<{ items: Account[] }>("users")).items;

function State({ account }: { account: Account }) {
  if (account.disabled) {
    return <Tag>{words.disabled}</Tag>;
  }
  return account.locked_until && account.locked_until > Date.now() / 1000 ? (
    <Tag color="warning">
      {words.locked} <When at={account.locked_until} short />
    </Tag>
  ) : (
    <Tag color="success">{words.active}</Tag>
  );
}

export function Accounts() {
  const loaded = useLoad(loadAccounts);
  const [open, setOpen] = useState<Account | "new">();
  const { name: me } = useSession();
  const confirm = useConfirm();
  const act = useDo();
  const remove = (name: string) =>
    confirm(words.removeTitle(name), words.removeText, words.delete, async () => {
      if (await act(() => send("DELETE", path`/users/${name}`), words.removed(name))) {
        loaded.reload();
      }
    });
  return (
    <div className="ps-stack">
      <div>
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setOpen("new")}>
          {words.add}
        </Button>
      </div>
      <Shown loaded={loaded}>
        {(accounts) => (
          <Table<Account>
            rowKey="name"
            size="small"
            dataSource={accounts}
            pagination={false}
            columns={[
              {
                title: words.name,
                dataIndex: "name",
                render: (name: string) => (
                  <>
                    {name} {name === me && <Tag>{words.you}</Tag>}
                  </>
                ),
              },
              { title: words.role, dataIndex: "role", render: (role: Account["role"]) => common.roles[role] },
              { title: words.state, key: "state", responsive: ["sm"], render: (_, account) => <State account={account} /> },
              { title: words.created, dataIndex: "created", responsive: ["lg"], render: (at: number) => <When at={at} /> },
              {
                title: words.lastLogin,
                dataIndex: "last_login",
                responsive: ["md"],
                render: (at: number | null) => (at ? <When at={at} /> : words.never),
              },
              {
                title: "",
                key: "actions",
                width: 92,
                render: (_, account) => (
                  <span style={{ whiteSpace: "nowrap" }}>
                    <Button type="text" icon={<EditOutlined />} aria-label={words.edit(account.name)} onClick={() => setOpen(account)} />
                    <Button
                      type="text"
                      danger
                      icon={<DeleteOutlined />}
                      aria-label={words.remove(account.name)}
                      onClick={() => remove(account.name)}
                    />
                  </span>
                ),
              },
            ]}
          />
        )}
      </Shown>
      <AccountWindow
        account={open}
        onClose={(done) => {
          setOpen(undefined);
          if (done) {
            loaded.reload();
          }
        }}
      />
    </div>
  );
}
