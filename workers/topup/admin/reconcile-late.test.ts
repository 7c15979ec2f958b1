import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { type Desk, openDesk, orderOf, reconcileDay, theirs } from "../testing/days.ts";

let desk: Desk;
let month = 0;
beforeAll(async () => {
  desk = await openDesk();
});
beforeEach(() => {
  month += 1;
});

/** Days that no other test has. */
const day = (n: number) => `2004-${String(month).padStart(2, "0")}-0${n}`;

/** An order that is under way when its own day's report is written, and how we hear of its end on the fourth. */
async function underWay() {
  await reconcileDay(desk, day(1), [], { balance: 1_000_000 });
  const { number, trxid } = await orderOf(desk, day(2), { charged: 2_000, state: "processing" });
  const open = theirs(trxid, { status: "processing", statusText: "processing" });
  const second = await reconcileDay(desk, day(2), [open], { balance: 998_000 });
  expect(second.clean).toBe(true);
  const hear = () =>
    testContext().db.run(
      rows(
        sql`update topup_orders set state = 'failed', refunded_amount = amount,
          finished_at = ${`${day(4)}T00:20:00+07:00`} where number = ${number}`,
        z.unknown(),
      ),
    );
  return { trxid, hear };
}

it("an older order that ends at the supplier before we hear of it is no difference on either day", async () => {
  const { trxid, hear } = await underWay();
  const over = theirs(trxid, { status: "error", statusText: "error" });
  const third = await reconcileDay(desk, day(3), [over], { balance: 1_000_000 });
  expect(third).toMatchObject({ clean: true, surplus: 2_000, mostBalance: 1_000_000 });
  await hear();
  const fourth = await reconcileDay(desk, day(4), [], { balance: 1_000_000 });
  expect(fourth).toMatchObject({ clean: true, leastBalance: 1_000_000, mostBalance: 1_002_000 });
});

it("money that the supplier never gave back is still a difference", async () => {
  const { hear } = await underWay();
  const third = await reconcileDay(desk, day(3), [], { balance: 998_000 });
  expect(third).toMatchObject({ clean: true, surplus: 0 });
  await hear();
  const fourth = await reconcileDay(desk, day(4), [], { balance: 998_000 });
  expect(fourth).toMatchObject({ clean: false, leastBalance: 1_000_000 });
});
