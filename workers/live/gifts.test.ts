import { beforeAll, describe, expect, test } from "vitest";
import { randomFrom } from "../../shared/payments/test-payments.ts";
import { testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { type GiftOrder, sendGifts } from "./gifts.ts";
import { booksOf, coinsOf, createGiver, giftOrder, sentOf, shareOf } from "./test-gifts.ts";

let host: TestUser;
beforeAll(async () => {
  host = await createUser();
});

const send = (...gifts: GiftOrder[]) => sendGifts(testContext(), gifts);

describe("a gift", () => {
  test("costs its sender the catalogue's price and gives the host his floored share, us the rest", async () => {
    const [fan, star] = [await createGiver(20_000), await createUser()];
    const at = Date.now();
    const [result] = await send(
      giftOrder(fan.userId, star.userId, { giftId: "burger", quantity: 3, roomId: "chatme-live" }),
    );
    expect(result).toEqual({
      state: "sent",
      key: expect.any(String),
      giftRowId: expect.any(Number),
      hostIncome: 4498,
      totalCost: 8997,
      senderBalance: 11_003,
      gift: { id: "burger", name: "Burger", price: 2999, category: "luxury", hostShare: 0.5 },
      from: { username: expect.stringContaining("Uji"), avatar: null, level: 1, vip: 0 },
      to: { username: expect.stringContaining("Uji") },
      liveRoom: null,
      createdAt: expect.any(Date),
      repeated: false,
    });
    expect(Math.abs(sentOf(result).createdAt.getTime() - at)).toBeLessThan(60_000);
    expect(await coinsOf(fan.userId)).toBe(11_003);
    expect(await coinsOf(star.userId)).toBe(4498);
    expect(await shareOf(star.userId)).toBe(4499);
    expect(await booksOf([fan.userId, star.userId])).toEqual({ coins: 0, wrong: [], gifts: 1 });
  });

  test.each([
    ["cute", "live", 100, 10],
    ["cute", "party", 50, 5],
    ["ring", "live", 500, 50],
    ["balon", "party", 500, 50],
    ["cake", "live", 5000, 2500],
    ["cake", "party", 700, 350],
    ["rose", "party", 180, 90],
    ["maxi", "live", 250, 25],
  ] as const)("%s in a %s room costs %i and earns %i", async (giftId, scene, cost, income) => {
    const fan = await createGiver(5_000);
    const [result] = await send(giftOrder(fan.userId, host.userId, { giftId, scene }));
    expect(result).toMatchObject({ state: "sent", totalCost: cost, hostIncome: income });
  });

  test("is found by the catalogue's name where the caller has no id", async () => {
    const fan = await createGiver(1_000);
    const named = { giftId: null, giftName: "Vacation", coinValue: 200 };
    const [result] = await send(giftOrder(fan.userId, host.userId, named));
    expect(result).toMatchObject({ state: "sent", totalCost: 200, gift: { id: "sweetheart" } });
  });
});

describe("a gift is refused", () => {
  const refusals: [string, Partial<GiftOrder> & Record<string, unknown>, string, string][] = [
    ["of an unknown id", { giftId: "emas" }, "not_found", "Gift tidak ditemukan"],
    ["of a party's id in a live", { giftId: "rose" }, "not_found", "Gift tidak ditemukan"],
    ["of an unknown name", { giftId: null, giftName: "Emas" }, "not_found", "Gift tidak ditemukan"],
    ["at another price", { coinValue: 1 }, "invalid_input", "Harga gift tidak sesuai"],
    ["to nobody", { receiverId: 1 }, "not_found", "User tidak ditemukan"],
    ...[0, -1, 1.5, 1000, 2 ** 53, Number.NaN, "3", null].map(
      (quantity): [string, Record<string, unknown>, string, string] => [
        `of the quantity ${JSON.stringify(quantity)}`,
        { quantity },
        "invalid_input",
        "Data gift tidak lengkap",
      ],
    ),
    ["without a key", { key: "" }, "invalid_input", "Data gift tidak lengkap"],
    ["with NUL in its room", { roomId: "a\0" }, "invalid_input", "Data gift tidak lengkap"],
    [
      "with half a letter in its id",
      { giftId: "\ud800" },
      "invalid_input",
      "Data gift tidak lengkap",
    ],
    ["in an unknown scene", { scene: "pk" }, "invalid_input", "Data gift tidak lengkap"],
    ["from a made-up sender", { senderId: -5 }, "invalid_input", "Data gift tidak lengkap"],
  ];

  test.each(refusals)("%s, alone, between two that are sent", async (_, fields, code, message) => {
    const fan = await createGiver(1_000);
    const good = () => giftOrder(fan.userId, host.userId);
    // A socket's payload is not bound by the types.
    const bad = { ...good(), ...fields } as GiftOrder;
    const [first, middle, last] = await send(good(), bad, good());
    expect(middle).toEqual({ state: "refused", key: String(bad.key), code, message, meta: {} });
    expect([sentOf(first).senderBalance, sentOf(last).senderBalance]).toEqual([900, 800]);
    expect(await coinsOf(fan.userId)).toBe(800);
  });

  test("to oneself", async () => {
    const fan = await createGiver(1_000);
    const [result] = await send(giftOrder(fan.userId, fan.userId));
    expect(result).toMatchObject({ code: "invalid_input", message: /diri sendiri/ });
    expect(await coinsOf(fan.userId)).toBe(1_000);
  });
});

describe("many gifts at once", () => {
  test("100 parallel calls over a balance that covers 10 send exactly 10", async () => {
    const [fan, star] = [await createGiver(1_099), await createUser()];
    const all = await Promise.all(
      Array.from({ length: 100 }, () => send(giftOrder(fan.userId, star.userId))),
    );
    const results = all.flat();
    expect(results.filter(({ state }) => state === "sent")).toHaveLength(10);
    expect(results.find(({ state }) => state === "refused")).toMatchObject({
      code: "insufficient_balance",
      message: "Saldo tidak cukup",
      meta: { needed: 100, current: expect.any(Number) },
    });
    expect(await coinsOf(fan.userId)).toBe(99);
    expect(await coinsOf(star.userId)).toBe(100);
    expect(await booksOf([fan.userId, star.userId])).toEqual({ coins: 0, wrong: [], gifts: 10 });
  });

  test("one call of 100 sends the 10 that the balance covers and answers the rest in order", async () => {
    const [fan, star] = [await createGiver(1_000), await createUser()];
    const results = await send(
      ...Array.from({ length: 100 }, () => giftOrder(fan.userId, star.userId)),
    );
    expect(results.map(({ state }) => state)).toEqual([
      ...Array(10).fill("sent"),
      ...Array(90).fill("refused"),
    ]);
    expect(results.at(-1)).toMatchObject({ meta: { needed: 100, current: 0 } });
  });

  test("a cheaper gift after one that is too dear is sent; what a host earns he can give on", async () => {
    const [fan, star, third] = [await createGiver(5_100), await createUser(), await createUser()];
    const results = await send(
      giftOrder(fan.userId, star.userId, { giftId: "cake", quantity: 2 }),
      giftOrder(fan.userId, star.userId, { giftId: "cake" }),
      giftOrder(star.userId, third.userId, { giftId: "balon" }),
      giftOrder(fan.userId, star.userId),
      giftOrder(fan.userId, star.userId),
    );
    expect(results.map(({ state }) => state)).toEqual([
      "refused",
      "sent",
      "sent",
      "sent",
      "refused",
    ]);
    expect(results[0]).toMatchObject({ meta: { needed: 10_000, current: 5_100 } });
    expect(await coinsOf(star.userId)).toBe(2_500 - 300 + 10);
    const ids = [fan, star, third].map(({ userId }) => userId);
    expect(await booksOf(ids)).toMatchObject({ coins: 0, wrong: [] });
  });

  test("parallel calls with crossing senders and hosts neither deadlock nor lose a coin", async () => {
    const people = await Promise.all(Array.from({ length: 12 }, () => createGiver(3_000)));
    const random = randomFrom(7);
    const pick = () => people[random(people.length)]?.userId ?? 0;
    const calls = Array.from({ length: 60 }, () =>
      Array.from({ length: 40 }, () => giftOrder(pick(), pick(), { quantity: 1 + random(3) })),
    );
    const results = (await Promise.all(calls.map((gifts) => send(...gifts)))).flat();
    const sent = results.filter(({ state }) => state === "sent");
    expect(sent.length).toBeGreaterThan(100);
    const ids = people.map(({ userId }) => userId);
    expect(await booksOf(ids)).toEqual({ coins: 0, wrong: [], gifts: sent.length });
    for (const id of ids) expect(await coinsOf(id)).toBeGreaterThanOrEqual(0);
  });
});

describe("the key of a gift", () => {
  test("answers the first gift again and moves nothing, in one call, in two and in parallel", async () => {
    const fan = await createGiver(1_000);
    const order = giftOrder(fan.userId, host.userId, { quantity: 2, roomId: "ruang" });
    const [first, twin] = (await send(order, order)).map(sentOf);
    const rivals = (await Promise.all(Array.from({ length: 10 }, () => send(order)))).flat();
    expect(first?.repeated).toBe(false);
    for (const again of [twin, ...rivals.map(sentOf)]) {
      expect(again).toEqual({ ...first, repeated: true, senderBalance: 800 });
    }
    expect(await coinsOf(fan.userId)).toBe(800);
  });

  test("is refused with another receiver, gift, quantity, scene or room", async () => {
    const [fan, other] = [await createGiver(1_000), await createUser()];
    const order = giftOrder(fan.userId, host.userId, { roomId: "ruang" });
    await send(order);
    const changes = [
      { receiverId: other.userId },
      { giftId: "sweetheart" },
      { quantity: 2 },
      { scene: "party" as const },
      { roomId: "lain" },
    ];
    const results = await send(...changes.map((change) => ({ ...order, ...change })));
    expect(results.map((r) => r.state === "refused" && r.code)).toEqual(
      changes.map(() => "idempotency_mismatch"),
    );
    expect(await coinsOf(fan.userId)).toBe(900);
  });

  test("belongs to its sender, and one that was refused may be tried again", async () => {
    const [fan, rival] = [await createGiver(100), await createGiver(100)];
    const key = unique("k");
    const dear = giftOrder(fan.userId, host.userId, { key, giftId: "cake" });
    expect(await send(dear)).toMatchObject([{ state: "refused", code: "insufficient_balance" }]);
    const cheap = giftOrder(fan.userId, host.userId, { key });
    const same = giftOrder(rival.userId, host.userId, { key });
    expect(await send(cheap, same)).toMatchObject([
      { state: "sent", repeated: false },
      { state: "sent", repeated: false },
    ]);
  });
});
