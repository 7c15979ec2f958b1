import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../testing/call.ts";
import { newTarget, type Reseller, startReseller } from "./testing.ts";

let reseller: Reseller;

beforeAll(async () => {
  reseller = await startReseller({ balance: 100_000_000 });
});
afterAll(() => reseller.stop());

const balance = async () => (await reseller.ask("profile")).body.data.balance as number;
const statusOf = async (endpoint: string, trxid: string) =>
  (await reseller.ask(endpoint, { type: "status", trxid })).body.data;
/** An order that only hands move. */
const held = async (endpoint: string, fields: Record<string, string>, target: string) => {
  await reseller.dial(target, { stay: true });
  const { body } = await reseller.ask(endpoint, { type: "order", ...fields });
  if (!body.result) throw new Error(body.message);
  return body.data as Record<string, unknown> & { trxid: string; price: number };
};

describe("the account", () => {
  it("shows its balance and level", async () => {
    expect((await reseller.ask("profile")).body).toEqual({
      result: true,
      message: "Successfully got your account details.",
      data: {
        full_name: "Lumbung Lokal",
        username: "lumbung",
        balance: expect.any(Number),
        point: 0,
        level: "Basic",
        registered: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
      },
    });
  });

  it("pays the price of its level", async () => {
    const best = await startReseller({ level: "special" });
    expect((await best.buy()).body.data.price).toBe(10_350);
    await call("POST", `${best.twin.url}/_account`, { level: "premium" });
    expect((await best.buy()).body.data.price).toBe(10_557);
    await best.stop();
  });
});

describe("an order moves from waiting over processing to its end, told each time", () => {
  it("prepaid, by itself, with a serial number in the note", async () => {
    const target = newTarget();
    await reseller.dial(target, { processMs: 0, finishMs: 0 });
    const { body } = await reseller.buy({ data_no: target });
    expect(body).toMatchObject({
      result: true,
      message: "Pesanan berhasil, pesanan akan diproses.",
      data: { data: target, code: "S10", service: "TELKOMSEL 10.000", status: "waiting", note: "" },
    });
    expect(body.data.trxid).toMatch(/^VP[0-9A-F]{10}$/);
    const told = await reseller.notices(body.data.trxid, 2);
    expect(told.map((one) => one.body.data[0].status)).toEqual(["processing", "success"]);
    const [shown] = await statusOf("prepaid", body.data.trxid);
    expect(shown).toEqual(told[1]?.body.data[0]);
    expect(shown.note).toMatch(/^SN: \d{12}$/);
    expect(shown).not.toHaveProperty("balance");
  });

  it("a game, whose status is an array with the zone and without a time", async () => {
    const target = newTarget("1");
    const fields = { service: "ML86-S1", data_no: target, data_zone: "2001" };
    const { trxid, price } = await held("game-feature", fields, target);
    await reseller.hand("process", trxid);
    await reseller.hand("succeed", trxid, { note: "Diamond masuk" });
    expect(await statusOf("game-feature", trxid)).toEqual([
      {
        trxid,
        data: target,
        zone: "2001",
        service: "Mobile Legends - 86 Diamonds",
        status: "success",
        note: "Diamond masuk",
        price,
      },
    ]);
  });

  it("a voucher, whose code is the note, and whose stock goes down and back", async () => {
    const stock = async () =>
      (await reseller.ask("game-feature", { type: "service-stock", service: "STEAM12000-S1" }))
        .body;
    const before = await stock();
    expect(before).toMatchObject({ message: "Stok tersedia.", data: { server: 1 } });
    const buy = async () => {
      const target = newTarget();
      return await held("game-feature", { service: "STEAM12000-S1", data_no: target }, target);
    };
    const [one, other] = [await buy(), await buy()];
    expect((await stock()).data.stock).toBe(before.data.stock - 2);
    await reseller.hand("fail", one.trxid);
    await reseller.hand("succeed", other.trxid);
    expect((await stock()).data.stock).toBe(before.data.stock - 1);
    const [shown] = await statusOf("game-feature", other.trxid);
    expect(shown.note).toMatch(/^([0-9A-F]{4}-){3}[0-9A-F]{4}$/);
  });

  it("the last one of a stock is sold once", async () => {
    const code = "GP10000-S1";
    await call("POST", `${reseller.twin.url}/_services/${code}`, { stock: 1 });
    const buys = [newTarget(), newTarget()].map((data_no) =>
      reseller.ask("game-feature", { type: "order", service: code, data_no }),
    );
    const results = (await Promise.all(buys)).map((one) => one.body.result);
    expect(results.sort()).toEqual([false, true]);
  });

  it("boosting, for each star", async () => {
    const target = `${newTarget("b")}@example.com`;
    const order = await held(
      "game-feature",
      {
        service: "JOKI3-S1",
        data_no: target,
        data_zone: "rahasia",
        additional_data: "Moonton|Budi|Layla|malam",
        quantity: "3",
      },
      target,
    );
    expect(order).toMatchObject({ additional_data: "Moonton|Budi|Layla|malam", price: 3 * 5720 });
  });

  it("social media, partly delivered and the rest paid back", async () => {
    const target = newTarget("a");
    const before = await balance();
    const fields = { service: "1001", data: target, quantity: "1000" };
    const { trxid, price } = await held("social-media", fields, target);
    expect(await balance()).toBe(before - price);
    await reseller.hand("partial", trxid, { remain: 250 });
    const [shown] = await statusOf("social-media", trxid);
    expect(shown).toMatchObject({
      status: "partial",
      quantity: 1000,
      remain: 250,
      count: expect.any(Number),
    });
    expect(await balance()).toBe(before - price + price / 4);
  });

  it("an error is paid back, and final unless forced", async () => {
    const before = await balance();
    const target = newTarget();
    const { trxid } = await held("prepaid", { service: "S10", data_no: target }, target);
    await reseller.hand("fail", trxid, { note: "Nomor salah." });
    expect(await balance()).toBe(before);
    expect((await statusOf("prepaid", trxid))[0]).toMatchObject({
      status: "error",
      note: "Nomor salah.",
    });
    expect((await reseller.hand("succeed", trxid)).status).toBe(409);
    expect((await reseller.hand("partial", trxid)).status).toBe(409);
    await reseller.hand("succeed", trxid, { force: true });
    expect(await balance()).toBeLessThan(before);
  });

  it("a game id that belongs to nobody is taken and ends in error", async () => {
    const target = newTarget("0");
    await reseller.dial(target, { processMs: 0, finishMs: 0 });
    const fields = { type: "order", service: "FF50-S1", data_no: target };
    const { trxid } = (await reseller.ask("game-feature", fields)).body.data;
    const told = await reseller.notices(trxid, 2);
    expect(told[1]?.body.data).toMatchObject({
      status: "error",
      note: "User ID atau Zone ID salah.",
    });
  });
});

