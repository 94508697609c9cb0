/**
 * Loaded before every test file. The runner's time limit is for tests: a file whose tests are through but which left
 * something open would never end, and nobody would learn which file it was. This ends it, and makes it a failure.
 */

const FILE_TIME_LIMIT_MS = 300_000;

/** The runner sets this for the process of each file; it has none itself. */
if (process.env["NODE_TEST_CONTEXT"] !== undefined) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(`${process.argv[1]} did not end within ${FILE_TIME_LIMIT_MS / 1000} s; still open: ${open}\n`);
    process.exit(1);
  }, FILE_TIME_LIMIT_MS).unref();
}
