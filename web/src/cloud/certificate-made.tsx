// What is shown once, right after a certificate was made: its files, and what is to be done next.
import { CheckCircleFilled, DownloadOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Typography } from "antd";
import { useEffect, useState } from "react";
import { download } from "../shared/download";
import { Copyable, useConfirm, useDo, WorkButton } from "../shared/parts";
import { Picker } from "../shared/picker";
import { attachPolicy, listPolicies, type MadeCertificate, rootCa, updateCertificate } from "./calls";
import { files, ROOT_CA } from "./names";
import { words } from "./words";

const policyNames = async () => (await listPolicies()).map(({ policyName }) => policyName);

function FileRow({ what, name, save }: { what: string; name: string; save: () => Promise<unknown> | void }) {
  return (
    <div className="ps-file">
      <span>{what}</span>
      <span className="ps-mono">{name}</span>
      <WorkButton icon={<DownloadOutlined />} aria-label={`${words.download} ${name}`} work={async () => save()}>
        {words.download}
      </WorkButton>
    </div>
  );
}

/** The browser asks before the tab goes while the private key is only here. */
function useKeepTab(needed: boolean): void {
  useEffect(() => {
    const keep = (event: BeforeUnloadEvent) => event.preventDefault();
    if (needed) {
      window.addEventListener("beforeunload", keep);
    }
    return () => window.removeEventListener("beforeunload", keep);
  }, [needed]);
}

export interface CertificateMadeProps {
  made: MadeCertificate;
  onDone: () => void;
}

export function CertificateMade({ made, onDone }: CertificateMadeProps) {
  const [active, setActive] = useState(false);
  const [keySaved, setKeySaved] = useState(false);
  const [attaching, setAttaching] = useState(false);
  const act = useDo();
  const confirm = useConfirm();
  const name = files(made.certificateId);
  useKeepTab(!keySaved);

  const activate = async () => {
    const next = active ? "INACTIVE" : "ACTIVE";
    if (await act(() => updateCertificate(made.certificateId, next), words.statusDone[next])) {
      setActive(!active);
    }
  };
  const finish = () => {
    if (keySaved) {
      onDone();
    } else {
      confirm(words.leaveKeysTitle, words.leaveKeys, words.leave, async () => onDone());
    }
  };
  const saveKey = () => {
    download(name.privateKey, made.keyPair.PrivateKey);
    setKeySaved(true);
  };

  return (
    <Card
      className="ps-narrow"
      title={
        <>
          <CheckCircleFilled style={{ color: "var(--ant-color-success)" }} /> {words.certificateCreated}
        </>
      }
    >
      <div className="ps-stack">
        <Alert type="warning" showIcon title={words.downloadNow} />
        <Typography.Text>{words.toConnect}</Typography.Text>
        <div className="ps-files">
          <FileRow what={words.fileCertificate} name={name.certificate} save={() => download(name.certificate, made.certificatePem)} />
          <FileRow what={words.filePublic} name={name.publicKey} save={() => download(name.publicKey, made.keyPair.PublicKey)} />
          <FileRow what={words.filePrivate} name={name.privateKey} save={saveKey} />
          <FileRow
            what={words.fileRoot}
            name={ROOT_CA}
            save={() => act(async () => download(ROOT_CA, await rootCa(ROOT_CA)))}
          />
        </div>
        <div>
          {words.certificateId}: <Copyable text={made.certificateId} />
        </div>
        <div className="ps-row">
          <WorkButton work={activate}>{active ? words.deactivate : words.activate}</WorkButton>
          <span role="status">{active && <Typography.Text type="success">{words.activated}</Typography.Text>}</span>
          <span style={{ flex: 1 }} />
          <Button onClick={() => setAttaching(true)}>{words.attachPolicy}</Button>
          <Button type="primary" onClick={finish}>
            {words.done}
          </Button>
        </div>
      </div>
      <Picker
        open={attaching}
        title={words.attachPolicy}
        ok={words.attach}
        empty={words.noPolicies}
        load={policyNames}
        onClose={() => setAttaching(false)}
        pick={(names) =>
          act(async () => {
            for (const policy of names) {
              await attachPolicy(policy, made.certificateArn);
            }
          }, words.attached)
        }
      />
    </Card>
  );
}