it("an order sent twice buys twice: only target, zone and service tell", async () => {
  const before = await balance();
  const fields = { data_no: newTarget(), ref_id: "ours-1" };
  const [one, other] = [await reseller.buy(fields), await reseller.buy(fields)];
  expect(one.body.data.trxid).not.toBe(other.body.data.trxid);
  expect(await balance()).toBe(before - 2 * one.body.data.price);
  const { body } = await reseller.ask("prepaid", { type: "status", limit: "20" });
  const same = body.data.filter((order: Record<string, unknown>) => order.data === fields.data_no);
  expect(same.map((order: Record<string, unknown>) => order.trxid)).toEqual([
    other.body.data.trxid,
    one.body.data.trxid,
  ]);
});

it("shows people the account and the orders, escaped, with buttons", async () => {
  const target = `<b>${newTarget("c")}</b>`;
  const fields = { service: "1050", data: target, quantity: "1000" };
  const { trxid } = await held("social-media", fields, target);
  const page = await call("GET", `${reseller.twin.url}/`);
  expect(page.text).toContain("&lt;b&gt;");
  expect(page.text).toContain(`action="/_partial/${trxid}"`);
  const pressed = await fetch(`${reseller.twin.url}/_succeed/${trxid}`, {
    method: "POST",
    redirect: "manual",
    headers: { accept: "text/html" },
    body: new URLSearchParams(),
  });
  expect(pressed.status).toBe(303);
  const order = await call("GET", `${reseller.twin.url}/_orders/${trxid}`);
  expect(order.body).toMatchObject({ status: "success", code: "1050" });
});
