import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import {
  createReseller,
  ordersOf,
  panel,
  type Reseller,
  stockService,
} from "../testing/reseller.ts";
import { dial, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";

const { more, diamonds } = SERVICES;
/** Three of these in a day are within a member's limit, a fourth is not. */
const DEAR = 8_000_000;
let admin: TestUser;
let cheap: number;

beforeAll(async () => {
  await stockShelves();
  await shelve({ ...more, price: DEAR });
  cheap = (await stockService("prepaid")).number;
  admin = await createUser(["admin"]);
});
afterAll(async () => await shelve(more));

/** Numbers that stay under way at the supplier, each of them once. */
async function phones(count: number): Promise<string[]> {
  const prefix = newPhone().slice(0, 9);
  await dial(prefix, { stay: true });
  return Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(3, "0")}`);
}

const byApp = (token: string, kind: string, json: unknown) =>
  api(`/api/orders/${kind}`, { method: "POST", token, json });

/** Every other number by the app, the rest by the panel dialect, all at once; answers with what was refused, in words. */
async function orderAll(
  { user, key }: Reseller,
  service: { code: string; number: number },
  targets: string[],
): Promise<string[]> {
  const answers = await Promise.all(
    targets.map((target, n) =>
      n % 2 === 0
        ? byApp(user.token, "prepaid", { service: service.code, phoneNumber: target })
        : panel(key, { action: "add", service: service.number, link: target }),
    ),
  );
  return answers.flatMap(({ body }) => body.error ?? []);
}

async function promote({ user }: Reseller, level: string): Promise<void> {
  const path = `/api/admin/topup/members/${user.userId}`;
  const json = { level, reason: "uji batas" };
  expect((await api(path, { method: "PUT", token: admin.token, json })).status).toBe(200);
}

const rich = async () => await createReseller({ amount: 200_000_000 });
const numbered = async (code: string) => {
  const { body } = await panel((await createReseller()).key, { action: "services" });
  const { name } = more;
  const found = body.find((one: { name: string }) => one.name === name);
  return { code, number: Number(found.service) };
};

const FEW =
  'You may have at most 50 orders in progress at a time. For more, ask an admin for the level "reseller"';
const DAY =
  "Orders of one day (Jakarta time) may cost you at most Rp 25.000.000; Rp 24.000.000 are used. " +
  'For more, ask an admin for the level "reseller"';

describe("what a user may order", () => {
  it("at once goes by his level and not by the way: a plain member's key lets him have no more", async () => {
    const someone = await rich();
    const refused = await orderAll(someone, { code: "S10", number: cheap }, await phones(60));
    expect(refused).toEqual(Array.from({ length: 10 }, () => FEW));
    expect(await ordersOf(someone.user.userId)).toHaveLength(50);
    await promote(someone, "reseller");
    expect(await orderAll(someone, { code: "S10", number: cheap }, await phones(10))).toEqual([]);
    await promote(someone, "member");
    expect(await orderAll(someone, { code: "S10", number: cheap }, await phones(2))).toEqual([
      FEW,
      FEW,
    ]);
  });

  it("in a day goes by his level, over app and key together, from any number of requests at once", async () => {
    const dear = await numbered(more.code);
    const someone = await rich();
    expect(await orderAll(someone, dear, await phones(10))).toEqual(
      Array.from({ length: 7 }, () => DAY),
    );
    expect(await ordersOf(someone.user.userId)).toHaveLength(3);
    await promote(someone, "agent");
    expect(await orderAll(someone, dear, await phones(10))).toEqual([]);
    expect(await ordersOf(someone.user.userId)).toHaveLength(13);
  });

  it("unpaid goes by his level too, and so does what he pays of it", async () => {
    const someone = await rich();
    const json = () => ({ service: diamonds.code, gameId: newPhone(), zone: "2611" });
    const quotes = async (count: number) =>
      await Promise.all(
        Array.from({ length: count }, () => byApp(someone.user.token, "game", json())),
      );
    await orderAll(someone, { code: "S10", number: cheap }, await phones(50));
    const [quote] = await quotes(1);
    const { orderNumber } = quote?.body.data ?? {};
    const paid = await byApp(someone.user.token, "process", { orderNumber });
    expect([paid.status, paid.body.message]).toEqual([429, FEW]);
    const refused = (await quotes(52)).filter(({ status }) => status === 429);
    expect(refused.map(({ body }) => body.message)).toEqual(
      Array.from({ length: 3 }, () => FEW.replace("in progress", "unpaid")),
    );
    await promote(someone, "reseller");
    const later = await quotes(3);
    expect(later.map(({ status }) => status)).toEqual([200, 200, 200]);
    const next = { orderNumber: later[0]?.body.data.orderNumber };
    expect((await byApp(someone.user.token, "process", next)).status).toBe(200);
  });
});
