import { describe, expect, it } from "vitest";
import type { Actor } from "../context.ts";
import { type AccessRule, distrust, sessionGate } from "./sessions.ts";

const actor = (): Actor => ({ userId: 7, sessionId: crypto.randomUUID(), roles: ["buyer"] });
const READ: AccessRule = { role: "buyer", fresh: false };
const NOW = new Date("2026-03-01T00:00:00Z");
const plusMs = (ms: number) => new Date(NOW.getTime() + ms);

/** Lets the session be checked once, as a request does whose transaction held. */
function seen(someone: Actor, rule = READ): void {
  sessionGate(someone, rule, NOW)?.passed();
}

describe("a verified session", () => {
  it("is trusted for 30 seconds and then asked about again", () => {
    const ana = actor();
    expect(sessionGate(ana, READ, NOW)).not.toBeNull();
    seen(ana);
    expect(sessionGate(ana, READ, plusMs(29_999))).toBeNull();
    expect(sessionGate(ana, READ, plusMs(30_000))).not.toBeNull();
  });

  it("is not trusted because it was asked about, only because the check held", () => {
    const ana = actor();
    sessionGate(ana, READ, NOW);
    expect(sessionGate(ana, READ, plusMs(1))).not.toBeNull();
  });

  it("is asked about on every write of money, and always for admins and operators", () => {
    const ana = actor();
    for (const rule of [
      { role: "buyer", fresh: true },
      { role: null, fresh: true },
      { role: "admin", fresh: false },
      { role: "operator", fresh: false },
    ] as AccessRule[]) {
      seen(ana, rule);
      expect(sessionGate(ana, rule, plusMs(1))).not.toBeNull();
    }
  });

  it("is trusted for the role that was checked and no other", () => {
    const ana = actor();
    seen(ana);
    expect(sessionGate(ana, { role: "seller", fresh: false }, plusMs(1))).not.toBeNull();
    expect(sessionGate(ana, { role: null, fresh: false }, plusMs(1))).not.toBeNull();
  });

  it("gives no trust to another session of the same user", () => {
    const [one, two] = [actor(), actor()];
    seen(one);
    expect(sessionGate(two, READ, plusMs(1))).not.toBeNull();
  });

  it("is distrusted at once where it ended", () => {
    const [ana, budi] = [actor(), actor()];
    seen(ana);
    seen(budi);
    distrust(ana.sessionId);
    expect(sessionGate(ana, READ, plusMs(1))).not.toBeNull();
    expect(sessionGate(budi, READ, plusMs(1))).toBeNull();
  });
});
