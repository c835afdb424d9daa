// API tokens: made for programs, shown once, ended by hand or by their date.
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Table, Tag } from "antd";
import { useState } from "react";
import { Empty, Shown, useConfirm, useDo } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { get, path, send } from "../api";
import { useSession } from "../session";
import type { Role } from "../session-store";
import { When } from "../time";
import { words as common } from "../words";
import { TokenWindow } from "./token-window";
import { words } from "./words";

interface Token {
  id: string;
  name: string;
  owner: string | null;
  role: Role;
  created: number;
  expires: number;
  last_used: number | null;
}

const loadTokens = async () => (await get<{ items: Token[] }>("tokens")).items;

export function Tokens() {
  const { can } = useSession();
  const loaded = useLoad(loadTokens);
  const [making, setMaking] = useState(false);
  const confirm = useConfirm();
  const act = useDo();
  const revoke = ({ id, name }: Token) =>
    confirm(words.revokeTitle(name), words.revokeText, words.revokeOk, async () => {
      if (await act(() => send("DELETE", path`/tokens/${id}`), words.revoked)) {
        loaded.reload();
      }
    });
  const owner = {
    title: words.owner,
    dataIndex: "owner",
    responsive: ["sm" as const],
    render: (who: string | null) => who || words.commandLine,
  };
  return (
    <div className="ps-stack">
      <p className="ps-quiet">{words.tokensText}</p>
      <div>
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
          {words.addToken}
        </Button>
      </div>
      <Shown loaded={loaded}>
        {(tokens) =>
          tokens.length === 0 ? (
            <Empty text={words.noTokens} />
          ) : (
            <Table<Token>
              rowKey="id"
              size="small"
              dataSource={tokens}
              pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
              columns={[
                { title: words.name, dataIndex: "name" },
                ...(can("administrator") ? [owner] : []),
                { title: words.role, dataIndex: "role", responsive: ["sm"], render: (role: Role) => common.roles[role] },
                { title: words.created, dataIndex: "created", responsive: ["lg"], render: (at: number) => <When at={at} /> },
                {
                  title: words.expires,
                  dataIndex: "expires",
                  render: (at: number) => (at < Date.now() / 1000 ? <Tag>{words.ended}</Tag> : <When at={at} />),
                },
                {
                  title: words.lastUsed,
                  dataIndex: "last_used",
                  responsive: ["md"],
                  render: (at: number | null) => (at ? <When at={at} /> : words.never),
                },
                {
                  title: "",
                  key: "actions",
                  width: 56,
                  render: (_, token) => (
                    <Button type="text" danger icon={<DeleteOutlined />} aria-label={words.revoke(token.name)} onClick={() => revoke(token)} />
                  ),
                },
              ]}
            />
          )
        }
      </Shown>
      <TokenWindow
        open={making}
        onClose={() => {
          setMaking(false);
          loaded.reload();
        }}
      />
    </div>
  );
}
