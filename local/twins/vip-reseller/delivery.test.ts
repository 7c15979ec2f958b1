import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accountSign } from "./signature.ts";
import { apiId, apiKey, dataOf, newTarget, type Reseller, sign, startReseller } from "./testing.ts";

let reseller: Reseller;

beforeAll(async () => {
  reseller = await startReseller();
});
afterAll(() => reseller.stop());

/** An order that only hands move, and so tells nothing by itself. */
const held = async (endpoint = "prepaid", fields: Record<string, string> = {}) => {
  const target = newTarget("1");
  await reseller.dial(target, { stay: true });
  const wanted = endpoint === "social-media" ? { data: target } : { data_no: target };
  const order = { type: "order", service: "S10", ...wanted, ...fields };
  const { body } = await reseller.ask(endpoint, order);
  if (!body.result) throw new Error(body.message);
  return { trxid: body.data.trxid as string, target };
};
const profile = async () => (await reseller.ask("profile")).body.data.balance as number;

describe("a notice", () => {
  it("has an object in `data` for games and social media, a list for prepaid, under one header", async () => {
    const game = await held("game-feature", { service: "FF50-S1" });
    const social = await held("social-media", { service: "1001", quantity: "100" });
    const prepaid = await held();
    for (const { trxid } of [game, social, prepaid]) await reseller.hand("succeed", trxid);
    const [ofGame] = await reseller.notices(game.trxid, 1);
    expect(ofGame?.headers["x-client-signature"]).toBe(sign);
    expect(ofGame?.body).toEqual({
      data: {
        trxid: game.trxid,
        data: game.target,
        zone: "",
        service: "Free Fire - 50 Diamonds",
        status: "success",
        note: expect.stringContaining("SN"),
        price: expect.any(Number),
      },
    });
    const [ofSocial] = await reseller.notices(social.trxid, 1);
    expect(ofSocial?.body.data).toMatchObject({ remain: 0, quantity: 100 });
    const [ofPrepaid] = await reseller.notices(prepaid.trxid, 1);
    expect(ofPrepaid?.body).toMatchObject({ result: true, data: [{ code: "S10" }] });
  });

  it("that fails is not repeated, unless a dial says so", async () => {
    const { trxid } = await held();
    reseller.receiver.answers.push({ status: 500 });
    await reseller.hand("succeed", trxid);
    expect(reseller.twin.notices(trxid)).toMatchObject([{ state: "failed", attempts: [{}] }]);
    const other = await held();
    await reseller.dial(other.target, { resend: 2, retryScale: 0 });
    reseller.receiver.answers.push({ status: 500 });
    await reseller.hand("succeed", other.trxid);
    await reseller.notices(other.trxid, 2);
  });

  it("is changed by hand, whatever the signature, which binds nothing", async () => {
    const { trxid } = await held();
    await reseller.hand("notify", trxid, { status: "success", note: "SN: 1" });
    await reseller.hand("notify", trxid, { sign: false });
    await reseller.hand("notify", trxid, { times: 2 });
    const got = await reseller.notices(trxid, 4);
    expect(got.map((one) => dataOf(one).status)).toEqual([
      "success",
      "waiting",
      "waiting",
      "waiting",
    ]);
    const forged = accountSign(apiKey, apiId);
    expect(got.map((one) => one.headers["x-client-signature"])).toEqual([sign, forged, sign, sign]);
    const { body } = await reseller.ask("prepaid", { type: "status", trxid });
    expect(body.data[0].status).toBe("waiting");
  });
});

describe("dials on notices touch only what they match", () => {
  it("lose, duplicate, forge, swapShape", async () => {
    const [lost, doubled, forged, swapped] = await Promise.all(
      Array.from({ length: 4 }, () => held()),
    );
    if (!lost || !doubled || !forged || !swapped) throw new Error("no orders");
    await reseller.dial(lost.target, { lose: true });
    await reseller.dial(doubled.target, { duplicate: 2 });
    await reseller.dial(forged.target, { forge: true });
    await reseller.dial(swapped.target, { swapShape: true });
    for (const { trxid } of [lost, doubled, forged, swapped]) await reseller.hand("fail", trxid);
    expect(await reseller.notices(doubled.trxid, 3)).toHaveLength(3);
    const [bad] = await reseller.notices(forged.trxid, 1);
    expect(bad?.headers["x-client-signature"]).not.toBe(sign);
    const [plain] = await reseller.notices(swapped.trxid, 1);
    expect(plain?.body.data).toMatchObject({ trxid: swapped.trxid, status: "error" });
    expect(reseller.twin.notices(lost.trxid)).toMatchObject([{ state: "lost" }]);
  });

  it("earlyNotice comes before the order is answered", async () => {
    const target = newTarget();
    await reseller.dial(target, { earlyNotice: true, stay: true });
    const { trxid } = (await reseller.buy({ data_no: target })).body.data;
    const come = reseller.receiver.got.filter((one) => dataOf(one).trxid === trxid);
    expect(come.map((one) => dataOf(one).status)).toEqual(["waiting"]);
  });

  it("statusWord shows a word that no document has", async () => {
    const { trxid, target } = await held();
    await reseller.dial(target, { statusWord: "process" });
    await reseller.hand("process", trxid);
    const [told] = await reseller.notices(trxid, 1);
    expect(told && dataOf(told).status).toBe("process");
    const { body } = await reseller.ask("prepaid", { type: "status", trxid });
    expect(body.data[0].status).toBe("process");
  });
});

