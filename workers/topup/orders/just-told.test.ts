import { beforeAll, describe, expect, it } from "vitest";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { recordAttempt } from "./attempt.ts";
import { placePrepaid } from "./place.ts";
import { askAboutOrder } from "./read.ts";

beforeAll(stockShelves);

describe("a trxid that an answer has just told", () => {
  /** Buys, in a process whose third call, the record behind the answer, does not come; `record` makes up for it. */
  async function boughtJustNow(user: TestUser) {
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const { ctx } = bench({ actor: user, killAt: 2, timeoutMs: 5_000 });
    const order = await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
    const trxid = order.trxid ?? "";
    expect(await theOrderOf(phoneNumber)).toMatchObject({ state: "buying", trxid: null });
    const record = async () => {
      const { ctx } = bench({ timeoutMs: 5_000 });
      const [purchase] = await ctx.providers.vipReseller.getOrderStatus("prepaid", { trxid });
      if (!purchase) throw new Error("nothing bought");
      await recordAttempt(ctx, order, { kind: "accepted", purchase });
    };
    return { order, trxid, record };
  }

  it("finds its order, though the record of it comes behind the answer", async () => {
    const user = await customer();
    const { order, trxid, record } = await boughtJustNow(user);
    let waits = 0;
    const asked = await askAboutOrder(bench({ actor: user }).ctx, { trxid }, async () => {
      waits += 1;
      if (waits === 2) await record();
    });
    expect([asked.order.number, waits]).toEqual([order.number, 2]);
  });

  it("is waited for as long as a record may take, and not at all where none is on its way", async () => {
    const user = await customer();
    const { trxid, record } = await boughtJustNow(user);
    const waitsOf = async (actor: TestUser, wanted: string, laterMs = 0) => {
      let waits = 0;
      const { ctx } = bench({ actor, laterMs });
      const work = askAboutOrder(ctx, { trxid: wanted }, async () => {
        waits += 1;
      });
      await expect(work).rejects.toMatchObject({ code: "not_found" });
      return waits;
    };
    expect(await waitsOf(user, trxid)).toBe(5);
    expect(await waitsOf(user, trxid, 3_600_000)).toBe(0);
    expect(await waitsOf(await createUser(), trxid)).toBe(0);
    await record();
    expect(await waitsOf(user, newPhone())).toBe(0);
  });
});
