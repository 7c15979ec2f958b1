import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { marketMails } from "../mails.ts";
import { followParcel, giveUpQuietParcels } from "../shipping/courier-news.ts";
import { run } from "./catalogue.ts";
import { callback, courierContext, moveParcel } from "./parcels.ts";
import { type Sale, takeIn } from "./sales.ts";

/** The mails of a change: the seller's and the buyer's. */
export const TOLD = {
  asked: ["pickup_requested", "pickup_requested_buyer"],
  waybill: ["waybill_given", "waybill_given_buyer"],
  calledBack: ["pickup_called_back", "pickup_called_back_buyer"],
  fetched: ["parcel_collected", "order_shipped"],
  travels: ["parcel_in_transit", "parcel_in_transit_buyer"],
  sent: ["parcel_sent", "order_shipped"],
  corrected: ["parcel_sent", "waybill_given_buyer"],
  failed: ["parcel_failed", "parcel_failed_buyer"],
  redelivery: ["parcel_redelivery", "parcel_redelivery_buyer"],
  resumed: ["parcel_resumed", "parcel_resumed_buyer"],
  refused: ["parcel_refused", "parcel_refused_buyer"],
  returning: ["parcel_returning", "parcel_returning_buyer"],
  returned: ["parcel_returned", "parcel_returned_buyer"],
  cancelled: ["parcel_cancelled", "parcel_cancelled_buyer"],
  delivered: ["order_paid_out", "order_delivered"],
  arrived: ["parcel_arrived", "parcel_arrived_buyer"],
  refunded: ["order_taken_back", "order_refunded"],
  givenUp: ["order_given_up", "order_refunded"],
  quiet: ["parcel_quiet", "parcel_quiet_buyer"],
} as const;
export type Told = keyof typeof TOLD;

const Mail = z.object({ template: z.string(), to: z.string(), data: z.unknown() });

const mailsOf = async ({ orderId }: Sale) =>
  await testContext().db.run(
    rows(
      sql`select payload->>'template' as template, payload->>'to' as to, payload->'data' as data
        from jobs where kind = 'mail.send' and payload->>'template' <> 'alert'
          and dedupe_key like ${`mail/%${orderId}%`} order by created_at, id`,
      Mail,
    ),
  );

/** How often both sides of an order were told live. */
export async function eventsOf({ orderId }: Sale): Promise<number> {
  const query = sql`select count(*)::int as n from jobs
    where kind = 'market.order_news' and payload->>'order_id' = ${orderId}`;
  const [row] = await testContext().db.run(rows(query, z.object({ n: z.number() })));
  return row?.n ?? 0;
}

/** What `act` told of a sale: how many live events, and each mail as `template to seller|buyer`, all of them readable. */
export async function toldBy(sale: Sale, act: () => Promise<unknown>) {
  const [mailsBefore, eventsBefore] = [(await mailsOf(sale)).length, await eventsOf(sale)];
  await act();
  const mails = (await mailsOf(sale)).slice(mailsBefore);
  for (const { template, data } of mails) {
    const found = marketMails.find(({ name }) => name === template);
    if (!found) throw new Error(`no such mail: ${template}`);
    found.text(found.schema.parse(data), testContext().config);
  }
  const reader = (to: string) =>
    to === sale.buyer.email ? "buyer" : to === sale.seller.email ? "seller" : to;
  return {
    events: (await eventsOf(sale)) - eventsBefore,
    mails: mails.map(({ template, to }) => `${template} to ${reader(to)}`).toSorted(),
  };
}

/** The same, as a change must be told: one event to both and a mail to each. */
export const change = (told: Told) => ({
  events: 1,
  mails: [`${TOLD[told][0]} to seller`, `${TOLD[told][1]} to buyer`].toSorted(),
});
export const NOTHING = { events: 0, mails: [] };

let minute = 0;

/** The courier's callback, told now and at no other time. */
export async function callBack(sale: Sale, method: string, fields: object = {}) {
  minute += 1;
  const date = new Date(Date.UTC(2026, 10, 1) + minute * 60_000).toISOString();
  return await takeIn("kiriminaja", callback(sale, method, { date, ...fields }));
}

/** Moves the parcel there and asks about it, three times at once as callbacks and the check by the clock may. */
export async function seen(sale: Sale, to: string) {
  await moveParcel(sale, to);
  await Promise.all([1, 2, 3].map(() => followParcel(courierContext(), sale.number)));
}

/** A month passes in which nobody says anything of the parcel. */
export async function monthPasses({ orderId }: Sale) {
  const month = sql`now() - interval '31 days'`;
  await run(
    sql`update market_shipments set created_at = ${month}, requested_at = ${month} where order_id = ${orderId}`,
  );
  await run(sql`update market_shipment_events e set created_at = ${month}
    from market_shipments h where h.id = e.shipment_id and h.order_id = ${orderId}`);
  await giveUpQuietParcels(courierContext());
}
