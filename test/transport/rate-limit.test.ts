import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRateLimit, type RateLimit } from "../../src/transport/rate-limit.ts";
import { createManualClock } from "../support/manual-clock.ts";

/** The most that may come at once: 50 ms of the rate, and one slice of 10 ms in advance. */
const burstOf = (rate: number): number => rate * 0.05 + Math.max(512, rate * 0.01);

/** Somebody who always wants more. Counts what it got. */
function hungry(limit: RateLimit, peer: string, wanted = 256 * 1024) {
  const user = limit.user(peer);
  let bytes = 0;
  let closed = false;
  const ask = (): void => user.take(wanted, got);
  function got(granted: number): void {
    assert.ok(granted > 0 && granted <= wanted, `${granted} of ${wanted}`);
    assert.ok(!closed, "granted to one that has gone");
    bytes += granted;
    ask();
  }
  ask();
  return {
    bytes: () => bytes,
    close() {
      closed = true;
      user.close();
    },
  };
}

test("without a limit everything is granted at once and whole", () => {
  const limit = createRateLimit(createManualClock());
  const got: number[] = [];
  const user = limit.user("ada");
  for (const wanted of [1, 1e6, 1e12]) user.take(wanted, (bytes) => got.push(bytes));
  assert.deepEqual(got, [1, 1e6, 1e12]);
});

for (const rate of [1_000, 40_000, 1_000_000, 10_000_000, 100_000_000]) {
  test(`at ${rate} bytes a second ten seconds bring ten times that, within 5 %`, () => {
    const clock = createManualClock();
    const user = hungry(createRateLimit(clock, rate), "ada");
    clock.advance(10_000);
    assert.ok(Math.abs(user.bytes() / (rate * 10) - 1) < 0.05, String(user.bytes()));
  });
}

test("no stretch of time brings more than the rate and a burst, however those who ask come and go", () => {
  const step = fc.record({
    ms: fc.integer({ min: 0, max: 120 }),
    who: fc.integer({ min: 0, max: 4 }),
    wanted: fc.integer({ min: 1, max: 300_000 }),
  });
  const steps = fc.array(step, { minLength: 1, maxLength: 120 });
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 20_000_000 }), steps, (rate, plan) => {
      const clock = createManualClock(0);
      const limit = createRateLimit(clock, rate);
      const users = Array.from({ length: 5 }, (_, at) => ({ user: limit.user(`peer ${at % 3}`), asks: false }));
      const moved: { readonly atMs: number; readonly bytes: number }[] = [];
      for (const { ms, who, wanted } of plan) {
        const one = users[who];
        if (one && !one.asks) {
          one.asks = true;
          one.user.take(wanted, (bytes) => {
            one.asks = false;
            moved.push({ atMs: clock.now(), bytes });
          });
        }
        clock.advance(ms);
      }
      for (let from = 0; from < moved.length; from += 1) {
        let bytes = 0;
        for (const { atMs, bytes: more } of moved.slice(from)) {
          bytes += more;
          const allowed = (rate * (atMs - (moved[from]?.atMs ?? 0))) / 1000 + burstOf(rate);
          assert.ok(bytes <= allowed + 1, `${bytes} of ${allowed} at ${rate}`);
        }
      }
    }),
  );
});

test("one who did not ask for a while gets no more than a burst at once", () => {
  const clock = createManualClock();
  const limit = createRateLimit(clock, 1_000_000);
  clock.advance(3_600_000);
  assert.ok(hungry(limit, "ada").bytes() <= burstOf(1_000_000));
});

const CHANGES = [
  { from: 1_000_000, to: 100_000 },
  { from: 100_000, to: 5_000_000 },
  { from: 100_000_000, to: 10_000 },
  { from: 0, to: 1_000_000 },
];

for (const { from, to } of CHANGES) {
  test(`a change from ${from} to ${to} bytes a second counts at once for those who move bytes already`, () => {
    const clock = createManualClock();
    const limit = createRateLimit(clock, from || 1e9);
    const user = hungry(limit, "ada");
    clock.advance(5_000);
    const before = user.bytes();
    limit.setBytesPerSecond(to);
    assert.equal(limit.bytesPerSecond(), to);
    clock.advance(1_000);
    const after = user.bytes() - before;
    assert.ok(after >= to * 0.9 && after <= to + burstOf(to), String(after));
  });
}

