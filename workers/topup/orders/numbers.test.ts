import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { call } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { testContext } from "../../testing/api.ts";
import { customer, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { newAttempt } from "./attempt.ts";
import { EXPIRY_MINUTES, LIMITS } from "./limits.ts";
import { orderNumbers } from "./numbers.ts";
import { orderShape } from "./order.ts";

beforeAll(stockShelves);

const NOW = new Date("2026-11-21T08:00:00Z");

describe("order numbers", () => {
  it.each([
    ["prepaid", /^PRE-1795248000-[A-Z0-9]{5}$/],
    ["social", /^SMO-1795248000-[A-Z0-9]{5}$/],
    ["game", /^ORD-GAME-1795248000-[A-Z0-9]{5}$/],
  ] as const)("of %s have the specification's form", (family, form) => {
    for (const number of orderNumbers(family, NOW)) expect(number).toMatch(form);
  });

  it("use all 36 symbols evenly and do not repeat within a second", () => {
    const numbers = Array.from({ length: 2_000 }, () => orderNumbers("prepaid", NOW)).flat();
    const counts = new Map<string, number>();
    for (const symbol of numbers.map((number) => number.slice(-5)).join("")) {
      counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
    }
    // 50,000 symbols over 36: 1,389 each; ten standard deviations are 370.
    expect(counts.size).toBe(36);
    for (const count of counts.values()) expect(Math.abs(count - 1_389)).toBeLessThan(370);
    expect(new Set(numbers).size).toBeGreaterThan(numbers.length - 20);
  });

  it("that are taken are passed over for the next", async () => {
    const user = await customer();
    const [taken, free] = orderNumbers(
      "game",
      new Date(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0),
    );
    const place = (numbers: (string | undefined)[]) => {
      const input = {
        ...{ ...newAttempt(), order_id: uuidv7(new Date()), numbers, user_id: user.userId },
        ...{
          family: "game",
          code: SERVICES.fire.code,
          target: newPhone(),
          zone: null,
          quantity: 1,
        },
        ...{ pay: false, confirm: false, ordered_via: "app", input_hash: "x", limits: LIMITS },
        ...{ now: new Date().toISOString(), expiry_minutes: EXPIRY_MINUTES },
      };
      return testContext().db.run(
        call("topup_order_place", input, z.object({ order: orderShape })),
      );
    };
    expect((await place([taken])).order.number).toBe(taken);
    expect((await place([taken, free])).order.number).toBe(free);
    await expect(place([taken, free])).rejects.toMatchObject({ code: "unavailable" });
  });
});
