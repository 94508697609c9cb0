import path from "node:path";
import { HOME_FILES } from "../../protocol/home-layout.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { KeptSettings } from "../../protocol/owner-api.ts";
import { readPrivateFile, writePrivateFile } from "../../transport/private-file.ts";

/** What was changed while a peer ran, for the next one. A file that is damaged counts as none. */
export async function loadKeptSettings(home: string): Promise<KeptSettings> {
  const text = (await readPrivateFile(path.join(home, HOME_FILES.settings))) ?? "{}";
  return KeptSettings.safeParse(jsonOrUndefined(text)).data ?? KeptSettings.parse({});
}

export async function keepSettings(home: string, settings: KeptSettings): Promise<void> {
  await writePrivateFile(path.join(home, HOME_FILES.settings), `${JSON.stringify(settings, undefined, 2)}\n`);
}
