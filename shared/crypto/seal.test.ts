import { describe, expect, test } from "vitest";
import { fromBase64, seal, toBase64, unseal } from "./index.ts";

const old: [string, string] = ["lama", "0123456789abcdefghijklmnopqrstuv"];
const fresh: [string, string] = ["baru", "vutsrqponmlkjihgfedcba9876543210"];
const config = { SEALING_KEYS: [fresh, old] };
const secret = "4831-2201-9931-0045-1187/BUDI/R1/900VA/34,7 🌾";

describe("a sealed text", () => {
  test("opens for its owner, and two seals of it have nothing in common", async () => {
    const [one, other] = [
      await seal(config, "order/1", secret),
      await seal(config, "order/1", secret),
    ];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^baru\.[A-Za-z0-9+/]+=*$/);
    expect(one).not.toContain("4831");
    expect(await unseal(config, "order/1", one)).toBe(secret);
    expect(await unseal(config, "order/1", other)).toBe(secret);
  });

  test("does not open for another owner", async () => {
    const sealed = await seal(config, "order/1", secret);
    expect(await unseal(config, "order/2", sealed)).toBeNull();
  });

  test("opens after a new key was put in front, and no more once its own is gone", async () => {
    const sealed = await seal({ SEALING_KEYS: [old] }, "order/1", secret);
    expect(await unseal(config, "order/1", sealed)).toBe(secret);
    expect(await unseal({ SEALING_KEYS: [fresh] }, "order/1", sealed)).toBeNull();
  });

  test("does not open with any byte changed, nor as rubbish", async () => {
    const sealed = await seal(config, "order/1", secret);
    const bytes = fromBase64(sealed.slice("baru.".length)) ?? new Uint8Array();
    expect(bytes.length).toBeGreaterThan(28);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await unseal(config, "order/1", `baru.${toBase64(changed)}`)).toBeNull();
    }
    for (const rubbish of ["", ".", "baru.", "baru.AAAA", "baru", "x.AAAA", "baru.***"]) {
      expect(await unseal(config, "order/1", rubbish)).toBeNull();
    }
  });
});
