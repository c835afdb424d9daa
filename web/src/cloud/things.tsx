// Manage > Things: the list.
import { EllipsisOutlined } from "@ant-design/icons";
import { Button, Dropdown, Input, Table } from "antd";
import { useState } from "react";
import { Empty, Head, Refresh, Shown, useConfirm, useDo } from "../shared/parts";
import { go, to } from "../shared/route";
import { useLoad } from "../shared/use-load";
import { words as shared } from "../shared/words";
import { deleteThing, listThings, type Thing } from "./calls";
import { words } from "./words";

function CreateButton() {
  return (
    <Button type="primary" href={to("create-thing")}>
      {words.create}
    </Button>
  );
}

export function useDeleteThing(after: () => void): (name: string) => void {
  const confirm = useConfirm();
  const act = useDo();
  return (name) =>
    confirm(words.deleteThing(name), words.deleteThingText, words.delete, async () => {
      if (await act(() => deleteThing(name), words.deleted)) {
        after();
      }
    });
}

function ThingTable({ things, onDelete }: { things: Thing[]; onDelete: (name: string) => void }) {
  return (
    <Table<Thing>
      rowKey="thingName"
      dataSource={things}
      pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
      columns={[
        {
          title: words.nameColumn,
          dataIndex: "thingName",
          sorter: (a, b) => a.thingName.localeCompare(b.thingName),
          render: (name: string) => <a href={to("things", name)}>{name}</a>,
        },
        { title: words.type, dataIndex: "thingTypeName", responsive: ["sm"], render: (type?: string) => type ?? "–" },
        {
          title: words.attributes,
          dataIndex: "attributes",
          responsive: ["sm"],
          render: (attributes: Thing["attributes"]) =>
            Object.entries(attributes ?? {})
              .map(([key, value]) => `${key}: ${value}`)
              .join(", ") || "–",
        },
        { title: words.version, dataIndex: "version", responsive: ["md"], width: 100 },
        {
          title: "",
          key: "actions",
          width: 56,
          render: (_, { thingName }) => (
            <Dropdown
              trigger={["click"]}
              menu={{
                items: [
                  { key: "open", label: words.details, onClick: () => go("things", thingName) },
                  { key: "delete", label: words.delete, danger: true, onClick: () => onDelete(thingName) },
                ],
              }}
            >
              <Button type="text" icon={<EllipsisOutlined />} aria-label={`${shared.actions} ${thingName}`} />
            </Dropdown>
          ),
        },
      ]}
    />
  );
}

export default function Things() {
  const things = useLoad(listThings);
  const [search, setSearch] = useState("");
  const remove = useDeleteThing(things.reload);
  return (
    <>
      <Head title={words.things}>
        <Refresh loaded={things} />
        <CreateButton />
      </Head>
      <Shown loaded={things}>
        {(all) =>
          all.length === 0 ? (
            <Empty text={words.noThings}>
              <Button href={to("create-thing")}>{words.createOne}</Button>
            </Empty>
          ) : (
            <>
              <Input
                allowClear
                className="ps-narrow"
                placeholder={shared.search}
                aria-label={shared.search}
                value={search}
                onChange={(event) => setSearch(event.target.value)}
              />
              <ThingTable
                things={all.filter(({ thingName }) => thingName.toLowerCase().includes(search.toLowerCase()))}
                onDelete={remove}
              />
            </>
          )
        }
      </Shown>
    </>
  );
}
