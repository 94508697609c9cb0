import assert from "node:assert/strict";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { type LabHost, openNetLab, whyNoLab } from "../../bench/net-lab.ts";
import { parseInvite } from "../../src/protocol/invite.ts";
import { present } from "../support/present.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type RunningTukar, startTukar, tukar } from "./tukar-process.ts";

const OPTIONS = { skip: whyNoLab() ?? false, timeout: 120_000 };
const LINK_MBIT = 100;

/** Machines on a LAN of their own, each with a home folder. */
async function lan(t: TestContext, subnet: string) {
  const folder = await tempFolder(t);
  const lab = openNetLab(subnet);
  const running: RunningTukar[] = [];
  t.after(async () => {
    await Promise.all(running.map((one) => one.end("SIGKILL")));
    lab[Symbol.dispose]();
  });
  const options = (machine: LabHost) => ({ machine, discovery: true, cwd: folder });
  const places = (name: string) => ["--home", path.join(folder, name), "--dir", path.join(folder, `${name}-dir`)];
  return {
    machine: (name: string) => lab.host(name, LINK_MBIT),
    places,
    start(machine: LabHost, ...args: string[]) {
      const started = startTukar([...args, ...places(machine.name)], options(machine));
      running.push(started);
      return started;
    },
    run: (machine: LabHost, ...args: string[]) => tukar([...args, ...places(machine.name)], options(machine)),
  };
}

const ready = (running: RunningTukar, role: string) => running.line({ event: "ready", role });

test("up finds the open index server of another machine, joins it and goes back to it", OPTIONS, async (t) => {
  const { machine, start } = await lan(t, "10.213.41");
  const [server, laptop] = [machine("server"), machine("laptop")];
  const index = start(server, "index", "--open");
  const { id } = await ready(index, "index");
  const first = start(laptop, "up");
  await ready(first, "peer");
  const { status, stderr } = await first.end();
  assert.match(stderr, new RegExp(`Found an open network .* ${String(id).slice(0, 8)} at ${server.address}:9450`));
  assert.equal(status, 0);

  const second = start(laptop, "up");
  await ready(second, "peer");
  assert.doesNotMatch((await second.end()).stderr, /Found/, "it is the network last joined");
});

test("with --no-discovery nothing is found, nor announced", OPTIONS, async (t) => {
  const { machine, start } = await lan(t, "10.213.42");
  const [server, hidden, laptop] = [machine("server"), machine("hidden"), machine("laptop")];
  await ready(start(hidden, "index", "--open", "--no-discovery"), "index");
  const alone = start(laptop, "peer");
  await ready(alone, "peer");
  assert.match((await alone.end()).stderr, /No network was found on this LAN/);

  await ready(start(server, "index", "--open"), "index");
  const own = start(laptop, "up", "--no-discovery");
  await ready(own, "index");
});

test("peer joins the only open network; of several it lists what to type", OPTIONS, async (t) => {
  const { machine, start, run } = await lan(t, "10.213.43");
  const [one, other, laptop, phone] = [machine("one"), machine("other"), machine("laptop"), machine("phone")];
  await ready(start(one, "index", "--open"), "index");
  const peer = start(laptop, "peer");
  await ready(peer, "peer");

  await ready(start(other, "index", "--open"), "index");
  const { status, stderr } = await run(phone, "peer");
  assert.equal(status, 2, stderr);
  for (const { address } of [one, other]) assert.match(stderr, new RegExp(`peer "tukar://${address}:9450/`));
});

test("a private network takes its invite: up starts another one", OPTIONS, async (t) => {
  const { machine, start } = await lan(t, "10.213.44");
  const [server, laptop, phone] = [machine("server"), machine("laptop"), machine("phone")];
  await ready(start(server, "index"), "index");
  const alone = start(phone, "peer");
  await ready(alone, "peer");
  assert.match((await alone.end()).stderr, /Private: .*ask for its invite[\s\S]*take an invite/);
  const up = start(laptop, "up");
  await ready(up, "index");
  await ready(up, "peer");
  assert.match((await up.end()).stderr, /Private: .*ask for its invite[\s\S]*Starting another network here/);
});

test(
  "a private network that has moved to another address is found again, and no other one instead",
  OPTIONS,
  async (t) => {
    const { machine, start } = await lan(t, "10.213.45");
    const [server, stranger, laptop] = [machine("server"), machine("stranger"), machine("laptop")];
    const index = start(server, "index", "--port", "9460");
    const invite = String((await ready(index, "index"))["invite"]);
    const first = start(laptop, "peer", invite);
    await ready(first, "peer");
    await first.end();
    await index.end();

    await ready(start(stranger, "index", "--open"), "index");
    const alone = start(laptop, "peer");
    const { status, stderr } = await ended(alone);
    assert.equal(status, 4, stderr);

    const again = start(server, "index", "--port", "9461");
    await ready(again, "index");
    const second = start(laptop, "up");
    await ready(second, "peer");
    assert.match((await second.end()).stderr, new RegExp(`is at ${server.address}:9461 now`));
    assert.ok(present(parseInvite(invite)).key);
  },
);

/** How a command ends that ends by itself. */
async function ended(running: RunningTukar) {
  await new Promise((resolve) => running.child.once("close", resolve));
  return running.end();
}
