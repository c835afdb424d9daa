// Publishing: topic, message, QoS, retained, and MQTT 5's properties for those who need them.
import { Button, Card, Checkbox, Form, Input, InputNumber, Radio } from "antd";
import { useState } from "react";
import { JsonEditor } from "../shared/json";
import { useDo } from "../shared/parts";
import { publish } from "./calls";
import { isTopic } from "./topics";
import { words } from "./words";

/** Kept while one looks at other pages. */
let draft = {
  topic: "",
  payload: JSON.stringify({ message: words.hello }, null, 2),
  qos: 0 as 0 | 1,
  retain: false,
  contentType: "",
  responseTopic: "",
  messageExpiry: undefined as number | undefined,
};

export const QOS_OPTIONS = [
  { value: 0 as const, label: words.qosText[0] },
  { value: 1 as const, label: words.qosText[1] },
];

type Draft = typeof draft;

function Properties({ value, onChange }: { value: Draft; onChange: (part: Partial<Draft>) => void }) {
  return (
    <details style={{ marginBottom: 16 }}>
      <summary>{words.moreOptions}</summary>
      <div className="ps-fields" style={{ marginTop: 8 }}>
        <Form.Item label={words.contentType} htmlFor="publish-type">
          <Input id="publish-type" value={value.contentType} onChange={(event) => onChange({ contentType: event.target.value })} />
        </Form.Item>
        <Form.Item label={words.responseTopic} htmlFor="publish-response">
          <Input
            id="publish-response"
            value={value.responseTopic}
            onChange={(event) => onChange({ responseTopic: event.target.value })}
          />
        </Form.Item>
        <Form.Item label={words.expiry} htmlFor="publish-expiry">
          <InputNumber
            id="publish-expiry"
            min={1}
            max={604_800}
            value={value.messageExpiry}
            onChange={(seconds) => onChange({ messageExpiry: seconds ?? undefined })}
          />
        </Form.Item>
      </div>
    </details>
  );
}

export function Publish() {
  const [value, setValue] = useState(draft);
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const act = useDo();
  const change = (part: Partial<Draft>) => {
    draft = { ...value, ...part };
    setValue(draft);
  };
  const wrong = !isTopic(value.topic);
  const send = async () => {
    setTried(true);
    if (!wrong) {
      setBusy(true);
      await act(() => publish(value), words.published(value.topic));
      setBusy(false);
    }
  };
  return (
    <Card size="small" title={words.publish}>
      <p>{words.publishText}</p>
      <Form layout="vertical" onFinish={() => void send()}>
        <Form.Item
          label={words.publishTo}
          htmlFor="publish-topic"
          validateStatus={tried && wrong ? "error" : undefined}
          help={tried && wrong ? words.topicWrong : undefined}
        >
          <div className="ps-row" style={{ flexWrap: "nowrap" }}>
            <Input
              id="publish-topic"
              className="ps-mono"
              placeholder="awsiot/send"
              value={value.topic}
              onChange={(event) => change({ topic: event.target.value })}
            />
            <Button type="primary" htmlType="submit" loading={busy}>
              {words.publishTo}
            </Button>
          </div>
        </Form.Item>
        <div className="ps-row" style={{ marginBottom: 12, gap: "4px 24px" }}>
          <Radio.Group
            aria-label={words.qos}
            options={QOS_OPTIONS}
            value={value.qos}
            onChange={(event) => change({ qos: event.target.value as 0 | 1 })}
          />
          <Checkbox checked={value.retain} onChange={(event) => change({ retain: event.target.checked })}>
            {words.retain}
          </Checkbox>
        </div>
        <Properties value={value} onChange={change} />
        <JsonEditor label={words.payload} rows={4} must={false} value={value.payload} onChange={(payload) => change({ payload })} />
      </Form>
    </Card>
  );
}
