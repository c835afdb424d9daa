// A part of the page that cannot be shown says so in its place, with a way on; without this the whole
// page would be gone.
import { Alert, Button } from "antd";
import { Component, type ReactNode } from "react";
import { words } from "./words";

interface Props {
  children: ReactNode;
}

interface State {
  error?: Error;
}

/** Give it a `key` for what it shows: with another one it begins anew. */
export class Boundary extends Component<Props, State> {
  state: State = {};

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  render() {
    const { error } = this.state;
    if (!error) {
      return this.props.children;
    }
    return (
      <Alert
        type="error"
        showIcon
        role="alert"
        title={words.notShown}
        description={
          <div className="ps-stack">
            <span>{error.message}</span>
            <div className="ps-row">
              <Button type="primary" onClick={() => window.location.reload()}>
                {words.loadAnew}
              </Button>
            </div>
          </div>
        }
      />
    );
  }
}
