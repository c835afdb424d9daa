// A compressed copy beside every file that gains by it, for a server that sends files as they are.
import { gzipSync } from "node:zlib";

const TEXT = /\.(js|css|html|svg|json)$/;
const LEAST_BYTES = 1024;

/** @returns {import("vite").Plugin} */
export function gzip() {
  return {
    name: "penstock-gzip",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          const source = file.type === "chunk" ? file.code : file.source;
          if (TEXT.test(fileName) && source.length >= LEAST_BYTES) {
            this.emitFile({ type: "asset", fileName: `${fileName}.gz`, source: gzipSync(source, { level: 9 }) });
          }
        }
      },
    },
  };
}
