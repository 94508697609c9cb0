import { useEffect, useState } from "preact/hooks";
import encodeQr from "qr";
import type { Invitation } from "../../protocol/owner-api.ts";
import { useStore } from "../parts/context.ts";
import { Dialog } from "../parts/dialog.tsx";
import { CopyButton } from "../parts/small.tsx";

/** The invite of this network: to copy, to type, to scan. */
export function InviteDialog({ onClose }: { readonly onClose: () => void }) {
  const { api, attempt, info, language } = useStore();
  const { texts } = language;
  const [invitation, setInvitation] = useState<Invitation | undefined>(undefined);
  useEffect(() => void attempt(async () => setInvitation(await api.invite())), []);
  const invite = invitation?.invite;
  return (
    <Dialog title={texts.inviteTitle} onClose={onClose}>
      <p>{texts.inviteText}</p>
      {info.value?.index?.private && <p class="muted">{texts.invitePrivate}</p>}
      {invite && (
        <>
          <QrCode text={invite} label={texts.qrCode} />
          <p class="copy-line">
            <code class="wraps">{invite}</code>
            <CopyButton text={invite} label={texts.copy} />
          </p>
          <p class="muted">{texts.inviteCommand}</p>
          <p class="copy-line">
            <code class="wraps">{`npx tukar peer "${invite}"`}</code>
            <CopyButton text={`npx tukar peer "${invite}"`} label={texts.copy} />
          </p>
        </>
      )}
      {invitation && invitation.others.length > 0 && (
        <details>
          <summary>{texts.inviteOther}</summary>
          {invitation.others.map((other) => (
            <p key={other} class="copy-line">
              <code class="wraps">{other}</code>
              <CopyButton text={other} label={texts.copy} />
            </p>
          ))}
        </details>
      )}
    </Dialog>
  );
}

const BORDER = 4;

/** Drawn here: nobody else gets to see the invite. */
function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const modules = encodeQr(text, "raw", { border: BORDER });
  const path = modules.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg class="qr" viewBox={`0 0 ${modules.length} ${modules.length}`} role="img" aria-label={label}>
      <path d={path.join("")} />
    </svg>
  );
}
