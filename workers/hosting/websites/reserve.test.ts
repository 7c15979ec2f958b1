import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { query, run } from "../testing/sales.ts";
import {
  finish,
  jobsOf,
  newDomain,
  order,
  subscribe,
  type TestSubscription,
  websitesOf,
} from "../testing/sites.ts";

const create = ({ user, id: subscriptionId }: TestSubscription, domain: string) =>
  api("/api/website/create", {
    method: "POST",
    token: user.token,
    json: { subscriptionId, domain },
  });

async function created(subscription: TestSubscription, domain: string): Promise<string> {
  const { status, body } = await create(subscription, domain);
  expect([status, body.error]).toEqual([200, undefined]);
  return body.website.id;
}

describe("a domain that is wanted", () => {
  test("for a VPS is refused in words and not taken: such a plan has no place on a shared server", async () => {
    const subscription = await subscribe();
    await run(
      sql`update hosting_subscriptions set plan_type = 'VPS' where id = ${subscription.id}`,
    );
    const domain = newDomain();
    const { status, body } = await create(subscription, domain);
    expect(status).toBe(400);
    expect(body.error).toBe("Paket VPS tidak termasuk website di server hosting");
    expect(await websitesOf(domain)).toEqual([]);
  });

  test("while its last website ends is had a moment later, and neither fails for their locks", async () => {
    const [domain, first, second] = [newDomain(), await subscribe(), await subscribe()];
    const id = await created(first, domain);
    expect(await order(id, "delete")).not.toBeNull();
    for (const job of (await jobsOf(id)).slice(-1)) await finish(job);
    // Its server has it no more, and its row does not say so yet. The end of a site: its row, a moment later its server.
    await run(
      sql`update hosting_websites set status = 'ACTIVE', deleted_at = null where id = ${id}`,
    );
    const gone = testContext().db.batch([
      rows(sql`select 1 from hosting_websites where id = ${id} for no key update`, z.unknown()),
      rows(
        sql`update hosting_websites set status = 'DELETED', wanted = 'deleted', deleted_at = now() where id = ${id}`,
        z.unknown(),
      ),
      rows(sql`select pg_sleep(0.3)`, z.unknown()),
      rows(
        sql`update hosting_servers set updated_at = now()
          where id = (select server_id from hosting_websites where id = ${id})`,
        z.unknown(),
      ),
    ]);
    await untilLocked(id);
    const again = await create(second, domain);
    await gone;
    expect([again.status, again.body.error]).toEqual([200, undefined]);
    expect((await websitesOf(domain)).map(({ status }) => status)).toEqual(["DELETED", "ACTIVE"]);
  });
});

/** Until somebody has that website's row. */
async function untilLocked(id: string): Promise<void> {
  const free = sql`select 1 as one from hosting_websites where id = ${id} for no key update skip locked`;
  while ((await query(free, z.unknown())).length > 0) await scheduler.wait(2);
}
