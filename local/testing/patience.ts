import { vi } from "vitest";

/** What comes soon is waited for as long as a busy machine may take; vitest's own default is one second. */
const PATIENCE_MS = 15_000;

const { waitFor } = vi;
if (waitFor.name !== "waitPatiently") {
  vi.waitFor = function waitPatiently(callback, options = {}) {
    const given = typeof options === "number" ? { timeout: options } : options;
    return waitFor(callback, { timeout: PATIENCE_MS, ...given });
  };
}
