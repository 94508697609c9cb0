import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";

/** A folder that is removed after the test. */
export async function tempHome(t: TestContext): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), "tukar-cli-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  return home;
}
