import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { api, settleBackground } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser } from "../testing/factories.ts";
import {
  buy,
  createPlan,
  ipaymu,
  ordersOf,
  pay,
  readOrder,
  roundTripsOf,
  run,
  sell,
  slotsTaken,
} from "./testing/sales.ts";

afterEach(settleBackground);

const failure = (status: number, words: unknown = expect.any(String)) => ({
  status,
  body: failureBody("hosting", status, words),
});

describe("POST /api/payment/create", () => {
  it("takes the specification's body and answers with the order and its page", async () => {
    const user = await createUser();
    const answer = await api("/api/payment/create", {
      method: "POST",
      token: user.token,
      json: {
        planName: "Business",
        planType: "hosting",
        price: 30000,
        metadata: { domain: "Example.com ", source: "web" },
      },
    });
    expect(answer.status).toBe(200);
    const { order, paymentUrl, paymentDetails } = answer.body;
    expect(answer.body).toEqual({
      success: true,
      order: expect.any(Object),
      paymentUrl: expect.stringMatching(/^http.+\/payment\/[\w-]+$/),
      paymentDetails: { sessionId: paymentUrl.split("/").at(-1), redirectUrl: paymentUrl },
    });
    expect(order).toEqual({
      id: expect.any(String),
      userId: String(user.userId),
      planId: expect.any(String),
      planName: "Business",
      planType: "HOSTING",
      price: 30000,
      monthlyPrice: 30000,
      duration: 1,
      status: "PROCESSING",
      paymentMethod: "ipaymu",
      paymentId: paymentDetails.sessionId,
      paymentUrl,
      paidAt: null,
      expiresAt: expect.stringMatching(/Z$/),
      invoiceNumber: null,
      renewsSubscriptionId: null,
      metadata: {
        domain: "Example.com ",
        source: "web",
        paymentStatus: "PENDING",
        paymentDetails,
      },
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: expect.stringMatching(/Z$/),
    });
  });

  it("asks the database once before the provider, and the orders are one question too", async () => {
    const user = await createUser();
    const plan = await createPlan();
    // The second one is the record behind the answer.
    expect(await roundTripsOf(await buy(user, plan))).toBeLessThanOrEqual(2);
    expect(await roundTripsOf(await api("/api/orders", { token: user.token }))).toBe(1);
  });

  it.each([1, 3, 6, 12, 24])("charges the plan's own price times %i months", async (duration) => {
    const plan = await createPlan({ price: 15_000 });
    const told = await Promise.all(
      [15_000, 15_000 * duration].map(async (price) => {
        const sale = await sell({ duration, price }, { plan });
        const page = await ipaymu(`/_orders/${sale.ref}`, {}, "GET");
        return [sale.price, z.object({ price: z.number() }).parse(page).price];
      }),
    );
    expect(told).toEqual([
      [15_000 * duration, 15_000 * duration],
      [15_000 * duration, 15_000 * duration],
    ]);
  });

  it.each([1, 29_999, 60_000, 90_001])(
    "refuses %i for three months of 30,000 and says what is right",
    async (price) => {
      const user = await createUser();
      const answer = await buy(user, await createPlan(), { duration: 3, price });
      const words = expect.stringMatching(/Rp 30\.000 per bulan, Rp 90\.000 untuk 3 bulan$/);
      expect(answer).toMatchObject(failure(400, words));
      expect(await ordersOf(user.userId)).toEqual([]);
    },
  );

  it("charges the price that was told or nothing, also after the plan's has changed", async () => {
    const user = await createUser();
    const plan = await createPlan({ price: 30_000 });
    const first = await buy(user, plan);
    await run(sql`update hosting_plans set price = 20000 where id = ${plan.id}`);
    const words =
      "Pesanan yang sama seharga Rp 30.000 belum dibayar. Bayar atau batalkan pesanan itu dahulu.";
    expect(await buy(user, plan, { price: 20_000 })).toMatchObject(failure(409, words));
    expect((await buy(user, plan, { price: 30_000 })).body.order.id).toBe(first.body.order.id);
    const path = `/api/orders/${first.body.order.id}/cancel`;
    await api(path, { method: "POST", token: user.token });
    expect((await buy(user, plan, { price: 20_000 })).body.order.price).toBe(20_000);
    expect((await buy(user, plan, { price: 30_000 })).status).toBe(400);
  });

  it.each([0, -30_000, 30_000.5, "30000", 1e300, {}])(
    "refuses the price %j, and says what a price is",
    async (price) => {
      const answer = await buy(await createUser(), await createPlan(), { price });
      const words =
        "Harga harus bilangan bulat rupiah lebih dari 0: harga paket per bulan atau harga seluruh masa";
      expect(answer).toMatchObject(failure(400, words));
    },
  );

  it.each(["planName", "planType", "price"])("refuses a body without %s", async (field) => {
    const user = await createUser();
    for (const nothing of [undefined, null]) {
      const answer = await buy(user, await createPlan(), { [field]: nothing });
      expect(answer).toMatchObject(failure(400, "Data order tidak lengkap"));
    }
  });

  it.each<[object, string]>([
    [{ metadata: [] }, "metadata harus berupa objek, paling besar 2000 karakter"],
    [
      { metadata: { ["x".repeat(101)]: 1 } },
      "metadata harus berupa objek, paling besar 2000 karakter",
    ],
    [
      { metadata: { x: "x".repeat(2_000) } },
      "metadata harus berupa objek, paling besar 2000 karakter",
    ],
    [{ planId: 7 }, "planId tidak dikenal"],
    [{ subscriptionId: [] }, "subscriptionId tidak dikenal"],
    [{ planName: 7 }, "Data order tidak lengkap"],
  ])("refuses %j in words for people", async (more, words) => {
    const answer = await buy(await createUser(), await createPlan(), more);
    expect(answer).toMatchObject(failure(400, words));
  });

  it.each([[[]], [7], ["x"], [null]])("refuses the body %j as incomplete", async (json) => {
    const { token } = await createUser();
    const answer = await api("/api/payment/create", { method: "POST", token, json });
    expect(answer).toMatchObject(failure(400, "Data order tidak lengkap"));
  });

  it.each([2, 0, -1, 36, 1.5, "12"])("refuses %j months", async (duration) => {
    const answer = await buy(await createUser(), await createPlan(), { duration });
    expect(answer).toMatchObject(failure(400, "Durasi harus 1, 3, 6, 12 atau 24 bulan"));
  });

  it("finds the plan by its name, its shown name or its id, in any case, and only what fits", async () => {
    const plan = await createPlan();
    const other = await createPlan();
    const buyAs = async (more: object) => (await buy(await createUser(), plan, more)).status;
    expect(await buyAs({ planName: ` ${plan.name.toUpperCase()} ` })).toBe(200);
    expect(await buyAs({ planId: plan.id, planType: "HOSTING" })).toBe(200);
    expect(await buyAs({ planId: other.id })).toBe(404);
    expect(await buyAs({ planId: "x" })).toBe(404);
    expect(await buyAs({ planName: "tidak-ada" })).toBe(404);
    expect(await buyAs({ planType: "vps" })).toBe(404);
    expect(await buyAs({ planType: "game" })).toBe(400);
  });

  it("sells nothing that is inactive or sold out", async () => {
    const plan = await createPlan({ isActive: false });
    expect(await buy(await createUser(), plan)).toMatchObject(
      failure(409, expect.stringContaining("tidak dijual lagi")),
    );
    const full = await createPlan({ slots: 0 });
    expect(await buy(await createUser(), full)).toMatchObject(
      failure(409, expect.stringContaining("sedang habis")),
    );
  });

  it("keeps a client from saying how its payment stands", async () => {
    const metadata = { paymentStatus: "PAID", paymentDetails: { sessionId: "x" }, note: "a" };
    const { body } = await buy(await createUser(), await createPlan(), { metadata });
    expect(body.order.metadata).toMatchObject({ note: "a", paymentStatus: "PENDING" });
    expect(body.order.metadata.paymentDetails.sessionId).not.toBe("x");
    const huge = { metadata: { note: "x".repeat(3_000) } };
    expect((await buy(await createUser(), await createPlan(), huge)).status).toBe(400);
  });

  it("is for who is signed in", async () => {
    expect(await buy(null, await createPlan())).toMatchObject(failure(401, "Unauthorized"));
  });
});

