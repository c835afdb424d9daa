// What can be done with a certificate, for its page and for the `...` of its row in the list.
import type { MenuProps } from "antd";
import { useState } from "react";
import { useConfirm, useDo } from "../shared/parts";
import { Picker } from "../shared/picker";
import {
  attachPolicy,
  attachThingPrincipal,
  type Certificate,
  deleteCertificate,
  listPolicies,
  listThings,
  updateCertificate,
} from "./calls";
import { words } from "./words";

type Status = "ACTIVE" | "INACTIVE" | "REVOKED";
type Attaching = { what: "policy" | "thing"; certificate: Certificate };

const policyNames = async () => (await listPolicies()).map(({ policyName }) => policyName);
const thingNames = async () => (await listThings()).map(({ thingName }) => thingName);

export interface CertificateActions {
  menu: (certificate: Certificate) => NonNullable<MenuProps["items"]>;
  attach: (what: "policy" | "thing", certificate: Certificate) => void;
  /** The windows that the actions open; to be placed once in the page. */
  windows: React.ReactNode;
}

/** `onChanged` after each success; `onDeleted` after a deletion. */
export function useCertificateActions(onChanged: () => void, onDeleted: () => void): CertificateActions {
  const [attaching, setAttaching] = useState<Attaching>();
  const act = useDo();
  const confirm = useConfirm();

  const become = async ({ certificateId }: Certificate, status: Status) => {
    if (await act(() => updateCertificate(certificateId, status), words.statusDone[status])) {
      onChanged();
    }
  };
  const remove = async ({ certificateId }: Certificate) => {
    if (await act(() => deleteCertificate(certificateId), words.deleted)) {
      onDeleted();
    }
  };
  const ask = (title: string, text: string, ok: string, work: () => Promise<void>) => confirm(title, text, ok, work);

  const menu = (certificate: Certificate) => [
    { key: "activate", label: words.activate, disabled: certificate.status === "ACTIVE", onClick: () => void become(certificate, "ACTIVE") },
    {
      key: "deactivate",
      label: words.deactivate,
      disabled: certificate.status !== "ACTIVE",
      onClick: () => ask(words.deactivateTitle, words.revokeText, words.deactivate, () => become(certificate, "INACTIVE")),
    },
    {
      key: "revoke",
      label: words.revoke,
      disabled: certificate.status === "REVOKED",
      onClick: () => ask(words.revokeTitle, words.revokeText, words.revoke, () => become(certificate, "REVOKED")),
    },
    { type: "divider" as const },
    { key: "policy", label: words.attachPolicy, onClick: () => setAttaching({ what: "policy", certificate }) },
    { key: "thing", label: words.attachThing, onClick: () => setAttaching({ what: "thing", certificate }) },
    { type: "divider" as const },
    {
      key: "delete",
      label: words.delete,
      danger: true,
      onClick: () =>
        ask(words.deleteCertificate, `${words.deleteCertificateText} ${words.cannotUndo}`, words.delete, () => remove(certificate)),
    },
  ];

  const pick = async (names: string[]) => {
    const target = attaching;
    const done = await act(async () => {
      for (const name of target ? names : []) {
        const arn = target?.certificate.certificateArn ?? "";
        await (target?.what === "policy" ? attachPolicy(name, arn) : attachThingPrincipal(name, arn));
      }
    }, words.attached);
    onChanged();
    return done;
  };
  const isPolicy = attaching?.what !== "thing";
  const windows = (
    <Picker
      open={attaching !== undefined}
      title={isPolicy ? words.attachPolicy : words.attachThing}
      ok={words.attach}
      empty={isPolicy ? words.noPolicies : words.noThings}
      load={isPolicy ? policyNames : thingNames}
      pick={pick}
      onClose={() => setAttaching(undefined)}
    />
  );
  return { menu, attach: (what, certificate) => setAttaching({ what, certificate }), windows };
}
