import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
export default defineConfig({ root: "/work/main", test: { projects: [{ root: "/work/main",
  plugins: [cloudflareTest(({ inject }: any) => ({ main: "./.tmp-id/worker.ts", wrangler: { configPath: "./.tmp-id/wrangler.toml" }, miniflare: { bindings: { ...inject("settings") } } }))],
  test: { name: "workers", include: ["workers/identity/**/*.test.ts"], globalSetup: ["./.tmp-id/setup.ts"], isolate: false, maxWorkers: 1, testTimeout: 30_000, hookTimeout: 60_000 } }] } });
