import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { api, settleBackground, type TestCall } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { balance, runJobByKey } from "../testing/orders.ts";
import { OrderDetail, OrderRow } from "./schemas/orders.ts";
import {
  booksOf,
  buy,
  confirm,
  createPlan,
  ipaymu,
  one,
  openRenewal,
  pay,
  putWebsite,
  readOrder,
  sell,
  slotsTaken,
  subscriptionOf,
  subscriptionsOf,
} from "./testing/sales.ts";

afterEach(settleBackground);

const failure = (status: number, words: unknown = expect.any(String)) => ({
  status,
  body: failureBody("hosting", status, words),
});
const call = (user: TestUser, path: string, options: TestCall = {}) =>
  api(path, { token: user.token, ...options });
const missing = failure(404, "Order tidak ditemukan");

describe("GET /api/orders", () => {
  it("shows the actor's orders, newest first, with their subscriptions and nothing else", async () => {
    const user = await createUser();
    const paid = await sell({}, { user });
    await pay(paid);
    const open = await sell({ duration: 12 }, { user });
    await sell();
    const { status, body } = await call(user, "/api/orders");
    expect([status, Object.keys(body)]).toEqual([200, ["orders"]]);
    const orders = z.array(OrderRow.strict()).parse(body.orders);
    expect(orders).toMatchObject([
      { id: open.orderId, status: "PROCESSING", subscription: null },
      {
        id: paid.orderId,
        status: "COMPLETED",
        metadata: { paymentStatus: "PAID" },
        paidAt: expect.any(String),
        subscription: { orderId: paid.orderId, status: "ACTIVE", autoRenew: true },
      },
    ]);
  });

  it("can be read page by page, and without saying so shows all of a hundred", async () => {
    const user = await createUser();
    const [first, second] = [await sell({}, { user }), await sell({}, { user })];
    const page = async (query: string) => {
      const { body } = await call(user, `/api/orders?${query}`);
      return body.orders.map(({ id }: { id: string }) => id);
    };
    expect(await page("limit=1")).toEqual([second.orderId]);
    expect(await page("limit=1&page=2")).toEqual([first.orderId]);
    expect(await page("page=x&limit=-5")).toEqual([second.orderId, first.orderId]);
  });

  it("is empty for a new customer and closed to strangers", async () => {
    const { body } = await call(await createUser(), "/api/orders");
    expect(body).toEqual({ orders: [] });
    expect(await api("/api/orders")).toMatchObject(failure(401, "Unauthorized"));
  });
});

describe("GET /api/orders/:id", () => {
  it("shows an order with its subscription and its website, never a password", async () => {
    const sale = await sell();
    await pay(sale);
    await putWebsite(sale);
    const { status, body } = await call(sale.user, `/api/orders/${sale.orderId}`);
    expect([status, Object.keys(body)]).toEqual([200, ["order"]]);
    expect(OrderDetail.strict().parse(body.order)).toMatchObject({
      subscription: {
        website: {
          userId: body.order.userId,
          domain: `${sale.orderId}.example`,
          ftpUsername: expect.any(String),
          ftpPassword: null,
          aaPanelUserId: null,
        },
      },
    });
    expect(JSON.stringify(body)).not.toMatch(/sealed|RAHASIA/i);
  });

  it("of an unpaid one leads to its page, and of one that ended to none", async () => {
    const sale = await sell();
    const read = async () => (await call(sale.user, `/api/orders/${sale.orderId}`)).body.order;
    expect(await read()).toMatchObject({
      status: "PROCESSING",
      paymentUrl: expect.stringContaining("/payment/"),
      subscription: null,
    });
    await call(sale.user, `/api/orders/${sale.orderId}/cancel`, { method: "POST" });
    expect(await read()).toMatchObject({
      status: "CANCELLED",
      paymentUrl: null,
      metadata: { paymentStatus: "CANCELLED" },
    });
  });

  it.each(["", "/invoice"])(
    "%s is the same 404 for another's, a missing one and what is no id",
    async (tail) => {
      const sale = await sell();
      await pay(sale);
      const stranger = await createUser(["buyer", "admin"]);
      for (const id of [sale.orderId, crypto.randomUUID(), "x", "1;drop"]) {
        const answer = await call(stranger, `/api/orders/${id}${tail}`);
        expect(answer).toMatchObject(tail ? failure(404, "Invoice tidak ditemukan") : missing);
      }
    },
  );

  it("leaves the paths of the top-up contract alone", async () => {
    const answer = await call(await createUser(), "/api/orders/prepaid");
    expect(answer).toMatchObject({ status: 400, body: failureBody("topup", 400) });
  });
});

