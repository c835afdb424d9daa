// One certificate: its status and dates, its policies, its things.
import { DownloadOutlined, EllipsisOutlined } from "@ant-design/icons";
import { Button, Card, Descriptions, Dropdown } from "antd";
import { useCallback } from "react";
import { download } from "../shared/download";
import { Copyable, Empty, Head, Refresh, Shown, Time, useDo } from "../shared/parts";
import { go, to } from "../shared/route";
import { useLoad } from "../shared/use-load";
import { words as shared } from "../shared/words";
import {
  type CertificateDetail,
  describeCertificate,
  detachPolicy,
  detachThingPrincipal,
  listAttachedPolicies,
  listPrincipalThings,
} from "./calls";
import { useCertificateActions } from "./certificate-actions";
import { CertificateStatus } from "./certificate-status";
import { files } from "./names";
import { words } from "./words";

interface AttachedProps {
  title: string;
  place: string;
  names: string[];
  empty: string;
  attach: string;
  onAttach: () => void;
  onDetach: (name: string) => void;
}

function Attached({ title, place, names, empty, attach, onAttach, onDetach }: AttachedProps) {
  return (
    <Card size="small" title={title} extra={<Button onClick={onAttach}>{attach}</Button>}>
      {names.length === 0 && <Empty text={empty} />}
      <div className="ps-stack">
        {names.map((name) => (
          <div key={name} className="ps-choice">
            <a href={to(place, name)}>{name}</a>
            <Button aria-label={`${words.detach} ${name}`} onClick={() => onDetach(name)}>
              {words.detach}
            </Button>
          </div>
        ))}
      </div>
    </Card>
  );
}

function Details({ certificate }: { certificate: CertificateDetail }) {
  const { validity } = certificate;
  return (
    <Descriptions
      bordered
      size="small"
      column={1}
      items={[
        { key: "arn", label: words.arn, children: <Copyable text={certificate.certificateArn} /> },
        { key: "status", label: words.status, children: <CertificateStatus status={certificate.status} /> },
        { key: "created", label: words.created, children: <Time seconds={certificate.creationDate} /> },
        { key: "changed", label: words.changed, children: <Time seconds={certificate.lastModifiedDate} /> },
        {
          key: "valid",
          label: words.valid,
          children: validity ? (
            <>
              <Time seconds={validity.notBefore} /> – <Time seconds={validity.notAfter} />
            </>
          ) : (
            "–"
          ),
        },
        { key: "mode", label: words.mode, children: certificate.certificateMode ?? "–" },
        { key: "issuer", label: words.issuer, children: <span className="ps-mono">{certificate.caCertificateId ?? "–"}</span> },
      ]}
    />
  );
}

async function everything(id: string) {
  const certificate = await describeCertificate(id);
  const [policies, things] = await Promise.all([
    listAttachedPolicies(certificate.certificateArn),
    listPrincipalThings(certificate.certificateArn),
  ]);
  return { certificate, policies: policies.map(({ policyName }) => policyName), things };
}

export default function CertificatePage({ id }: { id: string }) {
  const loaded = useLoad(useCallback(() => everything(id), [id]));
  const actions = useCertificateActions(loaded.reload, () => go("certificates"));
  const act = useDo();
  const detach = async (work: () => Promise<unknown>) => {
    await act(work, words.detached);
    loaded.reload();
  };
  const certificate = loaded.data?.certificate;
  const name = files(id).certificate;
  return (
    <>
      <Head title={id} code>
        <Refresh loaded={loaded} />
        {certificate && (
          <>
            <Button icon={<DownloadOutlined />} onClick={() => download(name, certificate.certificatePem)}>
              {words.download}
            </Button>
            <Dropdown trigger={["click"]} menu={{ items: actions.menu(certificate) }}>
              <Button icon={<EllipsisOutlined />}>{shared.actions}</Button>
            </Dropdown>
          </>
        )}
      </Head>
      <Shown loaded={loaded}>
        {({ certificate: data, policies, things }) => (
          <>
            <Details certificate={data} />
            <Attached
              title={words.policies}
              place="policies"
              names={policies}
              empty={words.noPoliciesAttached}
              attach={words.attachPolicy}
              onAttach={() => actions.attach("policy", data)}
              onDetach={(policy) => void detach(() => detachPolicy(policy, data.certificateArn))}
            />
            <Attached
              title={words.things}
              place="things"
              names={things}
              empty={words.noThingsAttached}
              attach={words.attachThing}
              onAttach={() => actions.attach("thing", data)}
              onDetach={(thing) => void detach(() => detachThingPrincipal(thing, data.certificateArn))}
            />
          </>
        )}
      </Shown>
      {actions.windows}
    </>
  );
}
