// One build makes one application: `vite build --mode cloud --outDir FOLDER` takes src/cloud.
// Addresses in the page are relative, so that it works under any path of its server.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { gzip } from "./gzip-plugin.js";

const here = (path: string) => decodeURIComponent(new URL(path, import.meta.url).pathname);

export default defineConfig(({ command, mode }) => ({
  root: command === "build" ? here(`src/${mode}`) : here("src/cloud"),
  base: "./",
  publicDir: false,
  cacheDir: here("node_modules/.vite"),
  plugins: [react(), gzip()],
  build: {
    target: "es2021",
    emptyOutDir: true,
    // Everything comes from a server on the same machine; what counts is what has to be parsed
    // before the first page stands.
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      output: {
        manualChunks: (id) => (/node_modules\/(react|react-dom|scheduler)\//.test(id) ? "react" : undefined),
      },
    },
  },
  test: { root: here("."), include: ["src/**/*.test.ts"], environment: "node" },
}));
