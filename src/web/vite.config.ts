import { defineConfig } from "vite";

/** The page is built once, when the package is installed: all of it into `dist/web`, nothing from anywhere else. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  logLevel: "warn",
  build: {
    outDir: "../../dist/web",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    target: "es2023",
    reportCompressedSize: false,
  },
});
