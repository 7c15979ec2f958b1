import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import { decideRequest } from "../admin/hands.ts";
import { openOrder, ORDERS as PATH, post, REQUESTS, reason, stateOf } from "../testing/desk.ts";
import {
  fund,
  instagram,
  ordersOf,
  stockService,
  TWIN_SERVICES,
  vipTwin,
} from "../testing/reseller.ts";

let [one, two]: TestUser[] = [];
beforeAll(async () => {
  [one, two] = [await createUser(["admin"]), await createUser(["admin"])];
});
afterAll(async () => {
  await stockService("social");
});

describe("an order below the limit", () => {
  it("takes two admins when what the supplier is said to have charged is above it", async () => {
    const { reseller, id } = await openOrder();
    const word = { as: "success", reason, chargedAmount: 600_000 };
    const asked = await post(one, `${PATH}/${id}/settle`, word);
    expect(asked.body.data).toMatchObject({ state: "waiting", needsSecond: true });
    expect(await stateOf(reseller)).toBe("processing");
    await post(two, `${REQUESTS}/${asked.body.data.id}/confirm`);
    expect(await stateOf(reseller)).toBe("success");
  });

  it("is not settled at a charge that can only be a mistake", async () => {
    const { reseller, id } = await openOrder();
    const word = { as: "success", reason, chargedAmount: 10_000_000_000 };
    expect(await post(one, `${PATH}/${id}/settle`, word)).toMatchObject({
      status: 400,
      body: failureBody("topup", 400, "chargedAmount: must not be above 2100000"),
    });
    expect(await stateOf(reseller)).toBe("processing");
  });
});

describe("orders that an admin ends alone", () => {
  const settle = async (admin: TestUser, id: string) =>
    (await post(admin, `${PATH}/${id}/refund`, { reason })).body.data.needsSecond;
  const forget = ({ userId }: TestUser) =>
    testContext().db.run(
      rows(
        sql`update topup_hand_requests set created_at = created_at - interval '1 day'
          where requested_by = ${userId}`,
        z.unknown(),
      ),
    );

  it("are together no more than the limit in a day, also at the same moment; another admin has his own", async () => {
    const [admin, other] = [await createUser(["admin"]), await createUser(["admin"])];
    const orders = await Promise.all(Array.from({ length: 5 }, () => openOrder()));
    const asked = await Promise.all(orders.map(({ id }) => settle(admin, id)));
    expect(asked.sort()).toEqual([false, false, true, true, true]);
    const states = await Promise.all(orders.map(({ reseller }) => stateOf(reseller)));
    expect(states.filter((state) => state === "refunded")).toHaveLength(2);
    const next = await openOrder();
    expect(await settle(other, next.id)).toBe(false);
    await forget(admin);
    expect(await settle(admin, (await openOrder()).id)).toBe(false);
  });

  it("do not count what another admin confirmed", async () => {
    const admin = await createUser(["admin"]);
    const { id } = await openOrder(3000);
    const asked = await post(admin, `${PATH}/${id}/refund`, { reason });
    await post(two, `${REQUESTS}/${asked.body.data.id}/confirm`);
    expect(await settle(admin, (await openOrder()).id)).toBe(false);
  });
});

describe("an admin's own order", () => {
  async function ownOrder(quantity: number) {
    await stockService("social", { supplierPrice: 200_000 });
    const owner = await createUser(["buyer", "admin"]);
    await fund(owner.userId, 5_000_000);
    const target = instagram();
    await vipTwin("/_dials", { stay: { match: target } }, "PUT");
    const json = { service: TWIN_SERVICES.social.code, target, quantity };
    await post(owner, "/api/orders/social-media", json);
    await settleBackground();
    const state = async () => (await ordersOf(owner.userId))[0]?.state;
    const [order] = await ordersOf(owner.userId);
    return { owner, id: order?.id ?? "", state };
  }

  it("takes another admin at any price", async () => {
    const { owner, id, state } = await ownOrder(1000);
    const asked = await post(owner, `${PATH}/${id}/refund`, { reason });
    expect(asked.body.data).toMatchObject({ state: "waiting", needsSecond: true });
    const confirm = `${REQUESTS}/${asked.body.data.id}/confirm`;
    expect((await post(owner, confirm)).status).toBe(403);
    expect(await state()).toBe("processing");
    expect((await post(one, confirm)).body.data).toMatchObject({ state: "done" });
    expect(await state()).toBe("refunded");
  });

  it("is not confirmed by him when somebody else asked", async () => {
    const { owner, id, state } = await ownOrder(3000);
    const asked = await post(one, `${PATH}/${id}/refund`, { reason });
    const confirm = `${REQUESTS}/${asked.body.data.id}/confirm`;
    expect((await post(owner, confirm)).status).toBe(403);
    expect(await state()).toBe("processing");
    expect((await post(two, confirm)).body.data).toMatchObject({ state: "done" });
  });
});

