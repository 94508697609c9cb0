// Builds the page while the package is installed. Without the packages of development there is nothing to build it with: then
// the program runs all the same, and the address of the page says what to do.
import { fileURLToPath } from "node:url";

const vite = await import("vite").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
});
if (vite) await vite.build({ configFile: fileURLToPath(new URL("vite.config.ts", import.meta.url)) });
