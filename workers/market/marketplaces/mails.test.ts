import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { mailJob } from "../../../shared/mail/mail.ts";
import { standIns } from "../../testing/api.ts";
import { twin } from "../../testing/orders.ts";
import { marketplaceMails } from "./mails.ts";
import { connectedMarket, connectionOf } from "./testing/market-bench.ts";

const Mails = z.array(z.object({ subject: z.string(), html: z.string(), text: z.string() }));

const EXTRA = {
  reason: "Izin <b>dicabut</b>.",
  ends_at: "2026-12-24T10:00:00Z",
  since: "2026-11-22T03:00:00Z",
  number: "2611210001ABC",
  lines: [{ name: "Kopi <b>Luwak</b>", quantity: 5, short: 2 }],
};

/** The SQL functions write a mail's data, the templates read it: this is where they meet. */
describe("every mail about a shop elsewhere", () => {
  it.each(marketplaceMails.map(({ name }) => name))("%s is written and sent", async (name) => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    const { ctx, seller } = market;
    const [made] = await ctx.db.run(
      rows(
        sql`select market_marketplace_mail(${name}, ${id}, 'uji', ${JSON.stringify(EXTRA)}::jsonb)->>'id' as id`,
        z.object({ id: z.string() }),
      ),
    );
    expect(await runJob(ctx, made?.id ?? "", [mailJob(marketplaceMails)])).toBe("success");
    const path = `/_mails?to=${encodeURIComponent(seller.email)}`;
    const [mail] = Mails.parse(await twin(standIns().resend, path, {}, "GET"));
    expect(mail?.subject).toContain("Shopee");
    expect(mail?.html).not.toMatch(/undefined|null|NaN|<b>(dicabut|Luwak)/);
    expect(mail?.text).not.toMatch(/undefined|null|NaN/);
  });
});
