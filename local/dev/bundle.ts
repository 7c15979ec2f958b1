import { join, resolve } from "node:path";
import { context, type Plugin } from "esbuild";

const ROOT = resolve(import.meta.dirname, "../..");

/** Who wants to know of a bundle: of each one that is whole, and of each that sources stand in the way of. */
export interface Listener {
  built(): void;
  broken(): void;
}

/**
 * Bundles the Worker's sources into `outfile`, now and at every change of one of them, as wrangler does for the deployment
 * but readable in a stack trace. What is wrong with them esbuild itself prints.
 */
export async function watchWorker(outfile: string, { built, broken }: Listener): Promise<void> {
  const tell: Plugin = {
    name: "tell",
    setup: ({ onEnd }) => onEnd(({ errors }) => (errors.length === 0 ? built() : broken())),
  };
  const bundling = await context({
    absWorkingDir: ROOT,
    entryPoints: [join(ROOT, "workers", "index.ts")],
    outfile,
    plugins: [tell],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    keepNames: true,
    sourcemap: "linked",
    logLevel: "error",
  });
  await bundling.watch();
}
