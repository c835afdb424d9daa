// Users: accounts and the audit log for administrators, API tokens for everybody.
import { Tabs } from "antd";
import { Head } from "../../shared/parts";
import { go } from "../../shared/route";
import { useSession } from "../session";
import { Accounts } from "./accounts";
import { Audit } from "./audit";
import { Tokens } from "./tokens";
import { words } from "./words";

export default function Users({ parts }: { parts: string[] }) {
  const { can } = useSession();
  const all = can("administrator");
  const items = [
    ...(all ? [{ key: "accounts", label: words.accounts, children: <Accounts /> }] : []),
    { key: "tokens", label: words.tokens, children: <Tokens /> },
    ...(all ? [{ key: "audit", label: words.audit, children: <Audit /> }] : []),
  ];
  const wanted = items.find(({ key }) => key === parts[0])?.key ?? items[0]?.key;
  return (
    <>
      <Head title={words.title} />
      <Tabs items={items} activeKey={wanted} destroyOnHidden onChange={(key) => go("users", key)} />
    </>
  );
}
