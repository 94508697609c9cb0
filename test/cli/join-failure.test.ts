import assert from "node:assert/strict";
import { test } from "node:test";
import { joinFailure, joining } from "../../src/cli/join-failure.ts";
import { Failure, type FailureCode } from "../../src/protocol/failures.ts";
import { BOB } from "../peer/control/fake-operations.ts";

const NETWORK = { address: { host: "192.0.2.9", port: 9450 }, indexId: BOB, key: undefined };

const REFUSALS: { code: FailureCode; message: string; says: string }[] = [
  {
    code: "unreachable",
    message: "Cannot connect to 192.0.2.9:9450: nothing listens there",
    says: "nothing listens there; start the index server there, or name another one with --index",
  },
  {
    code: "key-required",
    message: "index server 192.0.2.9:9450: The network is private: joining it takes its invite",
    says: "it is private; give the whole invite that its index server printed",
  },
  {
    code: "wrong-key",
    message: "index server 192.0.2.9:9450: The network key is wrong",
    says: "its key is another one; ask for the invite anew, a letter of it may have got lost",
  },
  {
    code: "not-a-member",
    message: "index server 192.0.2.9:9450: Only members of the network are served",
    says: "what answers there is a peer; give the address of the index server",
  },
  {
    code: "identity-mismatch",
    message: "Refusing 192.0.2.9:9450: it shows the identity abc, but abd was expected",
    says: "it shows the identity abc, but abd was expected; ask for the invite anew, a letter of it may have got lost",
  },
];
for (const { code, message, says } of REFUSALS) {
  test(`a network that refuses with ${code} is told with what would help`, async () => {
    const joined = joining(NETWORK, () => Promise.reject(new Failure(code, message)));
    await assert.rejects(joined, { code, message: `Cannot join the network at 192.0.2.9:9450: ${says}` });
  });
}

test("a failure that is not about the network's address stays as it is", () => {
  for (const error of [
    new Failure("usage", "Cannot listen on 192.0.2.1:9500: this machine has no such address"),
    new Failure("home-in-use", "A peer is already running"),
    new RangeError("192.0.2.9:9450"),
  ]) {
    assert.equal(joinFailure(error, NETWORK), error);
  }
});

test("without an invite a changed identity is told as it was found", () => {
  const error = new Failure("identity-mismatch", "192.0.2.9:9450 is somebody else than at the first meeting");
  assert.equal(joinFailure(error, { ...NETWORK, indexId: undefined }), error);
});

test("what joined is passed on", async () => {
  assert.equal(await joining(NETWORK, async () => "in"), "in");
});
