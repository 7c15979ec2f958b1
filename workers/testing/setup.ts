import { afterEach } from "vitest";
import { endLog } from "./quiet-console.ts";

/** The log of a failed test is shown, by the test's own hand. */
afterEach(({ task }) => endLog(task.result?.state === "fail" ? "shown" : "forgotten"));
