import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { packedLibraries } from "./packed.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** What a build says of itself, and whose updates it will take. */
export interface BuildFacts {
  version: string;
  commit: string;
  builtAt: string;
  /** Public release keys; without one the agent takes no updates. */
  keys: readonly string[];
}

/** CommonJS inside of an ES module asks for `require`. */
const BANNER = `import { createRequire as lumbungRequire } from 'node:module'; const require = lumbungRequire(import.meta.url), lumbungNode = require;`;

/** Zod brings its words in 70 languages; the agent says its own. */
const oneLanguage: Plugin = {
  name: "one-language",
  setup(build) {
    build.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, ({ path }) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: dirname(path),
    }));
  },
};

/**
 * Node's own modules by `require`, when the first module that uses one is. By `import` all would be loaded at the start,
 * those of commands that nobody gives as well, and with `node:http` everything that `fetch` is made of.
 */
const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z0-9_/]+$/ }, ({ path, namespace }) =>
      namespace !== "builtin" && isBuiltin(path) ? { path, namespace: "builtin" } : null,
    );
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = lumbungNode(${JSON.stringify(path)});`,
    }));
  },
};

async function bundle(entry: string, define: Record<string, string> = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "esm",
    banner: { js: BANNER },
    define,
    // Node keeps the text of what it runs in memory, more than once.
    minify: true,
    plugins: [oneLanguage, lazyBuiltins, packedLibraries(ROOT)],
    logLevel: "error",
  });
  const [file] = outputFiles;
  if (!file) throw new Error(`${entry} made no file`);
  return file.text;
}

/** The agent as one file for any Node from 20 on, with the supervisor that `install` puts beside it. */
export async function buildAgent(
  facts: BuildFacts,
): Promise<{ agent: string; supervisor: string }> {
  const supervisor = readFileSync(join(ROOT, "agent/supervise.sh"), "utf8");
  const agent = await bundle("agent/nusantarad.ts", {
    NUSANTARAD_VERSION: JSON.stringify(facts.version),
    NUSANTARAD_COMMIT: JSON.stringify(facts.commit),
    NUSANTARAD_BUILT_AT: JSON.stringify(facts.builtAt),
    NUSANTARAD_RELEASE_KEYS: JSON.stringify(facts.keys.join(",")),
    NUSANTARAD_SUPERVISOR: JSON.stringify(supervisor),
  });
  return { agent, supervisor };
}

/** `npm run build:agent`: a build for trying out. `NUSANTARAD_RELEASE_KEYS` (public) lets it take releases. */
if (import.meta.main) {
  const keys = (process.env.NUSANTARAD_RELEASE_KEYS ?? "").split(",").filter(Boolean);
  const { agent } = await buildAgent({
    version: "0.0.1",
    commit: "unknown",
    builtAt: "unknown",
    keys,
  });
  const out = join(ROOT, "agent/dist");
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "nusantarad.mjs"), agent, { mode: 0o755 });
  console.log(`agent/dist/nusantarad.mjs  ${(agent.length / 1024).toFixed(0)} KiB`);
}
