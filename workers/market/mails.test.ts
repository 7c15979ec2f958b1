import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { runJob } from "../../shared/jobs/jobs.ts";
import { mailJob } from "../../shared/mail/mail.ts";
import { standIns } from "../testing/api.ts";
import { twin } from "../testing/orders.ts";
import { marketMails } from "./mails.ts";
import { openShop, quietContext, sell, settle } from "./testing/sales.ts";

const Mails = z.array(z.object({ subject: z.string(), html: z.string(), text: z.string() }));

/** What some mails say besides the order's own facts. */
const EXTRA = {
  reason: "Alasan <b>uji</b>.",
  amount: 50_000,
  commission_amount: 2_500,
  paid_to: "payment",
  closed: true,
  bank: "bca",
  last4: "7890",
  reference: "TRF-1",
  caption: "Keripik <b>uji</b>",
};

/** The SQL functions write a mail's data, the templates read it: this is where they meet. */
describe("every mail of the market", () => {
  it.each(marketMails.map(({ name }) => name))("%s is written and sent", async (name) => {
    const shop = await openShop();
    const sale = await sell(shop);
    await settle(sale);
    const reader = /^order_(paid|shipped|delivered)$|_buyer$/.test(name) ? "buyer" : "seller";
    const ctx = quietContext();
    // An occasion of its own, since an order's first mails are written by its settlement.
    const [made] = await ctx.db.run(
      rows(
        sql`select market_mail_about(${name}, ${sale.orderId}, ${reader}, 'test',
          ${JSON.stringify(EXTRA)}::jsonb)->>'id' as id`,
        z.object({ id: z.string() }),
      ),
    );
    expect(await runJob(ctx, made?.id ?? "", [mailJob(marketMails)])).toBe("success");
    const to = (reader === "buyer" ? shop.buyer : shop.seller).email;
    const path = `/_mails?to=${encodeURIComponent(to)}`;
    const mails = Mails.parse(await twin(standIns().resend, path, {}, "GET"));
    // Nobody else wrote to him: whatever came is this mail.
    const [mail] = mails;
    expect(mail?.html).not.toMatch(/undefined|null|NaN|<b>uji/);
    expect(mail?.text).not.toMatch(/undefined|null|NaN/);
  });
});
