import { build } from "esbuild";
import { expect, it } from "vitest";

const ENTRY = "workers/index.ts";
/** What every request, message and chore needs, and no socket and no object. */
const LATER = /(^|\/)(routes|background|api)\.tsx?$|\/routes\/|\/providers\/(?!provider-error\.ts)/;

/** The files that are read as the entry is, without those behind an `import()`. */
async function readAtStart(): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    metafile: true,
    packages: "external",
    external: ["cloudflare:*"],
    format: "esm",
    outdir: "nowhere",
    absWorkingDir: `${import.meta.dirname}/../..`,
  });
  const found = new Set([ENTRY]);
  for (const file of found) {
    for (const { path, kind, external } of metafile.inputs[file]?.imports ?? []) {
      if (!external && kind === "import-statement") found.add(path);
    }
  }
  return [...found];
}

it("an isolate that only holds sockets and objects reads no route, no consumer and no provider's client", async () => {
  const files = await readAtStart();
  expect(files).toContain("workers/live/shard.ts");
  expect(files.filter((file) => LATER.test(file) && file !== "shared/http/api.ts")).toEqual([]);
});
