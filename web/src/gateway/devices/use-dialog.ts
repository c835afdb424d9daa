// A dialog with a form: what is changed is not lost by a press beside it.
import { App } from "antd";
import { useCallback } from "react";
import { useUnsaved } from "../guard";
import { words } from "./words";

/** Closes the dialog, after a question when something was changed. */
export function useDialog(dirty: boolean, onClose: () => void): () => void {
  const { modal } = App.useApp();
  useUnsaved(dirty);
  return useCallback(() => {
    if (!dirty) {
      onClose();
      return;
    }
    modal.confirm({
      title: words.discardTitle,
      content: words.discardText,
      okText: words.discard,
      okButtonProps: { danger: true },
      cancelText: words.keep,
      onOk: onClose,
    });
  }, [dirty, modal, onClose]);
}
