import path from "node:path";
import { HOME_FILES } from "../protocol/home-layout.ts";
import { formatInvite, type Invite, parseInvite } from "../protocol/invite.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

/** Keeps the invite of the network that commands without an argument mean: the one last joined, or last started here. */
export async function rememberNetwork(home: string, invite: Invite): Promise<void> {
  const file = path.join(home, HOME_FILES.network);
  const text = `${formatInvite(invite)}\n`;
  if ((await readPrivateFile(file)) !== text) await writePrivateFile(file, text);
}

/** The invite kept last, or nothing if no network was ever joined from this home. */
export async function lastNetwork(home: string): Promise<Invite | undefined> {
  return parseInvite((await readPrivateFile(path.join(home, HOME_FILES.network))) ?? "");
}
