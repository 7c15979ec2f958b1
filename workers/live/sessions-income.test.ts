import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { testContext } from "../testing/api.ts";
import { createUser } from "../testing/factories.ts";
import { sendGifts } from "./gifts.ts";
import { createGiver, giftOrder } from "./test-gifts.ts";
import { coinsOf, goLive, query } from "./testing/people.ts";
import { end, rowOf } from "./testing/sessions.ts";

describe("a session that ends while gifts are coming", () => {
  it("has in its income every gift that names it, and the others name none", async () => {
    for (let round = 0; round < 5; round += 1) {
      const host = await createUser();
      const fans = await Promise.all(Array.from({ length: 6 }, () => createGiver(1_000)));
      const sessionId = await goLive(host);
      const give = async (userId: number) => {
        for (let i = 0; i < 4; i += 1) {
          await sendGifts(testContext(), [giftOrder(userId, host.userId)]);
        }
      };
      const ended = (async () => {
        await sendGifts(testContext(), [giftOrder(fans[0]?.userId ?? 0, host.userId)]);
        await end(host, sessionId);
      })();
      await Promise.all([ended, ...fans.map(({ userId }) => give(userId))]);
      const [sums] = await query(
        sql`select coalesce(sum(income) filter (where session_id = ${sessionId}), 0)::float8 as named,
            sum(income)::float8 as total
          from live_gifts where receiver_id = ${host.userId}`,
        z.object({ named: z.number(), total: z.number() }),
      );
      const { income } = await rowOf(sessionId);
      expect(income).toBe(sums?.named);
      expect(income).toBeGreaterThan(0);
      expect(await coinsOf(host)).toBe(sums?.total);
      expect(sums?.total).toBe(250);
    }
  });
});