describe("an order above the limit", () => {
  it("waits for another admin; the one who asked cannot confirm, and nothing moves meanwhile", async () => {
    const { reseller, id } = await openOrder(3000);
    const asked = await post(one, `${PATH}/${id}/refund`, { reason });
    expect(asked.body.data).toMatchObject({ state: "waiting", needsSecond: true, decidedBy: null });
    expect(await stateOf(reseller)).toBe("processing");
    const confirm = `${REQUESTS}/${asked.body.data.id}/confirm`;
    expect(await post(one, confirm)).toMatchObject({
      status: 403,
      body: failureBody("topup", 403, "Another admin must confirm this request"),
    });
    const second = await post(two, `${PATH}/${id}/settle`, { as: "success", reason });
    expect(second).toMatchObject({ status: 409, body: failureBody("topup", 409) });
    const waiting = await api(REQUESTS, { token: two?.token ?? "" });
    expect(waiting.body.data).toContainEqual(expect.objectContaining({ id: asked.body.data.id }));
    expect(await post(two, confirm)).toMatchObject({
      status: 200,
      body: { data: { state: "done", decidedBy: two?.userId } },
    });
    expect(await stateOf(reseller)).toBe("refunded");
    expect(await balance("wallet", reseller.user.userId)).toBe(5_000_000);
  });

  it("is not confirmed when who asked is no admin any more", async () => {
    const asker = await createUser(["admin"]);
    const { reseller, id } = await openOrder(3000);
    const asked = await post(asker, `${PATH}/${id}/refund`, { reason });
    await testContext().db.run(
      rows(
        sql`update identity_users set roles = '{buyer}' where id = ${asker.userId}`,
        z.unknown(),
      ),
    );
    const words = "Who asked for this is no admin any more";
    expect(await post(two, `${REQUESTS}/${asked.body.data.id}/confirm`)).toMatchObject({
      status: 409,
      body: failureBody("topup", 409, words),
    });
    expect(await stateOf(reseller)).toBe("processing");
    const rejected = await post(two, `${REQUESTS}/${asked.body.data.id}/reject`);
    expect(rejected.body.data.state).toBe("rejected");
  });

  it("is decided once, whoever confirms and rejects at the same moment", async () => {
    const { reseller, id } = await openOrder(3000);
    const { body } = await post(one, `${PATH}/${id}/refund`, { reason });
    const admins = await Promise.all(Array.from({ length: 6 }, () => createUser(["admin"])));
    const answers = await Promise.all(
      admins.map((admin, i) =>
        post(admin, `${REQUESTS}/${body.data.id}/${i % 2 ? "confirm" : "reject"}`),
      ),
    );
    const state = await stateOf(reseller);
    const good = answers
      .filter(({ status }) => status === 200)
      .map((answer) => answer.body.data.state);
    if (state === "refunded") {
      expect(good.every((one) => one === "done")).toBe(true);
      expect(await balance("wallet", reseller.user.userId)).toBe(5_000_000);
    } else {
      expect([state, good]).toEqual(["processing", ["rejected"]]);
      expect(await balance("wallet", reseller.user.userId)).toBe(5_000_000 - 630_000);
    }
  });

  it("cannot be asked for twice at the same moment", async () => {
    const { id } = await openOrder(3000);
    const asked = await Promise.all(
      Array.from({ length: 6 }, () => post(one, `${PATH}/${id}/refund`, { reason })),
    );
    expect(asked.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
  });

  it("is not touched by a request that has run out, after which another may be made", async () => {
    const { reseller, id } = await openOrder(3000);
    const { body } = await post(one, `${PATH}/${id}/refund`, { reason });
    await testContext().db.run(
      rows(
        sql`update topup_hand_requests set expires_at = now() where id = ${body.data.id}`,
        z.unknown(),
      ),
    );
    const late = await post(two, `${REQUESTS}/${body.data.id}/confirm`);
    expect(late).toMatchObject({
      status: 409,
      body: failureBody("topup", 409, "This request is expired"),
    });
    expect(await stateOf(reseller)).toBe("processing");
    expect((await post(two, `${PATH}/${id}/refund`, { reason })).body.data.state).toBe("waiting");
  });

  it("whose confirmer died in between is carried out when it is confirmed again", async () => {
    const { reseller, id } = await openOrder(3000);
    const { body } = await post(one, `${PATH}/${id}/refund`, { reason });
    const ctx = testContext(two ?? null);
    const run = ctx.db.run.bind(ctx.db);
    let queries = 0;
    ctx.db.run = async (...query) => {
      queries += 1;
      if (queries > 1) throw new Error("died");
      return await run(...query);
    };
    await expect(decideRequest(ctx, body.data.id, true)).rejects.toThrow("died");
    expect(await stateOf(reseller)).toBe("processing");
    expect((await post(two, `${REQUESTS}/${body.data.id}/confirm`)).body.data.state).toBe("done");
    expect(await stateOf(reseller)).toBe("refunded");
  });
});
