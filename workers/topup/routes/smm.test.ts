import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import {
  askAbout,
  createReseller,
  instagram,
  ordersOf,
  panel,
  phone,
  stockService,
  vipTwin,
} from "../testing/reseller.ts";

let social: { id: string; number: number };
let prepaid: { id: string; number: number };
let game: { id: string; number: number };
beforeAll(async () => {
  social = await stockService("social");
  prepaid = await stockService("prepaid");
  game = await stockService("game");
});

describe("the panel dialect", () => {
  it("lists what can be bought, in the shapes that panels read", async () => {
    const { key } = await createReseller();
    const { status, body } = await panel(key, { action: "services" });
    expect(status).toBe(200);
    expect(body).toContainEqual({
      service: social.number,
      name: "Instagram Followers Indonesia",
      type: "Default",
      // A sync of another test may have told the supplier's own word for it.
      category: expect.stringMatching(/^Instagram/),
      rate: "21000",
      min: "50",
      max: "10000",
      refill: false,
      cancel: false,
    });
    expect(body).toContainEqual(
      expect.objectContaining({ service: prepaid.number, type: "Package", min: "1", max: "1" }),
    );
  });

  it("lists names with whatever a supplier may write in them, word for word", async () => {
    const { key } = await createReseller();
    const name = `"Pulsa" \\ 5.000\n</b>\u2028 \u{1F381} ${unique()}`;
    const add = sql`insert into topup_services (family, code, name, brand, category, target_kind, supplier_price, price)
      values ('prepaid', ${unique("S")}, ${name}, ${name}, '', 'phone', 5000, 6000) returning id`;
    const [made] = await testContext().db.run(rows(add, z.object({ id: z.string() })));
    const listed = (await panel(key, { action: "services" })).body;
    expect(listed).toContainEqual(
      expect.objectContaining({ name, category: name, rate: "6000", min: "1", max: "1" }),
    );
    const end = sql`update topup_services set status = 'gone' where id = ${made?.id}`;
    await testContext().db.run(rows(end, z.unknown()));
  });

  it("asks the price of the reseller's own level, which is what an order costs", async () => {
    const { key, user } = await createReseller();
    await testContext().db.run(
      rows(
        sql`with level as (insert into topup_members (user_id, level) values (${user.userId}, 'agent'))
          insert into topup_margin_rules (member_level, percent_bp) values ('agent', 100)
          on conflict on constraint topup_margin_rules_scope_key do nothing`,
        z.unknown(),
      ),
    );
    const listed = (await panel(key, { action: "services" })).body;
    const { rate } = listed.find((one: { service: number }) => one.service === social.number);
    expect(rate).toBe("20200");
    await panel(key, { action: "add", service: social.number, link: instagram(), quantity: 500 });
    expect(await ordersOf(user.userId)).toMatchObject([{ amount: 10_100 }]);
  });

  it("costs what it costs now, or no more than its caller says: a price that rose since is refused in words", async () => {
    const { key, user } = await createReseller({ amount: 100_000 });
    const add = (max_charge: string, more = {}) =>
      panel(key, {
        ...{ action: "add", service: social.number, link: instagram(), quantity: 500 },
        ...{ max_charge, ...more },
      });
    expect((await add("10499.99")).body).toEqual({
      error: "The charge of this order is 10500 now",
    });
    for (const nonsense of ["-1", "1.000.000", "10,500", "Rp10500", "1e9"]) {
      expect((await add(nonsense)).body).toEqual({ error: "Incorrect request" });
    }
    expect(await ordersOf(user.userId)).toEqual([]);
    expect(await balance("wallet", user.userId)).toBe(100_000);
    const idempotency_key = unique();
    const [link, same] = [instagram(), { idempotency_key }];
    const refused = await add("100", { ...same, link });
    expect(refused.body).toEqual({ error: "The charge of this order is 10500 now" });
    expect((await add("10500", { ...same, link })).body).toEqual({ order: expect.any(Number) });
    expect((await add("10500.00")).body).toEqual({ order: expect.any(Number) });
    expect((await add("")).body).toEqual({ order: expect.any(Number) });
    expect(await ordersOf(user.userId)).toHaveLength(3);
  });

  it("sells a social service by quantity, tells its status, and gives the rest of a partial one back", async () => {
    const { key, keyId, user } = await createReseller({ amount: 100_000 });
    const link = instagram();
    await vipTwin("/_dials", { stay: { match: link } }, "PUT");
    const added = await panel(key, { action: "add", service: social.number, link, quantity: 1000 });
    expect(added).toMatchObject({ status: 200, body: { order: expect.any(Number) } });
    const { order } = added.body;
    expect((await panel(key, { action: "balance" })).body).toEqual({
      balance: "79000",
      currency: "IDR",
    });
    expect((await panel(key, { action: "status", order })).body).toMatchObject({
      charge: "21000",
      remains: "1000",
      currency: "IDR",
    });
    const [row] = await ordersOf(user.userId);
    expect(row).toMatchObject({ key_id: keyId });

    await expect
      .poll(async () => (await ordersOf(user.userId))[0]?.trxid)
      .toEqual(expect.any(String));
    const trxid = (await ordersOf(user.userId))[0]?.trxid ?? "";
    expect((await panel(key, { action: "status", order })).body.status).toBe("In progress");
    await vipTwin(`/_partial/${trxid}`, { remain: 157 });
    await askAbout(user, trxid);
    const { body } = await panel(key, { action: "status", order });
    expect(body).toEqual({
      charge: String(21_000 - Math.ceil((21_000 * 157) / 1000)),
      start_count: expect.stringMatching(/^\d+$/),
      status: "Partial",
      remains: "157",
      currency: "IDR",
    });
    expect((await panel(key, { action: "balance" })).body.balance).toBe(
      String(100_000 - Number(body.charge)),
    );
    expect(await balance("escrow", `topup:${user.userId}`)).toBe(0);
  });

  it("sells credit with its serial number, and a game's item with its zone in the link or beside it", async () => {
    const { key, user } = await createReseller();
    const bought = await panel(key, { action: "add", service: prepaid.number, link: phone() });
    for (const fields of [{ link: "12345678|2001" }, { link: "12345679", zone: "2001" }]) {
      const item = await panel(key, { action: "add", service: game.number, ...fields });
      expect(item.body, JSON.stringify(item.body)).toEqual({ order: expect.any(Number) });
    }
    await expect
      .poll(async () => (await ordersOf(user.userId))[0]?.trxid)
      .toEqual(expect.any(String));
    const trxid = (await ordersOf(user.userId))[0]?.trxid ?? "";
    await vipTwin(`/_succeed/${trxid}`).catch(() => undefined);
    await askAbout(user, trxid);
    expect((await panel(key, { action: "status", order: bought.body.order })).body).toMatchObject({
      status: "Completed",
      remains: "0",
      sn: expect.stringMatching(/^SN: \d+/),
    });
  });

  it("sells to clients that write that they have nothing for a field, in their language's word for it", async () => {
    const { key } = await createReseller();
    const add = async (service: number, more: Record<string, string | number>) =>
      (await panel(key, { action: "add", service, link: instagram(), quantity: 100, ...more }))
        .body;
    const sold = { order: expect.any(Number) };
    for (const word of ["undefined", "null", "None", "", "0"]) {
      const others = { hashtag: word, media: word, keywords: word, groups: word };
      const nothing = { runs: word, interval: word, comments: word, ...others };
      expect(await add(social.number, nothing), word).toEqual(sold);
    }
    const nothing = { quantity: "undefined", zone: "undefined", runs: "undefined" };
    const { order } = await add(prepaid.number, { ...nothing, link: phone() });
    const one = (await panel(key, { action: "status", order, orders: "" })).body;
    expect(one).toMatchObject({ currency: "IDR" });
    expect(await add(game.number, { ...nothing, link: "12345680|2001" })).toEqual(sold);
    expect(await add(social.number, { quantity: "undefined" })).toEqual({
      error: "neworder.error.min_quantity",
    });
  });

  it("tells many orders at once, and of each that is not his own that it does not know it", async () => {
    const [mine, other] = [await createReseller(), await createReseller()];
    const add = (key: string) =>
      panel(key, { action: "add", service: social.number, link: instagram(), quantity: 100 });
    const [a, b, c] = [await add(mine.key), await add(mine.key), await add(other.key)];
    const orders = [a.body.order, b.body.order, c.body.order, 7, "x"].join(",");
    const { body } = await panel(mine.key, { action: "status", orders });
    expect(body).toEqual({
      [a.body.order]: expect.objectContaining({ currency: "IDR", charge: "2100" }),
      [b.body.order]: expect.objectContaining({ currency: "IDR" }),
      [c.body.order]: { error: "Incorrect order ID" },
      7: { error: "Incorrect order ID" },
      x: { error: "Incorrect order ID" },
    });
    expect((await panel(mine.key, { action: "status", order: c.body.order })).body).toEqual({
      error: "Incorrect order ID",
    });
    // A client that has one name for both puts the list there.
    expect((await panel(mine.key, { action: "status", order: orders })).body).toEqual(body);
    const refills = (await panel(mine.key, { action: "refill", order: `${a.body.order},7` })).body;
    expect(refills).toEqual([
      { order: a.body.order, refill: { error: "Refill is not available" } },
      { order: 7, refill: { error: "Incorrect order ID" } },
    ]);
    const many = Array.from({ length: 101 }, (_, i) => i + 1).join(",");
    for (const fields of [{ orders: many }, { order: many }]) {
      expect((await panel(mine.key, { action: "status", ...fields })).body).toEqual({
        error: "Too many orders, the limit is 100",
      });
    }
  });

  it("refuses refills and cancellations, which the supplier does not have, in each of their shapes", async () => {
    const { key } = await createReseller();
    const fields = { action: "add", service: social.number, link: instagram(), quantity: 100 };
    const { order } = (await panel(key, fields)).body;
    const ask = async (more: Record<string, string | number>) =>
      (await panel(key, more as never)).body;
    expect(await ask({ action: "refill", order })).toEqual({ error: "Refill is not available" });
    expect(await ask({ action: "refill", order: 1 })).toEqual({ error: "Incorrect order ID" });
    expect(await ask({ action: "refill", orders: `${order},1` })).toEqual([
      { order, refill: { error: "Refill is not available" } },
      { order: 1, refill: { error: "Incorrect order ID" } },
    ]);
    expect(await ask({ action: "cancel", orders: `${order},1` })).toEqual([
      { order, cancel: { error: "Cancel is not available" } },
      { order: 1, cancel: { error: "Incorrect order ID" } },
    ]);
  });

  it("tells of each refill that it does not know it, for none was ever made: one by itself, many as a list", async () => {
    const { key } = await createReseller();
    const ask = async (more: Record<string, string | number>) =>
      (await panel(key, { action: "refill_status", ...more })).body;
    const error = "Refill not found";
    expect(await ask({ refill: 1 })).toEqual({ error });
    expect(await ask({ refill: 1, refills: "null" })).toEqual({ error });
    const each = [
      { refill: 1, status: { error } },
      { refill: 2, status: { error } },
      { refill: "x", status: { error } },
    ];
    expect(await ask({ refills: "1, 2,x" })).toEqual(each);
    expect(await ask({ refill: "1,2,x", refills: "" })).toEqual(each);
    expect(await ask({ refills: 1 })).toEqual(each.slice(0, 1));
    const many = Array.from({ length: 101 }, (_, i) => i + 1).join(",");
    expect(await ask({ refills: many })).toEqual({ error: "Too many refills, the limit is 100" });
    const reader = await createReseller({ key: { scopes: ["orders:read"] } });
    expect((await panel(reader.key, { action: "refill_status", refill: 1 })).body).toEqual({
      error,
    });
    expect((await panel("lumbung_x", { action: "refill_status", refill: 1 })).body).toEqual({
      error: "Invalid API key",
    });
  });

  it("takes forms, multipart forms and JSON alike", async () => {
    const { key } = await createReseller({ amount: 12_345 });
    const form = new FormData();
    form.set("key", key);
    form.set("action", "balance");
    const json = { key, action: "balance" };
    for (const call of [{ body: form }, { json }, { body: new URLSearchParams(json) }]) {
      expect(await api("/api/v2", { method: "POST", ...call })).toMatchObject({
        status: 200,
        body: { balance: "12345", currency: "IDR" },
      });
    }
    const slash = { method: "POST", body: new URLSearchParams({ key, action: "balance" }) };
    expect(await api("/api/v2/", slash)).toMatchObject({ status: 200, body: { balance: "12345" } });
    const unknown = { ...slash, body: new URLSearchParams({ key: "x", action: "balance" }) };
    expect(await api("/api/v2/", unknown)).toMatchObject({
      status: 200,
      body: { error: "Invalid API key" },
    });
    const orders = await api("/api/v2", {
      method: "POST",
      json: { key, action: "status", orders: [1, 2] },
    });
    expect(Object.keys(orders.body)).toEqual(["1", "2"]);
  });
});