describe("dials on orders touch only what they match", () => {
  it("lagMs: lists show the order later, or never; its own status is told at once", async () => {
    const bought = async (lagMs?: number | true) => {
      const target = newTarget();
      await reseller.dial(target, { stay: true, ...(lagMs && { lagMs }) });
      return String((await reseller.buy({ data_no: target })).body.data.trxid);
    };
    const all = [await bought(), await bought(60_000), await bought(true)];
    const { body } = await reseller.ask("prepaid", { type: "status", limit: "50" });
    const listed = body.data.map((one: Record<string, unknown>) => one.trxid);
    expect(all.map((one) => listed.includes(one))).toEqual([true, false, false]);
    const [, late] = all;
    const asked = await reseller.ask("prepaid", { type: "status", trxid: late });
    expect(asked.body.data).toMatchObject([{ trxid: late }]);
  });

  it("mostListed: lists have so many rows, whatever is asked for", async () => {
    for (let n = 0; n < 3; n += 1) await reseller.buy({ data_no: newTarget() });
    const listed = async (limit: string) =>
      (await reseller.ask("prepaid", { type: "status", limit })).body.data.length;
    await reseller.dial("", { path: "/api/prepaid", mostListed: 2 });
    expect([await listed("100"), await listed("1")]).toEqual([2, 1]);
    await reseller.dial("", { path: "/api/prepaid" });
    expect(await listed("3")).toBe(3);
  });

  it("timeOut: the order is taken and never answered; status by limit finds it", async () => {
    const target = newTarget();
    await reseller.dial(target, { timeOut: { count: 1 }, stay: true });
    const before = await profile();
    const body = new URLSearchParams({
      key: apiKey,
      sign,
      type: "order",
      service: "S10",
      data_no: target,
    });
    const sent = fetch(`${reseller.twin.url}/api/prepaid`, {
      method: "POST",
      body,
      signal: AbortSignal.timeout(200),
    });
    await expect(sent).rejects.toThrow();
    expect(await profile()).toBeLessThan(before);
    const latest = await reseller.ask("prepaid", { type: "status", limit: "5" });
    const found = latest.body.data.filter((one: Record<string, unknown>) => one.data === target);
    expect(found).toMatchObject([{ status: "waiting", service: "TELKOMSEL 10.000" }]);
  });

  it("refuse, rubbish and down do not act, unless they are told to", async () => {
    const target = newTarget();
    const before = await profile();
    await reseller.dial(target, { refuse: { value: 502, count: 1 } });
    expect((await reseller.buy()).body.result).toBe(true);
    const spent = before - (await profile());
    expect((await reseller.buy({ data_no: target })).status).toBe(502);
    await reseller.dial(target, { rubbish: { count: 1 } });
    expect((await reseller.buy({ data_no: target })).text).toContain("<html>");
    expect(await profile()).toBe(before - spent);
    await reseller.dial(target, { down: { count: 1, acts: true } });
    await expect(reseller.buy({ data_no: target })).rejects.toThrow();
    expect(await profile()).toBe(before - 2 * spent);
  });

  it("say: any refusal in words, the order made or not", async () => {
    const target = newTarget();
    const message = "Sistem Bentrok, coba lagi nanti!";
    const before = await profile();
    await reseller.dial(target, { say: { value: message, count: 1 } });
    expect((await reseller.buy({ data_no: target })).body).toEqual({
      result: false,
      data: null,
      message,
    });
    expect(await profile()).toBe(before);
    await reseller.dial(target, { say: { value: "timeout dari provider", count: 1, acts: true } });
    expect((await reseller.buy({ data_no: target })).body.result).toBe(false);
    expect(await profile()).toBeLessThan(before);
  });

  it("lowBalance in both wordings", async () => {
    const target = newTarget();
    const text = "Saldo Anda tidak cukup untuk melakukan pemesanan ini";
    await reseller.dial(target, { lowBalance: { count: 1 } });
    expect((await reseller.buy({ data_no: target })).body.message).toBe(`${text}.`);
    await reseller.dial(target, { lowBalance: { value: "[1]", count: 1 } });
    expect((await reseller.buy({ data_no: target })).body.message).toBe(`${text} [1].`);
    expect((await reseller.buy({ data_no: target })).body.result).toBe(true);
  });

  it("priceChange costs more than the catalogue said", async () => {
    const target = newTarget();
    await reseller.dial(target, { priceChange: 25 });
    expect((await reseller.buy({ data_no: target })).body.data.price).toBe(13_455);
    expect((await reseller.buy()).body.data.price).toBe(10_764);
  });

  it("fail and partial end an order so", async () => {
    const [bad, half] = [newTarget(), newTarget("a")];
    await reseller.dial(bad, { fail: "Provider gangguan", processMs: 0, finishMs: 0 });
    await reseller.dial(half, { partial: 30, processMs: 0, finishMs: 0 });
    const failed = (await reseller.buy({ data_no: bad })).body.data.trxid;
    const fields = { type: "order", service: "1001", data: half, quantity: "100" };
    const partial = (await reseller.ask("social-media", fields)).body.data.trxid;
    const [, told] = await reseller.notices(failed, 2);
    expect(told && dataOf(told)).toMatchObject({ status: "error", note: "Provider gangguan" });
    const [, left] = await reseller.notices(partial, 2);
    expect(left && dataOf(left)).toMatchObject({ status: "partial", remain: 30 });
  });

  it("an unknown dial is named and changes nothing", async () => {
    const wrong = await reseller.dial(newTarget(), { explode: true });
    expect(wrong).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/explode.*priceChange/) },
    });
  });
});
