import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import { failure } from "../testing/catalogue.ts";
import { askPayout, decide, fund, fundedSeller, purseOf, saveBank } from "../testing/money.ts";
import { quietContext, sumOfLedger } from "../testing/sales.ts";
import { payoutNewsJob } from "./payout-news.ts";

let [one, two]: TestUser[] = [];
beforeAll(async () => {
  [one, two] = await Promise.all([createUser(["admin"]), createUser(["admin"])]);
});
const admins = (): [TestUser, TestUser] => {
  if (!one || !two) throw new Error("no admins");
  return [one, two];
};

const WHY = { reason: "Nomor rekening ditutup" };
const bounce = (admin: TestUser, id: string, key?: string) =>
  decide(admin, id, "bounced", WHY, key);

/** A seller's payout that was transferred; how many admins it took is the limit's matter. */
async function paidPayout(amount: number, seller?: TestUser) {
  const owner = seller ?? (await fundedSeller(amount));
  const reference = unique("TRF-");
  const { id } = (await askPayout(owner, amount)).body.data;
  for (const admin of admins()) await decide(admin, id, "approve");
  await decide(admins()[0], id, "paid", { transfer_reference: reference });
  return { seller: owner, id: String(id), reference };
}

const Lines = z.array(z.object({ reference: z.string(), amount: z.number() }));

const bookedOf = async (id: string) =>
  Lines.parse(
    await testContext().db.run(
      rows(
        sql`select reference, amount::float8 as amount from ledger_transfers
          where reference in (${`payout/${id}`}, ${`payout-paid/${id}`}, ${`payout-bounced/${id}`}, ${`payout-back/${id}`})
          order by id`,
        z.unknown(),
      ),
    ),
  );

const Job = z.object({ id: z.string(), payload: z.record(z.string(), z.unknown()) });
const jobsAbout = (kind: string, id: string) =>
  testContext().db.run(
    rows(
      sql`select id, payload from jobs where kind = ${kind} and (payload->>'payout_id' = ${id}
        or dedupe_key = ${`mail/payout_bounced/${id}`}) order by created_at`,
      Job,
    ),
  );

