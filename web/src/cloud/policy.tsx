// One policy: the document in force, its versions, what it is attached to.
import { Button, Card, Checkbox, Descriptions, Modal, Tabs, Tag } from "antd";
import { useCallback, useState } from "react";
import { JsonView } from "../shared/json";
import { isJson, pretty } from "../shared/json-text";
import { Copyable, Empty, Head, Refresh, Shown, Time, useDo, WorkButton } from "../shared/parts";
import { go, to } from "../shared/route";
import { useLoad } from "../shared/use-load";
import { words as shared } from "../shared/words";
import {
  createPolicyVersion,
  deletePolicyVersion,
  detachPolicy,
  getPolicy,
  getPolicyVersion,
  listPolicyVersions,
  listTargetsForPolicy,
  type PolicyDetail,
  type PolicyVersion,
  setDefaultPolicyVersion,
} from "./calls";
import { fromArn, isCertificateArn } from "./names";
import { useDeletePolicy } from "./policies";
import { PolicyEditor } from "./policy-editor";
import { words } from "./words";

function NewVersion({ policy, onDone }: { policy: PolicyDetail; onDone: () => void }) {
  const [text, setText] = useState(pretty(policy.policyDocument));
  const [asDefault, setAsDefault] = useState(true);
  const act = useDo();
  const save = async () => {
    if (await act(() => createPolicyVersion(policy.policyName, text, asDefault), words.versionCreated)) {
      onDone();
    }
  };
  return (
    <Card size="small" title={words.editPolicy}>
      <div className="ps-stack">
        <PolicyEditor value={text} onChange={setText} />
        <Checkbox checked={asDefault} onChange={(event) => setAsDefault(event.target.checked)}>
          {words.setDefault}
        </Checkbox>
        <div className="ps-row">
          <WorkButton type="primary" disabled={!isJson(text)} work={save}>
            {words.save}
          </WorkButton>
          <Button onClick={onDone}>{shared.cancel}</Button>
        </div>
      </div>
    </Card>
  );
}

function Document({ policy, onChanged }: { policy: PolicyDetail; onChanged: () => void }) {
  const [editing, setEditing] = useState(false);
  const done = () => {
    setEditing(false);
    onChanged();
  };
  return (
    <div className="ps-stack">
      <Descriptions
        bordered
        size="small"
        column={1}
        items={[
          { key: "arn", label: words.arn, children: <Copyable text={policy.policyArn} /> },
          { key: "version", label: words.version, children: policy.defaultVersionId },
          { key: "changed", label: words.changed, children: <Time seconds={policy.lastModifiedDate} /> },
        ]}
      />
      {editing ? (
        <NewVersion policy={policy} onDone={done} />
      ) : (
        <>
          <JsonView label={words.policyDocument} text={policy.policyDocument} />
          <div>
            <Button onClick={() => setEditing(true)}>{words.editPolicy}</Button>
          </div>
        </>
      )}
    </div>
  );
}

interface VersionRowProps {
  version: PolicyVersion;
  onShow: () => Promise<unknown>;
  onDefault: () => Promise<unknown>;
  onDelete: () => Promise<unknown>;
}

function VersionRow({ version, onShow, onDefault, onDelete }: VersionRowProps) {
  const name = `${words.version} ${version.versionId}`;
  return (
    <div className="ps-choice">
      <span>
        {name} {version.isDefaultVersion && <Tag color="success">{words.isDefault}</Tag>}{" "}
        <Time seconds={version.createDate} />
      </span>
      <span className="ps-row">
        <WorkButton aria-label={`${words.show} ${name}`} work={onShow}>
          {words.show}
        </WorkButton>
        {!version.isDefaultVersion && (
          <>
            <WorkButton aria-label={`${words.setDefault} ${name}`} work={onDefault}>
              {words.setDefault}
            </WorkButton>
            <WorkButton danger aria-label={`${words.delete} ${name}`} work={onDelete}>
              {words.delete}
            </WorkButton>
          </>
        )}
      </span>
    </div>
  );
}

function Versions({ name, onChanged }: { name: string; onChanged: () => void }) {
  const versions = useLoad(useCallback(() => listPolicyVersions(name), [name]));
  const [open, setOpen] = useState<{ id: string; text: string }>();
  const act = useDo();
  const change = async (work: () => Promise<unknown>, said: string) => {
    if (await act(work, said)) {
      versions.reload();
      onChanged();
    }
  };
  const show = (id: string) => act(async () => setOpen({ id, text: (await getPolicyVersion(name, id)).policyDocument }));
  return (
    <Shown loaded={versions}>
      {(all) => (
        <>
          {all.map((version) => (
            <VersionRow
              key={version.versionId}
              version={version}
              onShow={() => show(version.versionId)}
              onDefault={() => change(() => setDefaultPolicyVersion(name, version.versionId), words.saved)}
              onDelete={() => change(() => deletePolicyVersion(name, version.versionId), words.deleted)}
            />
          ))}
          <Modal
            open={open !== undefined}
            title={`${words.version} ${open?.id ?? ""}`}
            footer={null}
            width={720}
            onCancel={() => setOpen(undefined)}
          >
            <JsonView text={open?.text ?? ""} />
          </Modal>
        </>
      )}
    </Shown>
  );
}

function Targets({ name }: { name: string }) {
  const targets = useLoad(useCallback(() => listTargetsForPolicy(name), [name]));
  const act = useDo();
  const detach = async (target: string) => {
    await act(() => detachPolicy(name, target), words.detached);
    targets.reload();
  };
  return (
    <Shown loaded={targets}>
      {(all) =>
        all.length === 0 ? (
          <Empty text={words.noTargets} />
        ) : (
          all.map((target) => (
            <div key={target} className="ps-choice">
              {isCertificateArn(target) ? (
                <a className="ps-mono" href={to("certificates", fromArn(target))}>
                  {fromArn(target)}
                </a>
              ) : (
                <span className="ps-mono">{target}</span>
              )}
              <WorkButton work={() => detach(target)}>{words.detach}</WorkButton>
            </div>
          ))
        )
      }
    </Shown>
  );
}

export default function PolicyPage({ name }: { name: string }) {
  const policy = useLoad(useCallback(() => getPolicy(name), [name]));
  const remove = useDeletePolicy(() => go("policies"));
  return (
    <>
      <Head title={name}>
        <Refresh loaded={policy} />
        <Button danger onClick={() => remove(name)}>
          {words.delete}
        </Button>
      </Head>
      <Shown loaded={policy}>
        {(data) => (
          <Tabs
            items={[
              { key: "document", label: words.policyDocument, children: <Document policy={data} onChanged={policy.reload} /> },
              {
                key: "versions",
                label: words.versions,
                destroyOnHidden: true,
                children: <Versions name={name} onChanged={policy.reload} />,
              },
              { key: "targets", label: words.targets, destroyOnHidden: true, children: <Targets name={name} /> },
            ]}
          />
        )}
      </Shown>
    </>
  );
}
