// Creating a thing, in the steps of the manual: a single thing, its name, its certificate, its files.
import { Button, Card, Form, Input, Typography } from "antd";
import { useState } from "react";
import { Head, useDo, WorkButton } from "../shared/parts";
import { go } from "../shared/route";
import { words as shared } from "../shared/words";
import { Attributes, attributesOf, type Pair } from "./attributes";
import { attachThingPrincipal, createKeysAndCertificate, createThing, type MadeCertificate } from "./calls";
import { CertificateMade } from "./certificate-made";
import { isThingName } from "./names";
import { words } from "./words";

function ChooseKind({ onNext }: { onNext: () => void }) {
  return (
    <Card className="ps-narrow">
      <div className="ps-row" style={{ justifyContent: "space-between" }}>
        <Typography.Text>{words.createOneText}</Typography.Text>
        <Button type="primary" onClick={onNext}>
          {words.createOne}
        </Button>
      </div>
    </Card>
  );
}

interface ThingFormProps {
  name: string;
  pairs: Pair[];
  onName: (name: string) => void;
  onPairs: (pairs: Pair[]) => void;
  onNext: () => void;
}

function ThingForm({ name, pairs, onName, onPairs, onNext }: ThingFormProps) {
  const wrong = name !== "" && !isThingName(name);
  return (
    <Card className="ps-narrow" title={words.addThing}>
      <Form layout="vertical" onFinish={onNext}>
        <Form.Item
          label={words.thingName}
          htmlFor="thing-name"
          required
          validateStatus={wrong ? "error" : undefined}
          help={words.thingNameRule}
        >
          <Input id="thing-name" autoFocus value={name} aria-invalid={wrong} onChange={(event) => onName(event.target.value.trim())} />
        </Form.Item>
        <Form.Item label={words.attributes}>
          <Attributes pairs={pairs} onChange={onPairs} />
        </Form.Item>
        <div className="ps-row">
          <Button onClick={() => go("things")}>{shared.cancel}</Button>
          <Button type="primary" htmlType="submit" disabled={!isThingName(name)}>
            {words.next}
          </Button>
        </div>
      </Form>
    </Card>
  );
}

function CertificateStep({ onCreate, onSkip }: { onCreate: () => Promise<unknown>; onSkip: () => Promise<unknown> }) {
  return (
    <Card className="ps-narrow" title={words.addCertificate}>
      <div className="ps-stack">
        <div className="ps-choice">
          <div>
            <strong>{words.oneClick}</strong>
            <br />
            {words.oneClickText}
          </div>
          <WorkButton type="primary" work={onCreate}>
            {words.createCertificate}
          </WorkButton>
        </div>
        <div className="ps-choice">
          <div>
            <strong>{words.withoutCertificate}</strong>
            <br />
            {words.withoutText}
          </div>
          <WorkButton work={onSkip}>{words.withoutCertificate}</WorkButton>
        </div>
      </div>
    </Card>
  );
}

export default function ThingCreate() {
  const [step, setStep] = useState<"kind" | "name" | "certificate">("kind");
  const [name, setName] = useState("");
  const [pairs, setPairs] = useState<Pair[]>([]);
  const [made, setMade] = useState<MadeCertificate>();
  const act = useDo();
  const create = () => createThing(name, attributesOf(pairs));
  const withCertificate = () =>
    act(async () => {
      await create();
      const certificate = await createKeysAndCertificate(false);
      await attachThingPrincipal(name, certificate.certificateArn);
      setMade(certificate);
    }, words.thingCreated(name));
  const without = async () => {
    if (await act(create, words.thingCreated(name))) {
      go("things");
    }
  };
  return (
    <>
      <Head title={words.createThings} />
      {made ? (
        <CertificateMade made={made} onDone={() => go("things")} />
      ) : step === "kind" ? (
        <ChooseKind onNext={() => setStep("name")} />
      ) : step === "name" ? (
        <ThingForm name={name} pairs={pairs} onName={setName} onPairs={setPairs} onNext={() => setStep("certificate")} />
      ) : (
        <CertificateStep onCreate={withCertificate} onSkip={without} />
      )}
    </>
  );
}
