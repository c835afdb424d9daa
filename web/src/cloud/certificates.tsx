// Secure > Certificates: the list.
import { EllipsisOutlined } from "@ant-design/icons";
import { Button, Dropdown, Table } from "antd";
import { Empty, Head, Refresh, Shown, Time } from "../shared/parts";
import { to } from "../shared/route";
import { useLoad } from "../shared/use-load";
import { words as shared } from "../shared/words";
import { type Certificate, listCertificates } from "./calls";
import { type CertificateActions, useCertificateActions } from "./certificate-actions";
import { CertificateStatus } from "./certificate-status";
import { words } from "./words";

function CertificateTable({ certificates, actions }: { certificates: Certificate[]; actions: CertificateActions }) {
  return (
    <Table<Certificate>
      rowKey="certificateId"
      dataSource={certificates}
      pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
      columns={[
        {
          title: words.certificateId,
          dataIndex: "certificateId",
          render: (id: string) => (
            <a className="ps-mono" href={to("certificates", id)}>
              {id}
            </a>
          ),
        },
        { title: words.status, dataIndex: "status", render: (status: string) => <CertificateStatus status={status} /> },
        {
          title: words.created,
          dataIndex: "creationDate",
          responsive: ["md"],
          sorter: (a, b) => (a.creationDate ?? 0) - (b.creationDate ?? 0),
          render: (seconds?: number) => <Time seconds={seconds} />,
        },
        {
          title: "",
          key: "actions",
          width: 56,
          render: (_, certificate) => (
            <Dropdown trigger={["click"]} menu={{ items: actions.menu(certificate) }}>
              <Button
                type="text"
                icon={<EllipsisOutlined />}
                aria-label={`${shared.actions} ${certificate.certificateId.slice(0, 10)}`}
              />
            </Dropdown>
          ),
        },
      ]}
    />
  );
}

export default function Certificates() {
  const certificates = useLoad(listCertificates);
  const actions = useCertificateActions(certificates.reload, certificates.reload);
  return (
    <>
      <Head title={words.certificates}>
        <Refresh loaded={certificates} />
        <Button type="primary" href={to("create-certificate")}>
          {words.create}
        </Button>
      </Head>
      <Shown loaded={certificates}>
        {(all) =>
          all.length === 0 ? (
            <Empty text={words.noCertificates} />
          ) : (
            <CertificateTable certificates={all} actions={actions} />
          )
        }
      </Shown>
      {actions.windows}
    </>
  );
}