const pagesOf = async (orderId: string) => {
  const { ref } = await readOrder(orderId);
  const all = z.array(z.object({ reference_id: z.string().nullable() }));
  const known = all.parse(await ipaymu("/_orders", {}, "GET"));
  return known.filter((page) => page.reference_id === ref).length;
};

describe("a click", () => {
  it("made twenty times at once is one order with one page", async () => {
    const user = await createUser();
    const plan = await createPlan();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => buy(user, plan, { metadata: { domain: "a.example" } })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ body }) => body.order.id)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.paymentUrl)).size).toBe(1);
    expect(await ordersOf(user.userId)).toHaveLength(1);
    expect(await pagesOf(answers[0]?.body.order.id)).toBe(1);
    expect(await slotsTaken(plan)).toBe(1);
  });

  it("with one Idempotency-Key is one order for good, and another input is refused", async () => {
    const user = await createUser();
    const plan = await createPlan();
    const key = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => buy(user, plan, {}, key)));
    expect(new Set(answers.map(({ body }) => body.order?.id)).size).toBe(1);
    const [first] = answers;
    const { ref } = await readOrder(first?.body.order.id);
    await settleBackground();
    await pay({ ref: ref ?? "" });
    const again = await buy(user, plan, {}, key);
    expect(again).toMatchObject({
      status: 200,
      body: {
        paymentUrl: first?.body.paymentUrl,
        order: {
          id: first?.body.order.id,
          status: "COMPLETED",
          metadata: { paymentStatus: "PAID" },
        },
      },
    });
    expect(await buy(user, plan, { duration: 3 }, key)).toMatchObject(failure(422));
    expect((await buy(await createUser(), plan, { duration: 3 }, key)).status).toBe(200);
  });

  it("for another plan, duration or domain is another order, three unpaid ones at most", async () => {
    const user = await createUser();
    const plan = await createPlan();
    const first = await sell({}, { user, plan });
    await sell({ duration: 3 }, { user, plan });
    await sell({ metadata: { domain: "b.example" } }, { user, plan });
    const words = expect.stringMatching(/3 pesanan yang belum dibayar/);
    expect(await buy(user, plan, { duration: 6 })).toMatchObject(failure(409, words));
    expect((await buy(user, plan)).body.order.id).toBe(first.orderId);
    await pay(first);
    expect((await buy(user, plan, { duration: 6 })).status).toBe(200);
  });

  it("for a fourth unpaid order is refused also when ten are made at once", async () => {
    const user = await createUser();
    const plan = await createPlan();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        buy(user, plan, { metadata: { domain: `d${i}.example` } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
    expect(await slotsTaken(plan)).toBe(3);
  });
});

describe("the slots of a plan", () => {
  it("are never oversold by fifty customers at once", async () => {
    const plan = await createPlan({ slots: 7 });
    const users = await Promise.all(Array.from({ length: 50 }, () => createUser()));
    const answers = await Promise.all(users.map((user) => buy(user, plan)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(43);
    expect(await slotsTaken(plan)).toBe(7);
  });
});
