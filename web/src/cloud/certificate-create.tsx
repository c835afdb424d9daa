// Secure > Certificates > Create: a certificate without a thing.
import { Card } from "antd";
import { useState } from "react";
import { Head, useDo, WorkButton } from "../shared/parts";
import { go } from "../shared/route";
import { createKeysAndCertificate, type MadeCertificate } from "./calls";
import { CertificateMade } from "./certificate-made";
import { words } from "./words";

export default function CertificateCreate() {
  const [made, setMade] = useState<MadeCertificate>();
  const act = useDo();
  const create = () => act(async () => setMade(await createKeysAndCertificate(false)));
  return (
    <>
      <Head title={words.createActive} />
      {made ? (
        <CertificateMade made={made} onDone={() => go("certificates")} />
      ) : (
        <Card className="ps-narrow">
          <div className="ps-choice">
            <div>
              <strong>{words.oneClick}</strong>
              <br />
              {words.oneClickText}
            </div>
            <WorkButton type="primary" work={create}>
              {words.createCertificate}
            </WorkButton>
          </div>
        </Card>
      )}
    </>
  );
}
