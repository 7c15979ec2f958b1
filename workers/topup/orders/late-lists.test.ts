import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { endsOf, listedRow, lookOf, ordersAt, type TriedOrder } from "../testing/histories.ts";
import { newPhone, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** So far ahead, and so far apart, that nothing of the family is known of the 30 days before. */
let begun = Date.now() + 3_000 * DAY;
const newFamily = () => {
  begun += 100 * DAY;
  return begun;
};
const trxid = () => `QUIET${crypto.randomUUID()}`;

/** As the order's job looks, until a day of whole lists is just not over. */
const LOOKS = [90 * SECOND, ...Array.from({ length: 24 }, (_, n) => HOUR * (n + 0.5))];
const DAY_AFTER = DAY + 91 * SECOND;

type Shown = readonly object[] | "unreadable";

/** One order in doubt, and what lists show so long after it. */
async function inDoubt(others: readonly TriedOrder[] = [], target = newPhone()) {
  const at = newFamily();
  const [id = ""] = await ordersAt(at, [{ afterMs: 0, target }, ...others]);
  const look = async (afterMs: readonly number[], shown: (afterMs: number) => Shown) => {
    const looks = afterMs.flatMap((after) => {
      const list = shown(after);
      const unreadable = list === "unreadable";
      return lookOf(id, at + after, unreadable ? [] : list, { unreadable, seen: true });
    });
    await testContext().db.batch(looks);
    const [end] = await endsOf([id]);
    return end;
  };
  return { at, look };
}

/** What was bought past us, of which nothing was seen before. */
const past = () => [listedRow(trxid()), listedRow(trxid())];

describe("the first lost order of a family, of which nothing newer is sold", () => {
  it.each<[string, TriedOrder[], object[]]>([
    ["has an empty list", [], []],
    ["has a list of what was bought past us", [], past()],
    ["has forgotten what we bought more than 30 days ago", [oldOne(), oldOne()], []],
  ])(
    "is refunded after a day of lists, not before, where the supplier %s",
    async (_, known, rowsOf) => {
      const { look } = await inDoubt(known);
      expect(await look(LOOKS, () => rowsOf)).toBe("unknown null");
      expect(await look([DAY_AFTER], () => rowsOf)).toBe("failed null");
    },
  );

  it("is bought by its row, however late that shows", async () => {
    const target = newPhone();
    const own = listedRow(trxid(), { target });
    const { look } = await inDoubt([], target);
    expect(await look(LOOKS, () => [])).toBe("unknown null");
    expect(await look([DAY_AFTER], () => [own])).toBe(`processing ${own.trxid}`);
  });

  it.each<[string, Shown]>([
    ["cannot be read", "unreadable"],
    ["lacks what lists had", []],
  ])("is in doubt for a day more after a list that %s", async (_, broken) => {
    const { look } = await inDoubt();
    const steady = past();
    await look(LOOKS.slice(0, 12), () => steady);
    await look([12 * HOUR], () => broken);
    const later = [DAY_AFTER, DAY_AFTER + 11 * HOUR];
    expect(await look([13 * HOUR, ...later], () => steady)).toBe("unknown null");
    expect(await look([DAY_AFTER + 13 * HOUR], () => steady)).toBe("failed null");
  });

  it("is in doubt while the one purchase of the last month is lacked", async () => {
    const { look } = await inDoubt([{ afterMs: -DAY, trxid: trxid() }]);
    expect(await look([...LOOKS, DAY_AFTER, 2 * DAY, 3 * DAY], () => [])).toBe("unknown null");
  });
});

it("an order is held while a list lacks what was tried just after it, though that was learnt of late", async () => {
  const [before, lacked, newer] = [trxid(), trxid(), trxid()];
  const { look } = await inDoubt([
    { afterMs: -DAY, trxid: before },
    { afterMs: 2 * MINUTE, trxid: lacked, learntMs: 10 * MINUTE },
    { afterMs: 14 * MINUTE, trxid: newer },
  ]);
  const list = [listedRow(newer), listedRow(before)];
  const looks = [15, 20.5, 26].map((minutes) => minutes * MINUTE);
  expect(await look(looks, () => list)).toBe("unknown null");
  const whole = [listedRow(newer), listedRow(lacked), listedRow(before)];
  expect(await look([27 * MINUTE, 33 * MINUTE], () => whole)).toBe("failed null");
});

it("one buyer's second order has the row that shows late where his first took a purchase that a callback alone names", async () => {
  const target = newPhone();
  const [named, between, newer] = [trxid(), trxid(), trxid()];
  const { look } = await inDoubt(
    [
      { afterMs: -5 * MINUTE, target, trxid: named, learntMs: 6 * MINUTE, isMatch: true },
      { afterMs: -MINUTE, trxid: between },
      { afterMs: 2 * MINUTE, trxid: newer },
    ],
    target,
  );
  const late = listedRow(trxid(), { target });
  const list = [listedRow(newer), listedRow(between), late];
  const looks = [3, 8.5, 14].map((minutes) => minutes * MINUTE);
  expect(await look(looks, () => list)).toBe(`processing ${late.trxid}`);
});

describe("an order that was lost in a busy shop is refunded, and one that was bought is not", () => {
  /** Something is sold every so often, from a day before on; the list is so late, and single rows by so much more. */
  const sales = (everyMs: number) => {
    const before = [-DAY, -HOUR].map((afterMs) => ({ afterMs, trxid: trxid() }));
    const since = Array.from({ length: Math.ceil((2 * HOUR) / everyMs) }, (_, n) => ({
      afterMs: 80 * SECOND + n * everyMs,
      trxid: trxid(),
    }));
    return [...before, ...since];
  };
  const BUSY_LOOKS = [1.5, 2.5, 3.5, 5, 6, 8, 10, 13, 16, 20, 25, 31, 38, 47, 58, 70, 85, 105].map(
    (minutes) => minutes * MINUTE,
  );

  it.each([
    ["lists are 20 minutes late", 4 * MINUTE, 20 * MINUTE, 0],
    ["lists are an hour late", 10 * MINUTE, HOUR, 0],
    ["single rows are up to 90 seconds late", 20 * SECOND, 0, 90 * SECOND],
    ["lists are 10 minutes late and rows by 4 more", 30 * SECOND, 10 * MINUTE, 4 * MINUTE],
  ])("where %s", async (_, everyMs, listMs, rowMs) => {
    const known = sales(everyMs);
    const target = newPhone();
    const own = { afterMs: 60 * SECOND, trxid: trxid(), target };
    /** Every second sale shows as late as it may, and so does the order's own purchase. */
    const listAt = (purchases: readonly TriedOrder[]) => (afterMs: number) =>
      purchases
        .map((one, n) => ({ ...one, shows: one.afterMs + listMs + (n % 2 ? rowMs : 0) }))
        .filter(({ afterMs: madeMs, shows }) => shows <= afterMs || madeMs < 0)
        .sort((a, b) => b.afterMs - a.afterMs)
        .map((one) => listedRow(one.trxid ?? "", one.target ? { target: one.target } : {}))
        .slice(0, 100);
    const lost = await inDoubt(known);
    expect(await lost.look(BUSY_LOOKS, listAt(known))).toBe("failed null");
    const again = sales(everyMs);
    const bought = await inDoubt(again, target);
    const isOdd = again.length % 2 === 1 ? again : again.slice(0, -1);
    const end = await bought.look(BUSY_LOOKS, listAt([...isOdd, own]));
    expect(end).toBe(`processing ${own.trxid}`);
  });
});

it.each([1, 2])(
  "two like orders, both bought, are both theirs though the first one's row shows last: of %d buyers",
  async (buyers) => {
    const [at, target] = [newFamily(), newPhone()];
    const between = trxid();
    const sold = { afterMs: 4 * SECOND, trxid: between };
    const one = { afterMs: 0, target };
    const other = { afterMs: 40 * SECOND, target };
    const his: TriedOrder[][] = buyers === 1 ? [[sold, one, other]] : [[sold, one], [other]];
    const ids: string[] = [];
    for (const tried of his) ids.push(...(await ordersAt(at, tried)));
    const [first, second] = [listedRow(trxid(), { target }), listedRow(trxid(), { target })];
    const shown = [second, listedRow(between)];
    for (const [afterMs, list] of [
      [2 * MINUTE, shown],
      [4 * MINUTE, [...shown, first]],
      [7 * HOUR, [...shown, first]],
    ] as const) {
      for (const id of ids)
        await testContext().db.batch(lookOf(id, at + afterMs, list, { seen: true }));
    }
    const bought = [first, second].map((row) => `processing ${row.trxid}`);
    expect(await endsOf(ids)).toEqual(bought.sort());
  },
);

it("lists of what is bought past us that are cut before anything of ours are lists all the same", async () => {
  const old = [-3, -2].map((hours) => ({ afterMs: hours * HOUR, trxid: trxid() }));
  const { at, look } = await inDoubt(old);
  const rowsOf = past();
  const noted = { family: "prepaid", rows: rowsOf, alert_to: "ops@x.id" };
  const seenAt = new Date(at - HOUR).toISOString();
  await testContext().db.run(
    rows(
      sql`select topup_sightings_note(${JSON.stringify({ ...noted, seen_at: seenAt })}::jsonb)`,
      z.unknown(),
    ),
  );
  expect(await look([90 * SECOND, 3 * HOUR], () => rowsOf)).toBe("unknown null");
  expect(await look([6.1 * HOUR], () => rowsOf)).toBe("failed null");
});

function oldOne(): TriedOrder {
  return { afterMs: -40 * DAY, trxid: trxid() };
}
