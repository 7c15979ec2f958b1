import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import {
  createReseller,
  instagram,
  ordersOf,
  panel,
  phone,
  stockService,
  vipTwin,
} from "../testing/reseller.ts";

let social: { id: string; number: number };
beforeAll(async () => {
  social = await stockService("social");
});

describe("a mistake in the panel dialect", () => {
  it.each<[string, Record<string, string | number>]>([
    ["Incorrect service ID", { service: 1, link: "a", quantity: 100 }],
    ["Incorrect service ID", { service: "x", link: "a", quantity: 100 }],
    ["Incorrect service ID", { link: "a", quantity: 100 }],
    ["neworder.error.link", { quantity: 100 }],
    ["neworder.error.link", { link: "bukan tautan", quantity: 100 }],
    ["neworder.error.link", { link: "a", quantity: 100, zone: "z".repeat(101) }],
    ["neworder.error.link", { link: "a\0", quantity: 100 }],
    ["neworder.error.link", { link: "a", quantity: 100, zone: "\0" }],
    ["Incorrect request", { link: "a", quantity: 100, idempotency_key: "k".repeat(256) }],
    ["Incorrect request", { link: "a", quantity: 100, idempotency_key: "k\0" }],
    ["neworder.error.min_quantity", { link: "a" }],
    ["neworder.error.min_quantity", { link: "a", quantity: 49 }],
    ["neworder.error.min_quantity", { link: "a", quantity: 0 }],
    ["neworder.error.min_quantity", { link: "a", quantity: -100 }],
    ["neworder.error.min_quantity", { link: "a", quantity: "100.5" }],
    ["neworder.error.min_quantity", { link: "a", quantity: "1e3" }],
    ["neworder.error.max_quantity", { link: "a", quantity: 10_001 }],
    ["neworder.error.max_quantity", { link: "a", quantity: "9".repeat(30) }],
    ["This order type is not available", { link: "a", quantity: 100, runs: 5, interval: 10 }],
    ["This order type is not available", { link: "a", comments: "bagus" }],
    ["This order type is not available", { link: "a", quantity: 100, hashtag: "pesta" }],
    ["This order type is not available", { link: "a", quantity: 100, media: "https://a/p/1" }],
    ["This order type is not available", { link: "a", quantity: 100, keywords: "kopi" }],
    ["This order type is not available", { link: "a", quantity: 100, groups: "grup" }],
    ["This order type is not available", { link: "a", quantity: 100, usernames: "budi" }],
    ["This order type is not available", { link: "a", quantity: 100, username: "budi" }],
    ["This order type is not available", { link: "a", quantity: 100, hashtags: "pesta" }],
    ["This order type is not available", { link: "a", quantity: 100, answer_number: "2" }],
  ])("is answered 200 with %s (%j), and costs nothing", async (error, fields) => {
    const { key, user } = await createReseller({ amount: 50_000 });
    const service =
      "service" in fields || error === "Incorrect service ID" ? {} : { service: social.number };
    const answer = await panel(key, { action: "add", ...service, ...fields });
    expect(answer).toMatchObject({ status: 200, body: { error } });
    expect(await ordersOf(user.userId)).toEqual([]);
    expect(await balance("wallet", user.userId)).toBe(50_000);
  });

  it("is a link to another platform than the service's: it costs nothing, says why, and leaves its key free", async () => {
    const { key, user } = await createReseller({ amount: 50_000 });
    const add = async (link: string) => {
      const fields = { action: "add", service: social.number, link, quantity: 100 };
      return await panel(key, { ...fields, idempotency_key: "tautan-1" });
    };
    for (const link of ["https://tiktok.com/@x", "https://toko.example/x", "www.tiktok.com"]) {
      expect(await add(link)).toMatchObject({
        status: 200,
        body: {
          error: "neworder.error.link",
          message: "Target must be a link or a username on Instagram (instagram.com)",
        },
      });
    }
    expect(await ordersOf(user.userId)).toEqual([]);
    expect(await balance("wallet", user.userId)).toBe(50_000);
    expect((await add(instagram())).body).toEqual({ order: expect.any(Number) });
  });

  it("is none in a repeat with its key: that is the first order, though its service has gone", async () => {
    const service = await stockService("prepaid");
    const { key } = await createReseller();
    const fields = {
      action: "add",
      service: service.number,
      link: phone(),
      idempotency_key: "k-1",
    };
    const first = (await panel(key, fields)).body;
    expect(first).toEqual({ order: expect.any(Number) });
    const shelf = async (status: string) =>
      await testContext().db.run(
        rows(
          sql`update topup_services set status = ${status} where id = ${service.id}`,
          z.unknown(),
        ),
      );
    await shelf("gone");
    expect((await panel(key, fields)).body).toEqual(first);
    // A key of a refused call is free: what it asked for can be had once it is there.
    const later = { ...fields, link: phone(), idempotency_key: "k-2" };
    expect((await panel(key, later)).body).toEqual({ error: "Incorrect service ID" });
    await shelf("available");
    expect((await panel(key, later)).body).toEqual({ order: expect.any(Number) });
  });

  it("is told in words of what is listed and cannot be bought at this moment: it has no more, or is being maintained", async () => {
    const { key, user } = await createReseller();
    const add = async ({ number }: { number: number }) =>
      (await panel(key, { action: "add", service: number, link: phone() })).body;
    const item = await stockService("prepaid", { stock: 0 });
    const shelf = async (set: ReturnType<typeof sql>) =>
      await testContext().db.run(
        rows(sql`update topup_services set ${set} where id = ${item.id}`, z.unknown()),
      );
    const listed = async () =>
      (await panel(key, { action: "services" })).body.some(
        (one: { service: number }) => one.service === item.number,
      );
    expect(await listed()).toBe(true);
    expect(await add(item)).toEqual({ error: "Out of stock" });
    const clock = (hours: number) =>
      sql`to_char(now() at time zone 'Asia/Jakarta' + make_interval(hours => ${hours}), 'HH24:MI')`;
    await shelf(sql`stock = 5, maintenance = ${clock(-1)} || ' - ' || ${clock(1)}`);
    expect(await listed()).toBe(true);
    expect(await add(item)).toEqual({ error: "Service not available" });
    // What the list leaves out is no service at all.
    await shelf(sql`maintenance = null, stock_type = 'OUT_OF_STOCK'`);
    expect(await listed()).toBe(false);
    expect(await add(item)).toEqual({ error: "Incorrect service ID" });
    expect(await ordersOf(user.userId)).toEqual([]);
    await shelf(sql`stock_type = 'LIMITED'`);
    expect(await add(item)).toEqual({ order: expect.any(Number) });
  });

  it("is told of a wallet that does not hold enough", async () => {
    const { key } = await createReseller({ amount: 20_999 });
    const fields = { action: "add", service: social.number, link: instagram(), quantity: 1000 };
    expect((await panel(key, fields)).body).toEqual({ error: "neworder.error.not_enough_funds" });
  });

  it("is told of a like order of a moment ago; with a key of the caller's own it is the same order", async () => {
    const { key, user } = await createReseller();
    const fields = { action: "add", service: social.number, link: instagram(), quantity: 100 };
    const once = { ...fields, idempotency_key: "pesanan-1" };
    const [first, again] = [await panel(key, once), await panel(key, once)];
    expect(again.body).toEqual(first.body);
    const header = await panel(key, fields, { headers: { "idempotency-key": "pesanan-1" } });
    expect(header.body).toEqual(first.body);
    expect((await panel(key, fields)).body).toEqual({ error: "neworder.error.link_duplicate" });
    expect(await ordersOf(user.userId)).toHaveLength(1);
  });

  it("is told of a like order in another spelling of its target, not of one for another target", async () => {
    const { key } = await createReseller();
    const name = unique("dua").toLowerCase();
    const at = "instagram.com";
    const add = async (link: string) => {
      await vipTwin("/_dials", { stay: { match: link } }, "PUT");
      return (await panel(key, { action: "add", service: social.number, link, quantity: 100 }))
        .body;
    };
    const sold = { order: expect.any(Number) };
    expect(await add(`https://${at}/${name}`)).toEqual(sold);
    const same = [`https://www.${at}/${name}/`, `http://${at.toUpperCase()}/${name}?igsh=1`];
    for (const link of [...same, `@${name}`, name, name.toUpperCase()]) {
      expect(await add(link), link).toEqual({ error: expect.any(String) });
    }
    // The letters of a post's id tell posts apart.
    for (const link of [`https://${at}/p/${name}`, `https://${at}/p/${name.toUpperCase()}`]) {
      expect(await add(link), link).toEqual(sold);
    }
  });

  it.each(["12345|2001|33", "12345|2001|", "12345|", "|2001"])(
    "in the link of a game (%s) buys for no other player",
    async (link) => {
      const { key, user } = await createReseller();
      const game = await stockService("game");
      expect(await panel(key, { action: "add", service: game.number, link })).toMatchObject({
        status: 200,
        body: { error: "neworder.error.link" },
      });
      expect(await ordersOf(user.userId)).toEqual([]);
    },
  );

  it("is told of a game order that was refused, also when it is asked for again under its key", async () => {
    const { key, user } = await createReseller();
    const game = await stockService("game");
    const player = phone();
    const say = { match: player, value: "Nomor salah.", count: 1 };
    await vipTwin("/_dials", { say }, "PUT");
    const fields = { action: "add", service: game.number, link: `${player}|2001` };
    const once = { ...fields, idempotency_key: "permainan-1" };
    for (let n = 0; n < 2; n += 1) {
      expect((await panel(key, once)).body).toEqual({
        error: "Order failed: The number or target is wrong",
      });
    }
    expect(await ordersOf(user.userId)).toMatchObject([{ state: "failed" }]);
    expect(await balance("wallet", user.userId)).toBe(1_000_000);
  });

  it.each<[string, Record<string, unknown>]>([
    ["Incorrect request", { action: "delete" }],
    ["Incorrect request", { action: "constructor" }],
    ["Incorrect request", {}],
    ["Incorrect request", { action: "status" }],
    ["Incorrect request", { action: "status", orders: " , " }],
    ["Incorrect request", { action: "status", order: "," }],
    ["Incorrect request", { action: "refill_status" }],
    ["Incorrect request", { action: "refill_status", refills: "," }],
  ])("is answered with %s (%j)", async (error, json) => {
    const { key } = await createReseller();
    const answer = await api("/api/v2", { method: "POST", json: { key, ...json } });
    expect(answer).toMatchObject({ status: 200, body: { error } });
  });

  it("of any body is answered in the dialect's envelope", async () => {
    for (const [body, type] of [
      ["{", "application/json"],
      ["[]", "application/json"],
      ['{"key":{"a":1}}', "application/json"],
      ["--x", "multipart/form-data"],
      ["--x", "multipart/form-data; boundary=y"],
      ["%ff%00", "application/x-www-form-urlencoded"],
      ["", "text/plain"],
    ] as const) {
      const answer = await api("/api/v2", {
        method: "POST",
        body,
        headers: { "content-type": type },
      });
      expect(answer, body).toMatchObject({ status: 200, body: { error: expect.any(String) } });
      expect(Object.keys(answer.body)).toEqual(["error"]);
    }
    const large = { method: "POST", body: "x".repeat(300_000) };
    expect(await api("/api/v2", large)).toMatchObject({
      status: 413,
      body: { error: expect.any(String) },
    });
  });

  it.each(["GET", "PUT", "PATCH", "DELETE"])(
    "of the method %s is 405 in its envelope",
    async (method) => {
      const { key } = await createReseller();
      const answer = await api(`/api/v2?key=${key}&action=balance`, { method });
      expect(answer).toMatchObject({ status: 405, body: { error: "Incorrect request" } });
    },
  );
});
