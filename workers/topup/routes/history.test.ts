import { beforeAll, describe, expect, it } from "vitest";
import { api, type TestAnswer } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { followOrders } from "../orders/follow.ts";
import { placePrepaid } from "../orders/place.ts";
import { bench } from "../testing/bench.ts";
import { theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const { credit, diamonds, likes } = SERVICES;
const DAY_MS = 86_400_000;

const history = (user: TestUser, query = ""): Promise<TestAnswer> =>
  api(`/api/orders/history${query}`, { token: user.token });
const numbers = async (user: TestUser, query = "") =>
  (await history(user, query)).body.data.orders.map(
    (one: { orderNumber: string }) => one.orderNumber,
  );

async function buy(user: TestUser, agoMs = 0) {
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000, laterMs: -agoMs });
  await placePrepaid(ctx, { service: credit.code, phoneNumber });
  await settle();
  return await theOrderOf(phoneNumber);
}

const post = (kind: string, user: TestUser, json: unknown) =>
  api(`/api/orders/${kind}`, { method: "POST", token: user.token, json });

describe("GET /api/orders/history", () => {
  it("tells a buyer of all of his orders, newest first, with the token that he bought", async () => {
    const user = await customer();
    const first = await buy(user);
    await hand("succeed", first.trxid ?? "", { note: "1111-2222" });
    await followOrders(bench({ laterMs: 60_000, timeoutMs: 3_000 }).ctx);
    const game = { service: diamonds.code, gameId: newPhone(), zone: "2611" };
    const quote = (await post("game", user, game)).body.data;
    const { status, body } = await history(user);
    expect([status, body.success, body.data.next]).toEqual([200, true, null]);
    expect(body.data.orders).toMatchObject([
      {
        ...{ type: "game", orderNumber: quote.orderNumber, status: "PENDING", sn: null },
        ...{ paidAt: null, finishedAt: null, expiresAt: quote.expiresAt },
      },
      {
        ...{ type: "prepaid", orderNumber: first.number, status: "SUCCESS", sn: "1111-2222" },
        ...{ totalAmount: credit.price, finishedAt: expect.any(String), expiresAt: null },
      },
    ]);
  });

  it("goes through them page by page, none twice and none left out", async () => {
    const user = await customer();
    const all: string[] = [];
    for (let more = 0; more < 5; more += 1) all.unshift((await buy(user)).number);
    const seen: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const { data }: TestAnswer["body"] = (
        await history(user, `?limit=2${next && `&cursor=${next}`}`)
      ).body;
      seen.push(...data.orders.map((one: { orderNumber: string }) => one.orderNumber));
      next = data.next;
    }
    expect(seen).toEqual(all);
  });

  it("finds them by status, kind, target, number and supplier's id", async () => {
    const user = await customer();
    const order = await buy(user);
    const target = `@${newPhone()}`;
    await dial(target, { stay: true });
    const wanted = { service: likes.code, target, quantity: 100 };
    const social = (await post("social-media", user, wanted)).body.data.orderNumber;
    const game = { service: diamonds.code, gameId: newPhone(), zone: "2611" };
    const unpaid = (await post("game", user, game)).body.data.orderNumber;
    expect(await numbers(user, "?status=PENDING")).toEqual([unpaid]);
    expect(await numbers(user, "?status=PROCESSING")).toEqual([social, order.number]);
    expect(await numbers(user, "?status=REFUNDED")).toEqual([]);
    expect(await numbers(user, "?type=social-media")).toEqual([social]);
    expect(await numbers(user, "?type=game&status=&from=&search=")).toEqual([unpaid]);
    for (const search of [order.target, order.number, order.trxid ?? ""]) {
      expect(await numbers(user, `?search=${search}`)).toEqual([order.number]);
    }
    expect(await numbers(user, "?search=0812")).toEqual([]);
  });

  it("counts days as Jakarta does", async () => {
    const user = await customer();
    const order = await buy(user);
    const jakarta = (moment: Date) =>
      new Date(moment.getTime() + 7 * 3_600_000).toISOString().slice(0, 10);
    const today = jakarta(order.createdAt);
    const yesterday = jakarta(new Date(order.createdAt.getTime() - DAY_MS));
    expect(await numbers(user, `?from=${today}&to=${today}`)).toEqual([order.number]);
    expect(await numbers(user, `?to=${yesterday}`)).toEqual([]);
    expect(await numbers(user, `?from=${yesterday}&to=${yesterday}`)).toEqual([]);
  });

  it("shows nobody another's orders, an admin neither, and nothing to him who has none", async () => {
    const order = await buy(await customer());
    for (const other of [await customer(), await createUser(["admin"])]) {
      const { status, body } = await history(other, `?search=${order.target}`);
      expect([status, body]).toEqual([200, { success: true, data: { orders: [], next: null } }]);
      expect(await numbers(other)).toEqual([]);
    }
  });

  it.each(["status=LOST", "type=pulsa", "from=22-11-2026", "from=2026-02-30", "cursor=7"])(
    "refuses %s, and says which parameter it is",
    async (query) => {
      const { status, body } = await history(await customer(), `?${query}`);
      const words = expect.stringContaining(query.split("=")[0] ?? "");
      expect([status, body]).toEqual([400, failureBody("topup", 400, words)]);
    },
  );
});
