import { defineConfig } from "vite";

// Hashed files in one folder, relative addresses so that any base path works, no inlined assets: the
// server embeds the folder and serves it under a strict content security policy.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
