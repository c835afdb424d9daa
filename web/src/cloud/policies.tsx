// Secure > Policies: the list.
import { EllipsisOutlined } from "@ant-design/icons";
import { Button, Dropdown, Table } from "antd";
import { Empty, Head, Refresh, Shown, useConfirm, useDo } from "../shared/parts";
import { go, to } from "../shared/route";
import { useLoad } from "../shared/use-load";
import { words as shared } from "../shared/words";
import { deletePolicy, listPolicies, type Policy } from "./calls";
import { words } from "./words";

export function useDeletePolicy(after: () => void): (name: string) => void {
  const confirm = useConfirm();
  const act = useDo();
  return (name) =>
    confirm(words.deletePolicy(name), words.deletePolicyText, words.delete, async () => {
      if (await act(() => deletePolicy(name), words.deleted)) {
        after();
      }
    });
}

export default function Policies() {
  const policies = useLoad(listPolicies);
  const remove = useDeletePolicy(policies.reload);
  return (
    <>
      <Head title={words.policies}>
        <Refresh loaded={policies} />
        <Button type="primary" href={to("create-policy")}>
          {words.create}
        </Button>
      </Head>
      <Shown loaded={policies}>
        {(all) =>
          all.length === 0 ? (
            <Empty text={words.noPolicies}>
              <Button href={to("create-policy")}>{words.createPolicy}</Button>
            </Empty>
          ) : (
            <Table<Policy>
              rowKey="policyName"
              dataSource={all}
              pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
              columns={[
                {
                  title: words.nameColumn,
                  dataIndex: "policyName",
                  sorter: (a, b) => a.policyName.localeCompare(b.policyName),
                  render: (name: string) => <a href={to("policies", name)}>{name}</a>,
                },
                {
                  title: words.arn,
                  dataIndex: "policyArn",
                  responsive: ["md"],
                  render: (arn: string) => <span className="ps-mono">{arn}</span>,
                },
                {
                  title: "",
                  key: "actions",
                  width: 56,
                  render: (_, { policyName }) => (
                    <Dropdown
                      trigger={["click"]}
                      menu={{
                        items: [
                          { key: "open", label: words.details, onClick: () => go("policies", policyName) },
                          { key: "delete", label: words.delete, danger: true, onClick: () => remove(policyName) },
                        ],
                      }}
                    >
                      <Button type="text" icon={<EllipsisOutlined />} aria-label={`${shared.actions} ${policyName}`} />
                    </Dropdown>
                  ),
                },
              ]}
            />
          )
        }
      </Shown>
    </>
  );
}