test("those who wait are let go when the limit is taken away, and heed one that comes back", () => {
  const clock = createManualClock();
  const limit = createRateLimit(clock, 1_000);
  const got: string[] = [];
  const changes: number[] = [];
  limit.onChange(() => changes.push(limit.bytesPerSecond()));
  limit.user("ada").take(1e9, (bytes) => got.push(`ada ${bytes}`));
  limit.user("bob").take(1e9, (bytes) => got.push(`bob ${bytes}`));
  const eve = limit.user("eve");
  eve.take(1e9, (bytes) => got.push(`eve ${bytes}`));
  assert.deepEqual(got, ["ada 512"]);
  limit.setBytesPerSecond(0);
  assert.deepEqual(got, ["ada 512", "bob 1000000000", "eve 1000000000"]);
  limit.setBytesPerSecond(2_000);
  eve.take(512, () => got.push("eve again"));
  assert.equal(got.length, 3);
  clock.advance(10);
  assert.equal(got.at(-1), "eve again");
  assert.deepEqual(changes, [0, 2_000]);
});

test("one peer with 64 connections gets as much as one with a single connection", () => {
  const clock = createManualClock();
  const limit = createRateLimit(clock, 1_000_000);
  const greedy = Array.from({ length: 64 }, () => hungry(limit, "greedy"));
  const modest = hungry(limit, "modest");
  clock.advance(10_000);
  const both = [greedy.reduce((sum, { bytes }) => sum + bytes(), 0), modest.bytes()] as const;
  assert.ok(Math.abs(both[0] - both[1]) <= burstOf(1_000_000), String(both));
  const each = greedy.map(({ bytes }) => bytes());
  assert.ok(
    Math.max(...each) - Math.min(...each) <= 10_000 + burstOf(1_000_000),
    "the connections of one peer take turns",
  );
});

test("peers that want all the time get the same, whatever each asks for at once and over how many connections", () => {
  const peer = fc.record({ connections: fc.integer({ min: 1, max: 20 }), wanted: fc.integer({ min: 100, max: 9e5 }) });
  const peers = fc.array(peer, { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(fc.integer({ min: 100_000, max: 50_000_000 }), peers, (rate, wishes) => {
      const clock = createManualClock();
      const limit = createRateLimit(clock, rate);
      const all = wishes.map(({ connections, wanted }, at) =>
        Array.from({ length: connections }, () => hungry(limit, `peer ${at}`, wanted)),
      );
      clock.advance(500);
      const got = all.map((users) => users.reduce((sum, { bytes }) => sum + bytes(), 0));
      assert.ok(Math.max(...got) - Math.min(...got) <= 2 * burstOf(rate), `${got} at ${rate}`);
    }),
    { numRuns: 30 },
  );
});

test("a peer that comes anew for each little piece gets no more than one that stays", () => {
  const clock = createManualClock();
  const limit = createRateLimit(clock, 1_000_000);
  let flighty = 0;
  function comeAnew(): void {
    const user = limit.user("flighty");
    user.take(5_000, (bytes) => {
      flighty += bytes;
      user.close();
      comeAnew();
    });
  }
  const modest = hungry(limit, "modest");
  comeAnew();
  clock.advance(10_000);
  assert.ok(Math.abs(flighty - modest.bytes()) <= 2 * burstOf(1_000_000), `${flighty} and ${modest.bytes()}`);
});

test("what a peer does not want the others have, and one that was away for long does not make up for it", () => {
  const clock = createManualClock();
  const limit = createRateLimit(clock, 1_000_000);
  const busy = hungry(limit, "busy");
  clock.advance(10_000);
  assert.ok(busy.bytes() >= 9_900_000, "alone it has all");
  const late = hungry(limit, "late");
  const before = busy.bytes();
  clock.advance(1_000);
  assert.ok(late.bytes() <= 500_000 + burstOf(1_000_000), `${late.bytes()}`);
  assert.ok(busy.bytes() - before >= 500_000 - burstOf(1_000_000));
  late.close();
  const alone = busy.bytes();
  clock.advance(1_000);
  assert.ok(busy.bytes() - alone >= 950_000);
});

test("on a machine so busy that timers come late nothing is lost while somebody waits", () => {
  const clock = createManualClock();
  const late = { now: clock.now, after: (ms: number, due: () => void) => clock.after(ms + 300, due) };
  const user = hungry(createRateLimit(late, 1_000_000), "ada");
  clock.advance(10_000);
  assert.ok(user.bytes() >= 9_500_000 && user.bytes() <= 10_100_000, String(user.bytes()));
});

test("one that stops waiting is never granted anything, and nothing waits for it", () => {
  const clock = createManualClock();
  const limit = createRateLimit(clock, 1_000);
  const first = hungry(limit, "ada");
  const second = hungry(limit, "bob");
  first.close();
  second.close();
  const ada = first.bytes();
  clock.advance(60_000);
  assert.equal(first.bytes(), ada);
  assert.equal(clock.waiting, 0);
});
