import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** As local/testing/patience.ts: vitest's own patience is one second. */
const PATIENT = { poll: { timeout: 15_000 } };
/** .ci/run asks for one: on a busy machine a test of real processes and a real database may miss its time. */
const retry = Number(process.env.LUMBUNG_TEST_RETRIES ?? 0);

/**
 * `workers` runs inside workerd against a real Postgres and the provider twins; `socketio` tests the protocol engine in a
 * Worker of its own; `node` tests what runs on Node.
 */
export default defineConfig({
  test: {
    globalSetup: ["./local/testing/run-folder.ts", "./local/testing/global-setup.ts"],
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
          retry,
          setupFiles: [
            "./local/testing/patience.ts",
            "./workers/testing/setup.ts",
            "./workers/testing/load-worker.ts",
          ],
          include: ["workers/**/*.test.{ts,tsx}", "shared/**/*.test.ts"],
          exclude: ["workers/live/socketio/**"],
          isolate: false,
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: PATIENT,
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
          retry,
          setupFiles: ["./local/testing/patience.ts", "./workers/testing/setup.ts"],
          include: ["workers/live/socketio/**/*.test.ts"],
          isolate: false,
          maxWorkers: 1,
          testTimeout: 30_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: "node",
          retry,
          setupFiles: ["./local/testing/patience.ts"],
          include: [
            "local/**/*.test.ts",
            "migrations/**/*.test.ts",
            "e2e/**/*.test.ts",
            "agent/**/*.test.ts",
            "bench/**/*.test.ts",
          ],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          expect: PATIENT,
        },
      },
    ],
  },
});
