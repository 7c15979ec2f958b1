import { SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, it } from "vitest";
import { testContext } from "../../workers/testing/api.ts";
import type { Config } from "../config/config.ts";
import type { Role } from "../context.ts";
import { sessionSeconds, signToken, type TokenUser, verifyToken } from "./tokens.ts";

const OLD: [string, string] = ["2026-01", "old-old-old-key-0123456789abcdef"];
const NEW: [string, string] = ["2026-02", "new-new-new-key-0123456789abcdef"];
const withKeys = (...keys: [string, string][]): Config => ({
  ...testContext().config,
  JWT_KEYS: keys,
});

const NOW = new Date("2026-03-01T00:00:00Z");
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const DAY_S = 86_400;

const user = (roles: Role[] = ["buyer"]): TokenUser => ({
  userId: 41,
  sessionId: crypto.randomUUID(),
  roles,
  phone: "081234567890",
});

/** A token of our key with other claims or another head. */
function forged(
  claims: Record<string, unknown>,
  { head = {}, key = NEW[1] }: { head?: Record<string, string>; key?: string } = {},
) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", kid: NEW[0], ...head })
    .sign(new TextEncoder().encode(key));
}

const good = () => ({
  id: 41,
  sid: crypto.randomUUID(),
  roles: ["buyer"],
  exp: Math.floor(later(60).getTime() / 1000),
});

const read = (token: string, config = withKeys(NEW)) => verifyToken(config, token, NOW);

describe("a token", () => {
  it("says who signed in, on which session and with which roles", async () => {
    const ana = user(["buyer", "seller"]);
    const { phone: _, ...actor } = ana;
    expect(await read(await signToken(withKeys(NEW), ana, NOW))).toEqual(actor);
  });

  it("carries id and phone where the mobile app reads them, and no secret", async () => {
    const token = await signToken(withKeys(NEW), user(), NOW);
    const claims = JSON.parse(atob(token.split(".")[1] ?? ""));
    expect(Object.keys(claims).sort()).toEqual(["exp", "iat", "id", "phone", "roles", "sid"]);
    expect(claims).toMatchObject({ id: 41, phone: "081234567890" });
  });

  it("lives 7 days, an operator's 24 hours, and not a second longer", async () => {
    for (const [roles, days] of [
      [["buyer"], 7],
      [["admin"], 7],
      [["buyer", "operator"], 1],
    ] as [Role[], number][]) {
      expect(sessionSeconds(roles)).toBe(days * DAY_S);
      const token = await signToken(withKeys(NEW), user(roles), NOW);
      const at = (seconds: number) => verifyToken(withKeys(NEW), token, later(seconds));
      expect(await at(days * DAY_S - 1)).not.toBeNull();
      expect(await at(days * DAY_S + 1)).toBeNull();
    }
  });
});

describe("the rotation of keys", () => {
  it("keeps tokens of the old key alive while it is listed, and signs with the first", async () => {
    const before = await signToken(withKeys(OLD), user(), NOW);
    expect(await read(before, withKeys(NEW, OLD))).not.toBeNull();
    const after = await signToken(withKeys(NEW, OLD), user(), NOW);
    expect(await read(after, withKeys(NEW))).not.toBeNull();
  });

  it("ends the tokens of a key that is taken off the list", async () => {
    expect(await read(await signToken(withKeys(OLD), user(), NOW), withKeys(NEW))).toBeNull();
  });

  it("does not try one key's token with another key of the list", async () => {
    const crossed = await forged(good(), { head: { kid: OLD[0] }, key: NEW[1] });
    expect(await read(crossed, withKeys(NEW, OLD))).toBeNull();
  });
});

describe("a forged token opens nothing", () => {
  it("though the same claims under the right key do", async () => {
    expect(await read(await forged(good()))).not.toBeNull();
  });

  it("when it is unsigned (alg none)", async () => {
    const unsecured = new UnsecuredJWT(good()).encode();
    expect(await read(unsecured)).toBeNull();
    const [, payload] = unsecured.split(".");
    const head = btoa(JSON.stringify({ alg: "none", kid: NEW[0] })).replace(/=+$/, "");
    expect(await read(`${head}.${payload}.`)).toBeNull();
  });

  it.each<[string, Parameters<typeof forged>[1]]>([
    ["signed with another key", { key: "another-key-0123456789abcdef-0123" }],
    ["of an unknown kid", { head: { kid: "x" } }],
    ["of another HMAC", { head: { alg: "HS512" }, key: NEW[1].repeat(2) }],
  ])("when it is %s", async (_, how) => {
    expect(await read(await forged(good(), how))).toBeNull();
  });

  it("when it names no kid", async () => {
    const anonymous = new SignJWT(good()).setProtectedHeader({ alg: "HS256" });
    expect(await read(await anonymous.sign(new TextEncoder().encode(NEW[1])))).toBeNull();
  });

  it.each<[string, Record<string, unknown>]>([
    ["id", { id: undefined }],
    ["sid", { sid: undefined }],
    ["roles", { roles: undefined }],
    ["exp", { exp: undefined }],
  ])("when the claim %s is missing", async (_, change) => {
    expect(await read(await forged({ ...good(), ...change }))).toBeNull();
  });

  it.each<[string, Record<string, unknown>]>([
    ["a text as id", { id: "41" }],
    ["userId in place of id (CM-15)", { id: undefined, userId: 41 }],
    ["a negative id", { id: -1 }],
    ["a sid that is none", { sid: "1; drop table" }],
    ["a role that does not exist", { roles: ["root"] }],
    ["an end in the past", { exp: 1 }],
    ["an end that is no number", { exp: "never" }],
    ["a start in the future", { nbf: Math.floor(later(600).getTime() / 1000) }],
  ])("when it holds %s", async (_, change) => {
    expect(await read(await forged({ ...good(), ...change }))).toBeNull();
  });

  it("when one letter of it is changed", async () => {
    const token = await forged(good());
    const [head = "", payload = "", signature = ""] = token.split(".");
    const flip = (part: string, at: number) =>
      part.slice(0, at) + (part[at] === "A" ? "B" : "A") + part.slice(at + 1);
    expect(await read([flip(head, 5), payload, signature].join("."))).toBeNull();
    expect(await read([head, flip(payload, 9), signature].join("."))).toBeNull();
    expect(await read([head, payload, flip(signature, 3)].join("."))).toBeNull();
  });

  it.each(["", ".", "..", "a.b.c", "null", "undefined", "🌾", "x".repeat(20_000)])(
    "when it is rubbish",
    async (token) => {
      expect(await read(token)).toBeNull();
    },
  );
});
