import { pino } from "pino";
import { startControlServer } from "../../../src/peer/control/control-server.ts";
import { fakeOperations, thenSilence } from "./fake-operations.ts";

/** Runs a fake peer under the home folder that the command line names, until it is killed. */
const [home = ""] = process.argv.slice(2);
const operations = fakeOperations({
  events: (signal) => thenSilence([{ event: "shared", files: 1, bytes: 1 }], signal),
});
await startControlServer({ home, operations, log: pino({ level: "silent" }) });
console.log("ready");
