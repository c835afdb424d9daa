// A certificate's status as a coloured word.
import { Tag } from "antd";

const COLOURS: Record<string, string> = { ACTIVE: "success", REVOKED: "error", INACTIVE: "default" };

export function CertificateStatus({ status }: { status: string }) {
  return <Tag color={COLOURS[status] ?? "warning"}>{status}</Tag>;
}
