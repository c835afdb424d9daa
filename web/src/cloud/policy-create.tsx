// Secure > Policies > Create: the page "Create a policy" of the manual.
import { Button, Card, Form, Input } from "antd";
import { useState } from "react";
import { isJson } from "../shared/json-text";
import { Head, useDo, WorkButton } from "../shared/parts";
import { go } from "../shared/route";
import { words as shared } from "../shared/words";
import { createPolicy } from "./calls";
import { isPolicyName } from "./names";
import { PolicyEditor, START } from "./policy-editor";
import { words } from "./words";

export default function PolicyCreate() {
  const [name, setName] = useState("");
  const [text, setText] = useState(START);
  const act = useDo();
  const wrong = name !== "" && !isPolicyName(name);
  const create = async () => {
    if (await act(() => createPolicy(name, text), words.policyCreated(name))) {
      go("policies");
    }
  };
  return (
    <>
      <Head title={words.createPolicy} />
      <p className="ps-narrow">{words.createPolicyText}</p>
      <Card>
        <Form layout="vertical">
          <Form.Item
            className="ps-narrow"
            label={words.policyName}
            htmlFor="policy-name"
            required
            validateStatus={wrong ? "error" : undefined}
            help={words.policyNameRule}
          >
            <Input id="policy-name" autoFocus value={name} aria-invalid={wrong} onChange={(event) => setName(event.target.value.trim())} />
          </Form.Item>
          <h2 className="ps-small">{words.addStatements}</h2>
          <PolicyEditor value={text} onChange={setText} />
          <div className="ps-row" style={{ marginTop: 16 }}>
            <Button onClick={() => go("policies")}>{shared.cancel}</Button>
            <WorkButton type="primary" disabled={!isPolicyName(name) || !isJson(text)} work={create}>
              {words.create}
            </WorkButton>
          </div>
        </Form>
      </Card>
    </>
  );
}
