import { sql } from "drizzle-orm";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { gameRow } from "../../../shared/providers/testing/vip-reseller.ts";
import { api } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { hourlyChores } from "../chores.ts";
import { openSupplier, type Supplier, stockShelves, syncWith } from "../testing/supplier.ts";

let supplier: Supplier;
let ctx: Ctx;
beforeEach(async () => {
  ({ supplier, ctx } = await openSupplier());
  await run(sql`delete from topup_syncs`);
  await ageMails();
});

const run = (change: ReturnType<typeof sql>) => ctx.db.run(rows(change, z.unknown()));
const hoursPass = (hours: number) =>
  run(sql`update topup_syncs set started_at = started_at - make_interval(hours => ${hours})`);
const ageMails = () =>
  run(sql`update jobs set dedupe_key = dedupe_key || '/' || id
    where dedupe_key like 'mail/alert/topup-list/%' and dedupe_key not like '%/' || id`);
/** What the hourly cron has mailed today, however often it came. */
async function mailed() {
  for (let time = 0; time < 3; time += 1) await Promise.all(hourlyChores(ctx));
  const mails = sql`select payload->'data'->'facts' as facts from jobs
    where dedupe_key like 'mail/alert/topup-list/%' and dedupe_key not like '%/' || id order by dedupe_key`;
  return (await ctx.db.run(rows(mails, z.object({ facts: z.unknown() })))).map(
    ({ facts }) => facts,
  );
}
async function lists() {
  const { token } = await createUser(["admin"]);
  return (await api("/api/admin/topup/supplier", { token })).body.data.lists;
}

it("a family's list that fails for more than six hours is mailed once a day, and told in the supplier's status", async () => {
  stockShelves(supplier);
  await syncWith(ctx);
  supplier.lists.prepaid = new Response("<html>", { status: 502 });
  await hoursPass(5);
  await syncWith(ctx);
  expect(await mailed()).toEqual([]);
  await hoursPass(2);
  await syncWith(ctx);
  expect(await mailed()).toEqual([
    {
      jenis: "prepaid",
      terakhir: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d$/),
      sebab: "unavailable",
    },
  ]);
  const readAt = expect.any(String);
  expect(await lists()).toEqual([
    { family: "prepaid", readAt, stale: true, reason: "unavailable" },
    { family: "game", readAt, stale: false, reason: null },
    { family: "social", readAt, stale: false, reason: null },
  ]);
  await ageMails();
  expect(await mailed()).toHaveLength(1);
  stockShelves(supplier);
  await syncWith(ctx);
  await ageMails();
  expect(await mailed()).toEqual([]);
  expect((await lists())[0]).toEqual({ family: "prepaid", readAt, stale: false, reason: null });
});

it("lists that are refused, that never were, and that no sync comes to are told of with their cause", async () => {
  stockShelves(supplier);
  await syncWith(ctx);
  await run(sql`delete from topup_syncs`);
  supplier.lists = { prepaid: [], game: [], social: [] };
  await syncWith(ctx);
  expect(await mailed()).toEqual([]);
  await hoursPass(7);
  const never = { terakhir: "belum pernah", sebab: "empty" };
  expect(await mailed()).toEqual([
    { jenis: "game", ...never },
    { jenis: "prepaid", ...never },
    { jenis: "social", ...never },
  ]);
  await ageMails();
  supplier.lists.game = [gameRow()];
  await syncWith(ctx);
  await hoursPass(7);
  // A run for the stocks alone reads no list.
  await syncWith(ctx, "sync-stock");
  expect(await mailed()).toContainEqual(
    expect.objectContaining({ jenis: "game", sebab: "tidak ada sinkronisasi" }),
  );
});

it("a family that never had a service is no news: nothing of it is sold at old prices", async () => {
  stockShelves(supplier);
  await syncWith(ctx);
  await run(sql`delete from topup_syncs`);
  await hideFamily("social");
  supplier.lists = { prepaid: [], game: [], social: [] };
  await syncWith(ctx);
  await hoursPass(7);
  expect(await mailed()).toEqual([
    expect.objectContaining({ jenis: "game" }),
    expect.objectContaining({ jenis: "prepaid" }),
  ]);
  expect(await lists()).toEqual([
    { family: "prepaid", readAt: null, stale: true, reason: "empty" },
    { family: "game", readAt: null, stale: true, reason: "empty" },
    { family: "social", readAt: null, stale: false, reason: "empty" },
  ]);
});

/** As if no service of the family had ever been listed, until the test is over. */
async function hideFamily(family: string): Promise<void> {
  const mark = `${family}/hidden/`;
  await run(
    sql`update topup_services set family = 'game', code = ${mark} || code where family = ${family}`,
  );
  onTestFinished(async () => {
    await run(sql`update topup_services set family = ${family}, code = replace(code, ${mark}, '')
      where starts_with(code, ${mark})`);
  });
}
