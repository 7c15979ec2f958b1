import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { call } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { endsOf, listedRow, lookOf, ordersAt } from "../testing/histories.ts";
import { newPhone, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** After the purchases of ties.test.ts, and before those of histories.test.ts. */
const AT = Date.now() + 255 * DAY;

it.each([
  ["as it was ordered", (target: string) => target, 0],
  ["blacked out", (target: string) => `${target.slice(0, 4)}****${target.slice(-4)}`, 3 * DAY],
])(
  "a supplier that answers from several copies, of which one had the purchase, with its target %s: the order is not refunded by those that lack it",
  async (_, written, laterMs) => {
    const at = AT + laterMs;
    const target = newPhone();
    const [before = "", newer = "", own = ""] = ["BEFORE", "NEWER", "OWN"].map(
      (word) => word + crypto.randomUUID(),
    );
    const [id = ""] = await ordersAt(at, [
      { afterMs: 0, target },
      { afterMs: -DAY, trxid: before },
      { afterMs: 2 * MINUTE, trxid: newer },
    ]);
    const lacking = [listedRow(newer), listedRow(before)];
    const whole = [
      listedRow(newer),
      listedRow(own, { target: written(target) }),
      listedRow(before),
    ];
    // Whoever asked for a list had it once.
    const seen_at = new Date(at + 3 * MINUTE).toISOString();
    const noted = { family: "prepaid", seen_at, rows: whole, alert_to: "ops@x.id" };
    await testContext().db.run(call("topup_sightings_note", noted, z.unknown()));
    const look = (minutes: number, list: object[]) =>
      testContext().db.batch(lookOf(id, at + minutes * MINUTE, list, { seen: true }));
    for (const minutes of [4, 10, 16, 400, 1_000]) await look(minutes, lacking);
    expect(await endsOf([id])).toEqual(["unknown null"]);
    for (const minutes of [1_010, 1_020, 1_030]) await look(minutes, whole);
    expect(await endsOf([id])).toEqual([`processing ${own}`]);
  },
);
