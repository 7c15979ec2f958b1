import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/**
 * `workers` runs inside workerd against a real Postgres and the provider twins; `socketio` tests the protocol engine in a
 * Worker of its own; `node` tests what runs on Node.
 */
export default defineConfig({
  test: {
    globalSetup: ["./local/testing/global-setup.ts"],
    silent: "passed-only",
    projects: [
      {
        plugins: [
          cloudflareTest(({ inject }) => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: { ...inject("settings"), STAND_INS: inject("standIns") },
            },
          })),
        ],
        test: {
          name: "workers",
          setupFiles: ["./workers/testing/setup.ts"],
          include: ["workers/**/*.test.{ts,tsx}", "shared/**/*.test.ts"],
          exclude: ["workers/live/socketio/**"],
          isolate: false,
          maxWorkers: 1,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./workers/live/socketio/testing/wrangler.toml" },
          }),
        ],
        test: {
          name: "socketio",
          setupFiles: ["./workers/testing/setup.ts"],
          include: ["workers/live/socketio/**/*.test.ts"],
          isolate: false,
          maxWorkers: 1,
        },
      },
      {
        test: {
          name: "node",
          include: [
            "local/**/*.test.ts",
            "migrations/**/*.test.ts",
            "e2e/**/*.test.ts",
            "agent/**/*.test.ts",
          ],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
