import { brotliCompressSync, constants } from "node:zlib";
import type { Plugin } from "esbuild";

/** Libraries that few commands need, and that are most of the agent's text. */
const LIBRARIES = /^(acme-client|mysql2\/promise)$/;

/**
 * Keeps these libraries compressed within the one file, and unpacks one when it is first asked for: their text, which Node
 * would hold in memory from the start, then costs an agent at rest nothing.
 */
export const packedLibraries = (root: string): Plugin => ({
  name: "packed-libraries",
  setup(build) {
    build.onResolve({ filter: LIBRARIES }, ({ path }) => ({ path, namespace: "packed" }));
    build.onLoad({ filter: /.*/, namespace: "packed" }, async ({ path }) => {
      const { outputFiles } = await build.esbuild.build({
        ...{ entryPoints: [path], absWorkingDir: root, bundle: true, write: false, minify: true },
        ...{ platform: "node", target: "node20", format: "cjs", logLevel: "error" },
      });
      const [file] = outputFiles;
      if (!file) throw new Error(`${path} made no file`);
      return { loader: "js", resolveDir: root, contents: unpacking(file.contents) };
    });
  },
});

function unpacking(text: Uint8Array): string {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  const packed = brotliCompressSync(text, { params }).toString("base64");
  return `const { brotliDecompressSync } = require("node:zlib");
const text = brotliDecompressSync(Buffer.from("${packed}", "base64")).toString();
new Function("module", "exports", "require", text)(module, exports, require);`;
}
