import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { pause } from "../../testing/pause.ts";
import { change, connectionOf, listed, pumpOnce } from "../testing/market-bench.ts";

it("a stock that changes in the moment in which the shop's pump lies down starts it again", async () => {
  const { market, product } = await listed({ stock: 10 });
  const { id } = await connectionOf(market);
  const sold = async (stock: number) => {
    await change(sql`update market_products set stock = ${stock} where id = ${product.id}`);
    // As pushSoon does behind the answer.
    await change(
      sql`select market_marketplace_pumps(${JSON.stringify({ store_id: market.store.id })}::jsonb)`,
    );
  };
  await sold(8);
  {
    await using rest = await pause(
      `after update on market_connections deferrable initially deferred for each row
        when (new.pump_idle and not old.pump_idle and new.id = '${id}')`,
      { atCommit: true },
    );
    const lying = pumpOnce(market);
    await rest.reached();
    expect(market.fake.item(product.id)?.stock).toBe(8);
    await Promise.all([lying, sold(5)]);
  }
  expect(await pumpOnce(market)).toBe("success");
  expect(market.fake.item(product.id)?.stock).toBe(5);
});
