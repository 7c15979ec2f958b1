import { describe, expect, it } from "vitest";
import { uuidv7 } from "./uuid.ts";

describe("uuidv7", () => {
  it("is a uuid of version 7 that holds its millisecond", () => {
    const now = new Date("2026-03-01T12:34:56.789Z");
    const id = uuidv7(now);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(now.getTime());
  });

  it("sorts by time and does not repeat within one millisecond", () => {
    const [early, late] = [uuidv7(new Date(1_000_000)), uuidv7(new Date(1_000_001))];
    expect(early < late).toBe(true);
    const now = new Date();
    expect(new Set(Array.from({ length: 10_000 }, () => uuidv7(now))).size).toBe(10_000);
  });
});
