import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { connect } from "node:tls";
import { createIdentity } from "../../src/transport/identity.ts";
import { startSecureServer } from "../../src/transport/secure-server.ts";
import { tlsParameters } from "../../src/transport/tls-parameters.ts";
import { log } from "../support/silent-log.ts";

const TIMEOUT = { timeout: 20_000 };
const REQUEST = "GET / HTTP/1.1\r\nHost: tukar\r\n\r\n";

test("an answer that waits behind another hears when the connection ends", TIMEOUT, async (t) => {
  const identity = await createIdentity();
  const answers: ServerResponse[] = [];
  const closed: Promise<void>[] = [];
  const both = Promise.withResolvers<void>();
  const server = await startSecureServer({
    identity,
    host: "127.0.0.1",
    port: 0,
    log,
    onRequest(_request, response) {
      answers.push(response);
      closed.push(new Promise((resolve) => response.once("close", resolve)));
      if (answers.length === 2) both.resolve();
    },
  });
  t.after(() => server.close());
  const socket = connect({ ...tlsParameters(identity), host: "127.0.0.1", port: server.port });
  socket.on("error", () => undefined);
  socket.write(REQUEST + REQUEST);
  await both.promise;
  socket.destroy();
  await Promise.all(closed);
  assert.ok(answers.every((answer) => answer.destroyed));
});
