// Subscribing, and what a subscription received.
import { Alert, Button, Card, Form, Input, InputNumber, Radio, Select, Tag, Typography } from "antd";
import { useState } from "react";
import { download } from "../shared/download";
import { JsonView } from "../shared/json";
import { Empty, ErrorNote } from "../shared/parts";
import { type Display, type Message, shown } from "./payload";
import { QOS_OPTIONS } from "./test-publish";
import { clearMessages, pause, subscribe, type Subscription, type TestState } from "./test-store";
import { filterMistake } from "./topics";
import { words } from "./words";

export type Shown = Display;

interface DisplayProps {
  display: Display;
  onDisplay: (display: Display) => void;
}

const DISPLAYS = (["json", "string", "hex"] as const).map((value) => ({ value, label: words.displays[value] }));

const CAPTURE_USUAL = 100;
const CAPTURE_MOST = 1000;

export function Subscribe({ display, onDisplay }: DisplayProps) {
  const [filter, setFilter] = useState("");
  const [qos, setQos] = useState<0 | 1>(0);
  const [capture, setCapture] = useState(CAPTURE_USUAL);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const wrong = filterMistake(filter);
  const go = async () => {
    setTried(true);
    if (wrong !== undefined) {
      return;
    }
    setBusy(true);
    setError(undefined);
    await subscribe(filter, qos, capture).catch(setError);
    setBusy(false);
  };
  return (
    <Card size="small" title={words.subscribe}>
      <p>{words.subscriptionHelp}</p>
      <Form layout="vertical" onFinish={() => void go()}>
        <Form.Item
          label={words.subscriptionTopic}
          htmlFor="subscription-topic"
          validateStatus={tried && wrong ? "error" : undefined}
          help={tried && wrong ? words.filterWrong[wrong] : undefined}
        >
          <div className="ps-row" style={{ flexWrap: "nowrap" }}>
            <Input
              id="subscription-topic"
              className="ps-mono"
              placeholder="awsiot/test"
              value={filter}
              onChange={(event) => setFilter(event.target.value)}
            />
            <Button type="primary" htmlType="submit" loading={busy}>
              {words.subscribeButton}
            </Button>
          </div>
        </Form.Item>
        <ErrorNote error={error} />
        <Form.Item label={words.capture} htmlFor="capture">
          <InputNumber id="capture" min={1} max={CAPTURE_MOST} value={capture} onChange={(most) => setCapture(most ?? CAPTURE_USUAL)} />
        </Form.Item>
        <Form.Item label={words.qos}>
          <Radio.Group
            aria-label={words.qos}
            options={QOS_OPTIONS}
            value={qos}
            onChange={(event) => setQos(event.target.value as 0 | 1)}
          />
        </Form.Item>
        <Form.Item label={words.display} style={{ marginBottom: 0 }}>
          <Radio.Group
            vertical
            aria-label={words.display}
            options={DISPLAYS}
            value={display}
            onChange={(event) => onDisplay(event.target.value as Display)}
          />
        </Form.Item>
      </Form>
    </Card>
  );
}

function MessageBox({ message, display }: { message: Message; display: Display }) {
  return (
    <article className="ps-message">
      <div className="ps-message-head">
        <span className="ps-mono">{message.topic}</span>
        {message.retain && <Tag color="processing">{words.retained}</Tag>}
        <Typography.Text type="secondary">QoS {message.qos}</Typography.Text>
        <Typography.Text type="secondary">
          <time dateTime={new Date(message.at).toISOString()}>{new Date(message.at).toLocaleString()}</time>
        </Typography.Text>
      </div>
      {display === "json" && message.bytes === undefined ? (
        <JsonView text={message.text} />
      ) : (
        <pre className="ps-code">{shown(message, display)}</pre>
      )}
    </article>
  );
}

/** The messages as a JSON file, oldest first. */
function save({ filter, messages }: Subscription): void {
  const rows = [...messages].reverse().map(({ topic, text, bytes, qos, retain, at }) => ({
    topic,
    timestamp: at,
    qos,
    retain,
    payload: bytes ? Array.from(bytes) : text,
  }));
  download(`${filter.replace(/[^\w-]+/g, "_")}.json`, JSON.stringify(rows, null, 2), "application/json");
}

interface MessagesProps extends DisplayProps {
  one: Subscription;
  state: TestState;
}

export function Messages({ one, state, display, onDisplay }: MessagesProps) {
  const { messages } = one;
  return (
    <Card
      size="small"
      title={<span className="ps-mono">{one.filter}</span>}
      extra={
        <div className="ps-row">
          <Button onClick={() => pause(!state.paused)} aria-pressed={state.paused}>
            {state.paused ? words.resume : words.pause}
          </Button>
          <Button onClick={() => clearMessages(one.filter)}>{words.clear}</Button>
          <Button disabled={messages.length === 0} onClick={() => save(one)}>
            {words.export}
          </Button>
        </div>
      }
    >
      <div role="status">
        {state.stream === "lost" && <Alert type="warning" showIcon title={words.streamLost} />}
      </div>
      <div className="ps-row" style={{ justifyContent: "space-between", margin: "8px 0" }}>
        <Typography.Text type="secondary">
          {[
            words.counted(messages.length),
            ...(one.dropped > 0 ? [words.dropped(one.dropped)] : []),
            ...(state.missed > 0 ? [words.missed(state.missed)] : []),
            ...(state.paused ? [words.held(state.held)] : []),
          ].join(", ")}
        </Typography.Text>
        <Select aria-label={words.display} value={display} options={DISPLAYS} onChange={onDisplay} popupMatchSelectWidth={false} />
      </div>
      {messages.length === 0 ? (
        <Empty text={words.waiting} />
      ) : (
        messages.map((message) => <MessageBox key={message.key} message={message} display={display} />)
      )}
    </Card>
  );
}
