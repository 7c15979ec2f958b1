import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { follow } from "../testing/answers.ts";
import { bench } from "../testing/bench.ts";
import { FUNDS } from "../testing/doubts.ts";
import { booksOf, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { placeSocial } from "./place.ts";

beforeAll(stockShelves);

const { likes } = SERVICES;
const MINUTE = 60_000;

describe("a purchase whose target the supplier writes in its own way is the order's", () => {
  it.each<[string, (name: string) => [ours: string, theirs: string]]>([
    ["a name without its @", (name) => [`@${name}`, name]],
    ["a name as the link of its profile", (name) => [name, `https://www.instagram.com/${name}`]],
    [
      "a link as it stands on a page",
      (name) => [
        `https://www.instagram.com/p/${name}/?a=1&b=2`,
        `https://www.instagram.com/p/${name}/?a=1&amp;b=2`,
      ],
    ],
    [
      "a link without www and its last slash",
      (name) => [`https://www.instagram.com/p/${name}/`, `https://instagram.com/p/${name}`],
    ],
  ])("%s", async (_, spell) => {
    for (const [end, state] of [
      ["succeed", "success"],
      ["fail", "failed"],
    ] as const) {
      const [target, theirs] = spell(`toko${newPhone()}`);
      await dial(target, { stay: true, lose: true });
      const user = await customer(FUNDS);
      const twist = (text: string) =>
        text.replaceAll(JSON.stringify(target), JSON.stringify(theirs));
      const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000, twist });
      await placeSocial(ctx, { service: likes.code, target, quantity: 100 });
      await settle();
      const order = await theOrderOf(target);
      expect(order).toMatchObject({ state: "processing" });
      await hand(end, order.trxid ?? "");
      await follow(MINUTE, twist);
      expect(await theOrderOf(target)).toMatchObject({ state });
      expect(await booksOf(user)).toMatchObject({ escrow: 0 });
    }
  });

  it.each([
    ["os_asia", "Asia", false],
    ["os_asia", "os_usa", true],
    ["2001", "(2001)", false],
    ["2001", "Server 02001", false],
    ["2001", "20**", false],
    ["2001", "2002", true],
    ["2001", "12001", true],
    ["2001", "S1 (2001)", false],
    ["2001", "", false],
    [null, "1", false],
  ])("zone %s as %j is another one: %j", async (mine, told, is) => {
    const asked = sql`select topup_is_other_zone(${mine}::text, ${told}::text) as "is"`;
    const found = await testContext().db.run(rows(asked, z.object({ is: z.boolean() })));
    expect(found).toEqual([{ is }]);
  });
});
