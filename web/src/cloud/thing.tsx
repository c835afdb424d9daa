// One thing: what it is, its certificates, its shadows.
import { Button, Card, Descriptions, Tabs } from "antd";
import { useCallback, useState } from "react";
import { Copyable, Empty, Head, Refresh, Shown, useConfirm, useDo, WorkButton } from "../shared/parts";
import { Picker } from "../shared/picker";
import { go, to } from "../shared/route";
import { useLoad } from "../shared/use-load";
import { words as shared } from "../shared/words";
import { Attributes, attributesOf, type Pair, pairsOf } from "./attributes";
import {
  attachThingPrincipal,
  describeThing,
  detachThingPrincipal,
  listCertificates,
  listThingPrincipals,
  type ThingDetail,
  updateThing,
} from "./calls";
import { fromArn, isCertificateArn } from "./names";
import { Shadows } from "./shadows";
import { useDeleteThing } from "./things";
import { words } from "./words";

function Details({ thing, onChanged }: { thing: ThingDetail; onChanged: () => void }) {
  const [pairs, setPairs] = useState<Pair[]>();
  const act = useDo();
  const save = async (changed: Pair[]) => {
    if (await act(() => updateThing(thing.thingName, attributesOf(changed), thing.version), words.saved)) {
      setPairs(undefined);
      onChanged();
    }
  };
  const attributes = pairsOf(thing.attributes);
  return (
    <div className="ps-stack">
      <Descriptions
        bordered
        size="small"
        column={1}
        items={[
          { key: "arn", label: words.arn, children: <Copyable text={thing.thingArn} /> },
          { key: "type", label: words.type, children: thing.thingTypeName ?? "–" },
          { key: "client", label: words.defaultClientId, children: <Copyable text={thing.defaultClientId} /> },
          { key: "version", label: words.version, children: thing.version },
        ]}
      />
      <Card
        size="small"
        title={words.attributes}
        extra={!pairs && <Button onClick={() => setPairs(attributes)}>{words.edit}</Button>}
      >
        {pairs ? (
          <div className="ps-stack">
            <Attributes pairs={pairs} onChange={setPairs} />
            <div className="ps-row">
              <WorkButton type="primary" work={() => save(pairs)}>
                {words.save}
              </WorkButton>
              <Button onClick={() => setPairs(undefined)}>{shared.cancel}</Button>
            </div>
          </div>
        ) : attributes.length === 0 ? (
          words.noAttributes
        ) : (
          <Descriptions
            size="small"
            column={1}
            items={attributes.map(({ key, value }) => ({ key, label: key, children: value }))}
          />
        )}
      </Card>
    </div>
  );
}

const certificateArns = async () => (await listCertificates()).map(({ certificateArn }) => certificateArn);

function Security({ name }: { name: string }) {
  const principals = useLoad(useCallback(() => listThingPrincipals(name), [name]));
  const [attaching, setAttaching] = useState(false);
  const act = useDo();
  const confirm = useConfirm();
  const detach = (arn: string) =>
    confirm(words.detachCertificate, fromArn(arn), words.detach, async () => {
      if (await act(() => detachThingPrincipal(name, arn), words.detached)) {
        principals.reload();
      }
    });
  return (
    <Shown loaded={principals}>
      {(arns) => (
        <>
          <div className="ps-row">
            <Button onClick={() => setAttaching(true)}>{words.attachCertificate}</Button>
            <Refresh loaded={principals} />
          </div>
          {arns.length === 0 && <Empty text={words.noPrincipals} />}
          {arns.map((arn) => (
            <div key={arn} className="ps-choice">
              {isCertificateArn(arn) ? (
                <a className="ps-mono" href={to("certificates", fromArn(arn))}>
                  {fromArn(arn)}
                </a>
              ) : (
                <span className="ps-mono">{arn}</span>
              )}
              <Button onClick={() => detach(arn)}>{words.detach}</Button>
            </div>
          ))}
          <Picker
            open={attaching}
            title={words.attachCertificate}
            ok={words.attach}
            empty={words.noCertificates}
            load={certificateArns}
            label={fromArn}
            taken={arns}
            onClose={() => setAttaching(false)}
            pick={async (chosen) => {
              const done = await act(async () => {
                for (const arn of chosen) {
                  await attachThingPrincipal(name, arn);
                }
              }, words.attached);
              principals.reload();
              return done;
            }}
          />
        </>
      )}
    </Shown>
  );
}

export default function ThingPage({ name }: { name: string }) {
  const thing = useLoad(useCallback(() => describeThing(name), [name]));
  const remove = useDeleteThing(() => go("things"));
  return (
    <>
      <Head title={name}>
        <Refresh loaded={thing} />
        <Button danger onClick={() => remove(name)}>
          {words.delete}
        </Button>
      </Head>
      <Shown loaded={thing}>
        {(data) => (
          <Tabs
            items={[
              { key: "details", label: words.details, children: <Details thing={data} onChanged={thing.reload} /> },
              { key: "security", label: words.security, children: <Security name={name} /> },
              { key: "shadow", label: words.shadow, children: <Shadows thing={name} /> },
            ]}
          />
        )}
      </Shown>
    </>
  );
}
