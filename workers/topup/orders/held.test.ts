import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { call } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { endsOf, listedRow, lookOf, ordersAt } from "../testing/histories.ts";
import { newPhone, SERVICES, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** So far ahead that nothing of the family is known of the 30 days before, and before those of ties.test.ts. */
const AT = Date.now() + 185 * DAY;

it("an order is not refunded while a row that may be its own stands as another one's should: that may turn out to have another purchase", async () => {
  const target = newPhone();
  const [before = "", newer = "", own = "", others = ""] = ["BEFORE", "NEWER", "OWN", "OTHERS"].map(
    (word) => word + crypto.randomUUID(),
  );
  const sold = [
    { afterMs: -DAY, trxid: before },
    { afterMs: 2 * MINUTE, trxid: newer },
  ];
  const [first = ""] = await ordersAt(AT, [{ afterMs: 0, target }, ...sold]);
  const [second = ""] = await ordersAt(AT, [{ afterMs: 3 * MINUTE, target }]);
  // The first one's row shows late, on top of the list.
  const list = [listedRow(own, { target }), listedRow(newer), listedRow(before)];
  const look = (minutes: number) =>
    testContext().db.batch(lookOf(first, AT + minutes * MINUTE, list, { seen: true }));
  for (const minutes of [6, 12, 13]) await look(minutes);
  expect(await endsOf([first])).toEqual(["unknown null"]);

  const now = new Date(AT + 14 * MINUTE).toISOString();
  const told = { trxid: others, charged: SERVICES.credit.supplierPrice, now, alert_to: "ops@x.id" };
  await testContext().db.run(
    call("topup_order_accepted", { order_id: second, ...told }, z.unknown()),
  );
  await look(15);
  expect(await endsOf([first, second])).toEqual(
    [`processing ${others}`, `processing ${own}`].sort(),
  );
});
