import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { testContext } from "../../testing/api.ts";
import type { TargetKind } from "../tables/catalogue.ts";

/** What an order was placed for, as far as the words about its target go. */
export interface Aim {
  family: SupplierFamily;
  targetKind: TargetKind | null;
  target: string;
  zone?: string;
}

/** Whether the supplier may mean each of these, by the SQL function. */
export async function mayMean(pairs: (readonly [Aim, string])[]): Promise<boolean[]> {
  const input = pairs.map(([{ targetKind, ...aim }, theirs]) => ({
    o: { ...aim, target_kind: targetKind },
    theirs,
  }));
  const found = await testContext().db.run(
    rows(
      sql`select topup_may_mean(jsonb_populate_record(null::topup_orders, e.pair->'o'), e.pair->>'theirs') as may
        from jsonb_array_elements(${JSON.stringify(input)}::jsonb) with ordinality e(pair, n) order by e.n`,
      z.object({ may: z.boolean() }),
    ),
  );
  return found.map(({ may }) => may);
}