describe("a transfer that the bank sends back", () => {
  it("puts the money into the seller's balance, once, under the payout's own reference", async () => {
    const [admin] = admins();
    const { seller, id, reference } = await paidPayout(200_000);
    const bank = await balance("gateway", "bank");
    const back = await bounce(admin, id);
    expect([back.status, back.body.data]).toMatchObject([
      200,
      {
        state: "bounced",
        transfer_reference: reference,
        bounced_by: admin.userId,
        bounce_reason: WHY.reason,
        bounce_seconded_by: null,
        closed_reason: WHY.reason,
        bounced_at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await purseOf(seller)).toMatchObject({ wallet: 200_000, payout: 0 });
    expect(await bookedOf(id)).toEqual(
      ["payout", "payout-paid", "payout-bounced"].map((kind) => ({
        reference: `${kind}/${id}`,
        amount: 200_000,
      })),
    );
    expect(bank).toBeGreaterThanOrEqual(200_000);
    expect(await sumOfLedger()).toBe(0);
    const again = await bounce(admin, id);
    expect([again.status, again.body]).toEqual([
      409,
      failure("Transfer pencairan ini gagal dan dananya sudah kembali", { state: "bounced" }),
    ]);
    const paid = await decide(admin, id, "paid", { transfer_reference: reference });
    expect(paid.status).toBe(409);
    const [told] = await testContext().db.run(auditOf({ kind: "market_payout", id }));
    expect(told).toMatchObject({ action: "market.payout.bounce", reason: WHY.reason });
    expect((await askPayout(seller, 200_000)).status).toBe(201);
  });

  it("is told to the seller by mail and live, and not which admin said so", async () => {
    const { seller, id } = await paidPayout(150_000);
    await bounce(admins()[0], id);
    const [mail] = await jobsAbout("mail.send", id);
    expect(JSON.stringify(mail?.payload)).toContain(WHY.reason);
    const heard: unknown[] = [];
    const news = payoutNewsJob(async (_, userId, event, payload) => {
      heard.push({ userId, event, payload });
    });
    const written = await jobsAbout("market.payout_news", id);
    expect(written).toHaveLength(3);
    const attempt = {
      kind: news.kind,
      state: "queued",
      attempts: 1,
      leaseId: "",
      createdAt: new Date(),
    } as const;
    for (const job of written) await news.run(quietContext(), { ...attempt, ...job });
    const mine = await api("/api/seller/payouts?state=bounced", { token: seller.token });
    expect(mine.body.data).toMatchObject([{ id, state: "bounced", closed_reason: WHY.reason }]);
    expect(mine.body.data[0]).not.toHaveProperty("bounced_by");
    expect(heard.at(-1)).toEqual({
      userId: seller.userId,
      event: "payout:update",
      payload: mine.body.data[0],
    });
  });

  it("stands in the month's statement as two lines, out and back in", async () => {
    const { seller, id, reference } = await paidPayout(120_000);
    await bounce(admins()[0], id);
    const month = new Date(Date.now() + 7 * 3_600_000).toISOString().slice(0, 7);
    const csv = await api(`/api/seller/statement?month=${month}`, { token: seller.token });
    const lines = String(csv.body).split("\r\n");
    expect(
      lines.filter((line) => line.includes(id)).map((line) => line.split(",").slice(1)),
    ).toEqual([
      [`Pencairan dana ${id}`, "", "", "", "", "120000", "0", `payout/${id}`],
      [
        `Transfer ${reference} gagal untuk pencairan ${id}`,
        "",
        "",
        "",
        "120000",
        "",
        "120000",
        `payout-bounced/${id}`,
      ],
    ]);
    const list = await api("/api/seller/balance/history", { token: seller.token });
    expect(list.body.data.slice(0, 2).map(({ amount }: { amount: number }) => amount)).toEqual([
      120_000, -120_000,
    ]);
  });

  it("above the limit takes two admins, and never the seller himself", async () => {
    const [admin, other] = admins();
    const both = await createUser(["seller", "admin"]);
    await Promise.all([fund(both, 6_000_000), saveBank(both)]);
    const { id } = await paidPayout(5_000_001, both);
    const own = await bounce(both, id);
    expect([own.status, own.body]).toEqual([
      403,
      failure("Pencairan sendiri diputuskan oleh admin lain", {}),
    ]);
    const asked = await bounce(admin, id);
    expect([asked.status, asked.body.data]).toMatchObject([
      200,
      { state: "paid", bounced_by: admin.userId, bounced_at: null },
    ]);
    expect(await jobsAbout("mail.send", id)).toEqual([]);
    const mine = await api("/api/seller/payouts", { token: both.token });
    expect(mine.body.data[0]).toMatchObject({ state: "paid", closed_reason: null });
    const alone = await bounce(admin, id);
    expect([alone.status, alone.body]).toEqual([
      403,
      failure("Admin lain harus ikut menyatakan transfer ini gagal", {}),
    ]);
    expect(await purseOf(both)).toMatchObject({ wallet: 999_999, payout: 0 });
    expect((await bounce(other, id)).body.data).toMatchObject({
      state: "bounced",
      bounced_by: admin.userId,
      bounce_seconded_by: other.userId,
    });
    expect(await purseOf(both)).toMatchObject({ wallet: 6_000_000, payout: 0 });
  });

  it("that one admin alone has said counts into the day's limit: no two go out and one comes back for him", async () => {
    const [admin] = admins();
    const seller = await fundedSeller(4_000_000);
    const { id } = await paidPayout(4_000_000, seller);
    await bounce(admin, id);
    const next = (await askPayout(seller, 4_000_000)).body.data.id;
    expect((await decide(admin, next, "approve")).body.data).toMatchObject({
      state: "requested",
      needs_second: true,
    });
  });

  it("counts once by many admins at once, also beside one who says it was paid", async () => {
    const [admin, other] = admins();
    const { seller, id, reference } = await paidPayout(100_000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => bounce(n % 2 ? admin : other, id)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await purseOf(seller)).toMatchObject({ wallet: 100_000, payout: 0 });
    expect(await bookedOf(id)).toHaveLength(3);

    const next = (await askPayout(seller, 100_000)).body.data.id;
    await decide(admin, next, "approve");
    const taken = await decide(admin, next, "paid", { transfer_reference: reference });
    expect(taken.status).toBe(409);
    const race = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        n % 2
          ? bounce(other, next)
          : decide(admin, next, "paid", { transfer_reference: `${reference}-B` }),
      ),
    );
    const bounced = race.filter(({ body }) => body.data?.state === "bounced");
    expect(bounced.length).toBeLessThanOrEqual(1);
    expect(await purseOf(seller)).toMatchObject({ wallet: bounced.length * 100_000, payout: 0 });
    expect(await sumOfLedger()).toBe(0);
  });

  it("by two admins at once above the limit is one word and one confirmation", async () => {
    const [admin, other] = admins();
    const { seller, id } = await paidPayout(5_500_000);
    const answers = await Promise.all([admin, other, admin, other].map((who) => bounce(who, id)));
    const states = answers.flatMap(({ body }) => (body.data ? [body.data.state] : []));
    expect(states.toSorted()).toEqual(["bounced", "paid"]);
    expect(await purseOf(seller)).toMatchObject({ wallet: 5_500_000, payout: 0 });
  });

  it("with a key answers its repeat as at first", async () => {
    const { seller, id } = await paidPayout(90_000);
    const key = unique("key-");
    const [first, again] = await Promise.all([
      bounce(admins()[0], id, key),
      bounce(admins()[0], id, key),
    ]);
    expect([first.status, again.status, again.body.data]).toEqual([200, 200, first.body.data]);
    expect(await purseOf(seller)).toMatchObject({ wallet: 90_000, payout: 0 });
  });

  it("is refused for what was not transferred, without a reason, and by who is no admin", async () => {
    const [admin] = admins();
    const seller = await fundedSeller(100_000);
    const { id } = (await askPayout(seller, 60_000)).body.data;
    for (const state of ["requested", "approved"]) {
      const early = await bounce(admin, id);
      expect([early.status, early.body.meta]).toEqual([409, { state }]);
      if (state === "requested") await decide(admin, id, "approve");
    }
    expect((await decide(admin, id, "bounced", { reason: " " })).status).toBe(400);
    expect((await bounce(seller, id)).status).toBe(403);
    expect((await bounce(admin, crypto.randomUUID())).status).toBe(404);
    expect(await purseOf(seller)).toMatchObject({ wallet: 40_000, payout: 60_000 });
  });
});
