import { beforeAll, describe, expect, it } from "vitest";
import type { TargetKind } from "../tables/catalogue.ts";
import { bench } from "../testing/bench.ts";
import { purchasesOf, recover, runOrderJob, SILENT_LONG, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";
import { mayMean } from "../testing/words.ts";
import { followOrders } from "./follow.ts";
import { placeGame, placeSocial } from "./place.ts";
import { processOrder } from "./process.ts";
import { isSameTarget } from "./targets.ts";

beforeAll(stockShelves);

const { diamonds, fire, likes } = SERVICES;
type Family = "prepaid" | "game" | "social";

describe("a purchase is for the order's target", () => {
  it.each<[Family, TargetKind, string, string, boolean]>([
    ["prepaid", "phone", "081234567890", "+62 812-3456-7890", true],
    ["prepaid", "phone", "081234567890", "6281234567890", true],
    ["prepaid", "phone", "081234567890", "81234567890", true],
    ["prepaid", "phone", "081234567890", "081234567891", false],
    ["prepaid", "pln_meter", "081234567890", "81234567890", false],
    ["prepaid", "customer_number", "081234567890", "6281234567890", false],
    ["prepaid", "customer_number", "62123456789", "123456789", false],
    ["game", "game_id", "6281234567", "81234567", false],
    ["game", "game_id", "0012345678", "12345678", false],
    ["game", "game_id", " 12345678", "12345678", true],
    ["social", "link", "https://Instagram.com/p/AbC", "https://instagram.com/p/AbC", true],
    ["social", "link", "https://instagram.com/p/AbC", "https://instagram.com/p/abc", false],
    ["social", "link", "@Toko", "@toko", true],
  ])("of %s %s %s as it is for %s: %j", (family, targetKind, target, theirs, same) => {
    expect(isSameTarget({ family, target, targetKind }, theirs)).toBe(same);
  });
});

it.each<[string, string, boolean]>([
  ["https://x.com/foab", "https://x.com/foxx", false],
  ["https://x.com/a.b", "https://x.com/***.b", true],
  ["https://x.com/a.b", "https://x.com/***+b", false],
])("of %s a part is blacked out in %s: %j", async (target, theirs, is) => {
  const aim = { family: "social", target, targetKind: null } as const;
  expect(await mayMean([[aim, theirs]])).toEqual([is]);
});

it("a link of hundreds of stars is looked through in one pass, as the supplier writes it", async () => {
  const target = `https://x.com/p?x&${"*a".repeat(200)}*b`;
  const aim = { family: "social", target, targetKind: null } as const;
  const [own, other] = [target.replace("&", "&amp;"), target.replace("/p?", "/q?")];
  expect(await mayMean([own, other].map((theirs) => [aim, theirs]))).toEqual([true, false]);
});

describe("wrong goods wait for a person", () => {
  it("when the purchase is for player 8… instead of 628…", async () => {
    const actor = await customer();
    const other = newPhone().slice(1);
    const gameId = `62${other}`;
    await dial(gameId, { stay: true });
    const twist = (text: string) => text.replaceAll(gameId, other);
    const { ctx, settle } = bench({ actor, timeoutMs: 3_000, twist });
    const { number } = await placeGame(ctx, { service: diamonds.code, gameId, zone: "2001" });
    await processOrder(ctx, { orderNumber: number });
    await settle();
    const order = await theOrderOf(gameId);
    expect(order.state).toBe("unknown");
    for (const laterMs of SILENT_LONG) await runOrderJob(order, { laterMs, twist });
    expect((await theOrderOf(gameId)).state).toBe("review");
  });

  it("when the purchase is for a post whose name differs by case", async () => {
    const actor = await customer();
    const post = `AbC${newPhone()}`;
    const target = `https://instagram.com/p/${post}`;
    await dial(target, { stay: true });
    const twist = (text: string) => text.replaceAll(post, post.toLowerCase());
    const { ctx, settle } = bench({ actor, timeoutMs: 3_000 });
    await placeSocial(ctx, { service: likes.code, target, quantity: 100 });
    await settle();
    await hand("succeed", (await theOrderOf(target)).trxid ?? "");
    const later = bench({ laterMs: 60_000, timeoutMs: 3_000, twist });
    await followOrders(later.ctx);
    await later.settle();
    expect((await theOrderOf(target)).state).toBe("review");
  });
});

describe("two buyers' doubts that the history tells apart are settled without a person", () => {
  it("for two posts whose names differ by case", async () => {
    const id = newPhone();
    const [a, b] = [`https://instagram.com/p/AbC${id}`, `https://instagram.com/p/aBc${id}`];
    for (const [target, kill] of [
      [a, "before"],
      [b, "after"],
    ] as const) {
      await dial(target, { stay: true });
      const { ctx, killed } = bench({ actor: await customer(), killAt: 1, kill });
      const placed = placeSocial(ctx, { service: likes.code, target, quantity: 100 });
      await Promise.race([placed, killed]);
    }
    for (const target of [a, b, a, b]) await recover(target);
    expect((await theOrderOf(a)).state).toBe("failed");
    expect((await theOrderOf(b)).state).toBe("processing");
    expect([(await purchasesOf(a)).length, (await purchasesOf(b)).length]).toEqual([0, 1]);
  });

  it("for two players of whom one has the other's number behind a 62", async () => {
    const b = newPhone().slice(1);
    const a = `62${b}`;
    for (const [gameId, kill] of [
      [a, "before"],
      [b, "after"],
    ] as const) {
      await dial(gameId, { stay: true });
      const actor = await customer();
      const order = { service: diamonds.code, gameId, zone: "2001" };
      const { number } = await placeGame(bench({ actor }).ctx, order);
      const { ctx, killed } = bench({ actor, killAt: 1, kill });
      await Promise.race([processOrder(ctx, { orderNumber: number }), killed]);
    }
    for (const gameId of [a, b, a, b]) await recover(gameId);
    expect((await theOrderOf(a)).state).toBe("failed");
    expect((await theOrderOf(b)).state).toBe("processing");
  });

  it.each([
    ["another target", () => `@lain${newPhone()}`],
    ["one whose name begins with its own", (target: string) => `${target}.lain`],
  ])("though somebody bought the same past us for %s", async (_, foreignOf) => {
    const target = `https://instagram.com/${newPhone()}`;
    await dial(target, { stay: true });
    const { ctx, killed } = bench({ actor: await customer(), killAt: 1, kill: "before" });
    const placed = placeSocial(ctx, { service: likes.code, target, quantity: 100 });
    await Promise.race([placed, killed]);
    const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
    await vipReseller.createSocialMediaOrder({
      service: likes.code,
      target: foreignOf(target),
      quantity: 100,
    });
    const order = await theOrderOf(target);
    for (const laterMs of SILENT_LONG) await runOrderJob(order, { laterMs });
    expect(await theOrderOf(target)).toMatchObject({ state: "failed" });
  });
});

describe("the zone of a game that is not known to have any", () => {
  const order = async (zone: string | null) =>
    placeGame(bench({ actor: await customer() }).ctx, {
      service: fire.code,
      gameId: newPhone(),
      zone,
    });

  it("is kept as it was given, and needs not be given", async () => {
    expect((await order("os_asia")).zone).toBe("os_asia");
    expect((await order(null)).zone).toBeNull();
  });

  it("is refused in words when it is none", async () => {
    await expect(order("##")).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("Zone is not a zone of"),
    });
  });
});

