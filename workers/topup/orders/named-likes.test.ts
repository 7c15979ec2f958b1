import { sql } from "drizzle-orm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { endsOf, listedRow, lookOf, namedRow, ordersAt } from "../testing/histories.ts";
import { newPhone, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);
afterEach(() =>
  testContext().db.run(
    rows(sql`delete from inbox_events where body = '{"test":"named"}'`, z.unknown()),
  ),
);

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** So far apart that nothing of the family is known of the 30 days before, and not as far ahead as late-lists.test.ts. */
let begun = Date.now() + 1_000 * DAY;
const trxid = () => `NAMED${crypto.randomUUID()}`;

/**
 * Like orders, each bought, and what the first look shows: the first one's purchase stands in no list, but a callback
 * named it after a minute, so who was tried later than that never sees it. Something newer is sold and listed.
 */
async function likes(triedMinutes: readonly number[], { buyers = 1 } = {}) {
  begun += 100 * DAY;
  const at = begun;
  const target = newPhone();
  const [named, before, newer] = [trxid(), trxid(), trxid()];
  const tried = triedMinutes.map((minutes) => ({ afterMs: minutes * MINUTE, target }));
  const others = [
    { afterMs: -DAY, trxid: before },
    { afterMs: 40 * MINUTE, trxid: newer },
  ];
  const ids: string[] = [];
  for (let n = 0; n < buyers; n += 1) {
    const his = tried.filter((_, order) => order % buyers === n);
    ids.push(...(await ordersAt(at, n === 0 ? [...his, ...others] : his)));
  }
  const own = tried.slice(1).map(() => listedRow(trxid(), { target }));
  const list = [listedRow(newer), ...own.toReversed(), listedRow(before)];
  const first = namedRow(named, at + MINUTE, { target });
  const look = async (order: number, minutes: number, { isTold = true } = {}) => {
    const isSeen = isTold && (triedMinutes[order] ?? 0) <= 1;
    const shown = isSeen ? [first, ...list] : list;
    const id = ids[order] ?? "";
    await testContext().db.batch(lookOf(id, at + minutes * MINUTE, shown, { seen: true }));
  };
  const name = () =>
    testContext().db.run(
      rows(
        sql`insert into inbox_events (provider, event_key, body, state, received_at, retry_at)
          values ('vip-reseller', ${`${named}/success/1`}, '{"test":"named"}', 'parked',
            ${new Date(at + MINUTE).toISOString()}, now() + interval '1 day')`,
        z.unknown(),
      ),
    );
  const bought = [named, ...own.map((row) => row.trxid)].map((id) => `processing ${id}`).sort();
  return { ends: () => endsOf(ids), look, name, bought };
}

describe("a purchase that a callback alone names, before the later of two like orders was tried", () => {
  it.each([1, 2])(
    "is the earlier one's, whose list shows the later one's: %d buyers",
    async (buyers) => {
      const { ends, look, bought } = await likes([0, 10], { buyers });
      for (const minutes of [42, 48]) for (const order of [0, 1]) await look(order, minutes);
      await look(1, 54);
      expect(await ends()).toEqual(bought);
    },
  );

  it("is the first's of three", async () => {
    const { ends, look, bought } = await likes([0, 10, 20]);
    for (const minutes of [42, 48, 54]) for (const order of [0, 1, 2]) await look(order, minutes);
    expect(await ends()).toEqual(bought);
  });

  it.each([1, 2])(
    "keeps the later one in doubt until the earlier is settled: %d buyers",
    async (buyers) => {
      const { ends, look, bought } = await likes([0, 10], { buyers });
      for (const minutes of [42, 48, 54]) await look(1, minutes);
      expect(await ends()).toEqual(["unknown null", "unknown null"]);
      await look(0, 55);
      await look(1, 56);
      expect(await ends()).toEqual(bought);
    },
  );

  it("is waited for by the earlier one, while the supplier does not tell of it", async () => {
    const { ends, look, name, bought } = await likes([0, 10]);
    await name();
    await look(0, 42, { isTold: false });
    expect(await ends()).toEqual(["unknown null", "unknown null"]);
    for (const minutes of [44, 50]) for (const order of [0, 1]) await look(order, minutes);
    expect(await ends()).toEqual(bought);
  });
});
