// Test: subscribe and publish, as AWS's MQTT test client.
import { CloseOutlined } from "@ant-design/icons";
import { Badge, Button, Card } from "antd";
import { useState, useSyncExternalStore } from "react";
import { Head } from "../shared/parts";
import { openSubscription, type Subscription, testState, unsubscribe, watchTest } from "./test-store";
import { Publish } from "./test-publish";
import { Messages, type Shown, Subscribe } from "./test-subscribe";
import { words } from "./words";

function SubscriptionRow({ one, open, onOpen }: { one: Subscription; open: boolean; onOpen: () => void }) {
  return (
    <li className="ps-subscription">
      <Button type={open ? "default" : "text"} aria-current={open} onClick={onOpen}>
        <span className="ps-mono">{one.filter}</span>
        <Badge count={one.unread} overflowCount={999} size="small" style={{ marginInlineStart: 6 }} />
      </Button>
      <Button
        type="text"
        icon={<CloseOutlined />}
        aria-label={`${words.unsubscribe} ${one.filter}`}
        onClick={() => unsubscribe(one.filter)}
      />
    </li>
  );
}

export default function Test() {
  const state = useSyncExternalStore(watchTest, testState);
  const [page, setPage] = useState<"subscribe" | "publish">("subscribe");
  const [display, setDisplay] = useState<Shown>("json");
  const open = state.subscriptions.find(({ filter }) => filter === state.open);
  const choose = (next: "subscribe" | "publish") => {
    setPage(next);
    openSubscription(undefined);
  };
  const button = (key: "subscribe" | "publish", text: string) => (
    <Button block type={!open && page === key ? "primary" : "default"} aria-current={!open && page === key} onClick={() => choose(key)}>
      {text}
    </Button>
  );
  return (
    <>
      <Head title={words.testAbout} />
      <div className="ps-test">
        <Card size="small" title={words.subscriptions}>
          <div className="ps-stack" style={{ gap: 8 }}>
            {button("subscribe", words.subscribeTopic)}
            {button("publish", words.publishTopic)}
            <ul className="ps-list">
              {state.subscriptions.map((one) => (
                <SubscriptionRow key={one.filter} one={one} open={one === open} onOpen={() => openSubscription(one.filter)} />
              ))}
            </ul>
          </div>
        </Card>
        <div className="ps-stack">
          {!open && page === "subscribe" && <Subscribe display={display} onDisplay={setDisplay} />}
          {(open || page === "publish") && <Publish />}
          {open && <Messages one={open} state={state} display={display} onDisplay={setDisplay} />}
        </div>
      </div>
    </>
  );
}