/** The supplier's code of the same service on each platform. */
const LIKES_ON = { Instagram: likes.code, YouTube: "1021", Twitter: "1037" };

describe("the same link in other words is asked about", () => {
  it.each([
    [
      "YouTube",
      "https://youtu.be/dQw4w9WgXcQ?si=x",
      "https://www.youtube.com/watch?app=d&v=dQw4w9WgXcQ&t=5",
    ],
    ["YouTube", "https://youtu.be/aQw4w9WgXcQ", "https://m.youtube.com/shorts/aQw4w9WgXcQ"],
    [
      "Instagram",
      "https://www.instagram.com/p/CAbC_1-x/",
      "https://instagram.com/reel/CAbC_1-x/?igsh=1",
    ],
    ["Twitter", "https://twitter.com/toko/status/12", "https://x.com/toko/status/12?s=20"],
    ["YouTube", "https://youtube.com/@Kanal1?si=a", "https://m.youtube.com/@kanal1/"],
  ] as const)("on %s: %s and %s", async (platform, one, other) => {
    await shelve({
      ...likes,
      code: LIKES_ON[platform],
      name: `${platform} Likes Bot`,
      brand: `${platform} Likes`,
    });
    const { ctx, settle } = bench({ actor: await customer(), timeoutMs: 3_000 });
    for (const target of [one, other]) await dial(target, { stay: true });
    const order = { service: LIKES_ON[platform], quantity: 100 };
    expect((await placeSocial(ctx, { ...order, target: one })).target).toBe(one);
    await settle();
    await expect(placeSocial(ctx, { ...order, target: other })).rejects.toMatchObject({
      code: "conflict",
    });
    const different = other.replace(/(dQw4|aQw4|CAbC|status\/1|kanal)/, "$1X1");
    expect((await placeSocial(ctx, { ...order, target: different })).target).toBe(different);
    await settle();
  });
});
