#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --max-semi-space-size=2
// The first file of the program: old Nodes must be able to read it, so it keeps to plain old JavaScript.
if (Number(process.versions.node.split(".")[0]) < 24) {
  console.error(
    "tukar needs Node 24 or newer, but this is Node " +
      process.versions.node +
      ": install a newer one, or run npm install in the checkout, which brings one that npx tukar uses",
  );
  process.exitCode = 1;
} else {
  import("./start.js");
}