describe("POST /api/orders/:id/cancel", () => {
  const cancel = (user: TestUser, { orderId }: { orderId: string }) =>
    call(user, `/api/orders/${orderId}/cancel`, { method: "POST" });

  it("gives an unpaid order up and its slot back, once however often it is clicked", async () => {
    const plan = await createPlan({ slots: 1 });
    const sale = await sell({}, { plan });
    const answers = await Promise.all(Array.from({ length: 20 }, () => cancel(sale.user, sale)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers[0]?.body).toMatchObject({ success: true, order: { status: "CANCELLED" } });
    expect(await slotsTaken(plan)).toBe(0);
    expect((await buy(await createUser(), plan)).status).toBe(200);
  });

  it("makes room for another unpaid order", async () => {
    const user = await createUser();
    const plan = await createPlan();
    const [first] = [await sell({}, { user, plan }), await sell({ duration: 3 }, { user, plan })];
    await sell({ duration: 6 }, { user, plan });
    expect((await buy(user, plan, { duration: 12 })).status).toBe(409);
    await cancel(user, first);
    expect((await buy(user, plan, { duration: 12 })).status).toBe(200);
  });

  it("finds a payment that is on its way, and is too late for a paid order", async () => {
    const sale = await sell();
    await ipaymu(`/_pay/${sale.ref}`);
    const words = "Order ini sudah dibayar";
    expect(await cancel(sale.user, sale)).toMatchObject(failure(409, words));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "COMPLETED" });
    expect(await cancel(sale.user, sale)).toMatchObject(failure(409, words));
  });

  it("puts what is paid for it afterwards into the payer's wallet", async () => {
    const sale = await sell();
    await cancel(sale.user, sale);
    await ipaymu(`/_pay/${sale.ref}`);
    await Promise.all(Array.from({ length: 10 }, () => confirm(sale.ref)));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "CANCELLED" });
    expect(await subscriptionsOf(sale.user)).toBe(0);
    expect((await booksOf(sale.ref)).map(({ what }) => what)).toEqual(["refund"]);
    const { key } = await one(
      sql`select 'payments.refund/' || r.id as key from payments_refunds r
        join payments_charges c on c.id = r.charge_id where c.provider_ref = ${sale.ref}`,
      z.object({ key: z.string() }),
    );
    await runJobByKey(key);
    expect(await balance("wallet", sale.user.userId)).toBe(sale.price);
  });

  it("beside a payment leaves the order paid, or cancelled with its money going back, never both", async () => {
    for (let n = 0; n < 8; n += 1) {
      const sale = await sell();
      const [{ status }] = await Promise.all([cancel(sale.user, sale), pay(sale)]);
      const order = await readOrder(sale.orderId);
      const isPaid = order.status === "COMPLETED";
      expect([status, order.status]).toEqual(isPaid ? [409, "COMPLETED"] : [200, "CANCELLED"]);
      expect((await booksOf(sale.ref)).map(({ what }) => what)).toEqual([
        isPaid ? "hosting" : "refund",
      ]);
      expect([await slotsTaken(sale.plan), await subscriptionsOf(sale.user)]).toEqual(
        isPaid ? [1, 1] : [0, 0],
      );
    }
  });

  it("ends the bill of a renewal, and leaves the subscription as it is", async () => {
    const sale = await sell();
    await pay(sale);
    const before = await subscriptionOf(sale.orderId);
    const orderId = await openRenewal(before.id);
    expect((await cancel(sale.user, { orderId })).body.order.status).toBe("CANCELLED");
    expect(await subscriptionOf(sale.orderId)).toEqual({ ...before, orders: 1 });
    expect(await slotsTaken(sale.plan)).toBe(1);
  });

  it("is the owner's alone, as is opening the page", async () => {
    const sale = await sell();
    const stranger = await createUser(["buyer", "admin"]);
    for (const id of [sale.orderId, crypto.randomUUID(), "x"]) {
      for (const act of ["cancel", "pay"]) {
        const path = `/api/orders/${id}/${act}`;
        expect(await call(stranger, path, { method: "POST" })).toMatchObject(missing);
        expect(await api(path, { method: "POST" })).toMatchObject(failure(401, "Unauthorized"));
      }
    }
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "PENDING" });
  });
});
