import { enableCompileCache } from "node:module";

enableCompileCache();
// Node strips no types below node_modules, so the published package brings the compiled program.
await import(import.meta.url.includes("/node_modules/") ? "../../dist/cli/main.js" : "./main.ts");
