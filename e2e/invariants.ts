import type { Market } from "./market.ts";
import { eventually, type Platform, passMinutes } from "./platform.ts";

/** Each finds rows that must not be, in whatever moment one looks. */
const NEVER: Record<string, string> = {
  "the ledger does not sum up to zero":
    "select currency, sum(balance) from ledger_accounts group by 1 having sum(balance) <> 0",
  "an account is not the sum of its transfers": `select a.kind, a.owner_id, a.balance from ledger_accounts a
    where a.balance <> coalesce((select sum(amount) from ledger_transfers where credit_account_id = a.id), 0)
      - coalesce((select sum(amount) from ledger_transfers where debit_account_id = a.id), 0)`,
  "reserved is not what orders hold that may be paid": `select p.name, p.reserved, h.held from market_products p,
    lateral (select (select coalesce(sum(i.quantity), 0) from market_order_items i
        join market_orders o on o.id = i.order_id and (o.status = 'pending' or o.held_after_cancel)
        where i.product_id = p.id and o.source <> 'marketplace')
      + (select coalesce(sum(l.held), 0) from market_channel_lines l where l.product_id = p.id) as held) h
    where p.reserved <> h.held`,
  "an order that a marketplace took has money or a parcel here": `select o.number, o.status, o.payment_id
    from market_orders o where o.source = 'marketplace' and (o.payment_id is not null or o.commission_amount <> 0
      or exists (select from market_shipments s where s.order_id = o.id)
      or exists (select from ledger_transfers t where t.reference like 'order-%/' || o.id))`,
  "a promo was used more or less often than by orders": `select p.code, p.used_count, u.used
    from market_promo_codes p, lateral (select count(*) as used from market_orders o
      where o.promo_code_id = p.id and (o.status <> 'cancelled' or o.held_after_cancel)
        and (o.status <> 'refunded' or o.delivered_at is not null)) u
    where p.used_count <> u.used or p.used_count > p.max_uses`,
  "an order and its payment disagree": `select o.number, o.status, i.state
    from market_orders o left join payments_intents i on i.id = o.payment_id
    where o.source <> 'marketplace' and not coalesce((o.status = 'pending' and i.state = 'pending')
      or (o.status = 'cancelled' and o.held_after_cancel = (i.state = 'pending')
        and not exists (select from payments_charges c where c.intent_id = i.id and c.state = 'paid'))
      or (o.status = 'refunded' and i.state in ('paid', 'refunded'))
      or (o.status in ('paid', 'processing', 'shipped', 'delivered') and i.state = 'paid'), false)`,
  "an order is not paid exactly once": `select o.number, o.status, count(t.id) from market_orders o
    left join ledger_transfers t on t.reference = 'order-paid/' || o.id and t.amount = o.total_amount
    where o.source <> 'marketplace'
    group by o.id having count(t.id) <> (o.status not in ('pending', 'cancelled'))::int`,
  "a paid charge neither settled nor went back": `select c.provider_ref, c.state, i.state as intent
    from payments_charges c join payments_intents i on i.id = c.intent_id
    left join payments_refunds r on r.charge_id = c.id
    where (c.state = 'paid' and not (c.settles_intent and i.state = 'paid'))
      or (c.state in ('refunding', 'refunded') and r.id is null)`,
  "an intent is not settled by exactly one charge": `select i.id, i.state from payments_intents i
    left join payments_charges c on c.intent_id = i.id and c.settles_intent
    group by i.id having count(c.id) <> (i.state in ('paid', 'refunded'))::int`,
  "a message was given up": "select queue, message from inbox_dead_letters",
  "a job was given up":
    "select kind, state, error from jobs where state in ('failed', 'cancelled')",
};

/** What is true once everything that was begun has ended. */
const AT_REST: Record<string, string> = {
  "a job is not done": `select kind, state, attempts, error from jobs where state <> 'success'`,
  "a notice is not worked off": `select provider, event_key from inbox_events where state = 'received'`,
  "a refund is not done": `select reason, state from payments_refunds where state not in ('refunded', 'credited')`,
  "a charge is still in doubt": `select c.provider_ref, c.state from payments_charges c
    join payments_intents i on i.id = c.intent_id and i.state = 'pending'
    where c.state in ('creating', 'unknown')`,
  "a paid order has not exactly one parcel on its way": `select o.number, o.status, count(s.id) from market_orders o
    left join market_shipments s on s.order_id = o.id and s.requested_at is not null
    where o.status not in ('pending', 'cancelled', 'refunded') and o.source <> 'marketplace'
    group by o.id having count(s.id) <> 1 or o.status = 'paid'`,
};

/** Everything that is wrong now, in words; what waits for its time is not wrong. */
export async function findWrongs(
  platform: Platform,
  { products }: Pick<Market, "products">,
): Promise<string[]> {
  const wrongs = await failing(platform, NEVER);
  for (const product of products) {
    const [row] = await platform.sql<{ left: number; sold: number }>(
      `select p.stock as left, (select coalesce(sum(i.quantity), 0)::int from market_order_items i
          join market_orders o on o.id = i.order_id and o.status not in ('pending', 'cancelled')
          where i.product_id = p.id) as sold
        from market_products p where p.id = $1`,
      [product.id],
    );
    if (!row || row.left + row.sold !== product.stock) {
      wrongs.push(`stock of ${product.name}: ${product.stock} became ${JSON.stringify(row)}`);
    }
  }
  return wrongs;
}

async function failing({ sql }: Platform, checks: Record<string, string>): Promise<string[]> {
  const wrongs: string[] = [];
  for (const [words, query] of Object.entries(checks)) {
    const rows = await sql(query);
    if (rows.length > 0) wrongs.push(`${words}: ${JSON.stringify(rows.slice(0, 3))}`);
  }
  return wrongs;
}

/** What the providers' own books say otherwise than ours. */
async function disagreements(platform: Platform): Promise<string[]> {
  const wrongs: string[] = [];
  const [gateway] = await platform.sql<{ balance: string }>(
    "select balance from ledger_accounts where kind = 'gateway' and owner_id = 'midtrans'",
  );
  const received = [...platform.twins.midtrans.state.transactions.values()]
    .filter(({ status }) => status === "settlement")
    .reduce((sum, { amount }) => sum + amount, 0);
  const booked = -Number(gateway?.balance ?? 0);
  if (received !== booked) wrongs.push(`the payment twin holds ${received}, we booked ${booked}`);

  const paid = await platform.sql<{ number: string; buyer: string; seller: string; mails: number }>(
    `select o.number, b.email as buyer, s.email as seller, ${MAILS} as mails from market_orders o
      join identity_users b on b.id = o.buyer_id join market_stores m on m.id = o.store_id
      join identity_users s on s.id = m.user_id
      where o.status not in ('pending', 'cancelled') and o.source <> 'marketplace'`,
  );
  const parcels = [...platform.twins.kiriminAja.state.pickups.values()].flatMap((pickup) =>
    pickup.shipments.map(({ orderId }) => orderId),
  );
  for (const { number, buyer, seller, mails } of paid) {
    const asked = parcels.filter((parcel) => parcel === number).length;
    if (asked !== 1) wrongs.push(`the courier twin has ${asked} parcels of paid order ${number}`);
    for (const reader of [buyer, seller]) {
      const subjects = mailsAbout(platform, reader, number);
      if (subjects.length !== mails || new Set(subjects).size !== mails) {
        wrongs.push(`mails to one reader of a paid order: ${JSON.stringify(subjects)}`);
      }
    }
  }
  const strange = parcels.length - paid.length;
  if (strange !== 0)
    wrongs.push(`the courier twin has ${strange} parcels of orders that nobody paid`);
  return wrongs;
}

/**
 * How many mails buyer and seller of a paid order get each until its parcel moves: paid, pickup requested and, unless
 * the courier's word of it was lost (it is asked half an hour later), the waybill.
 */
const MAILS = `2 + (select count(h.tracking_code) from market_shipments h where h.order_id = o.id)::int`;

function mailsAbout({ twins }: Platform, reader: string, number: string): string[] {
  const mails = twins.resend.state.byRecipient.get(reader.toLowerCase()) ?? [];
  return mails.map(({ subject }) => subject).filter((subject) => subject.includes(number));
}

/**
 * Lets minutes pass, the crons ringing, until all that was begun has ended and every book agrees. Throws what is still
 * wrong when the time given is over.
 */
export async function comeToRest(
  platform: Platform,
  market: Market,
  timeoutMs = 90_000,
): Promise<void> {
  let wrongs: string[] = [];
  let pauseMs = 0;
  const isAtRest = async () => {
    await passMinutes(platform, 4);
    pauseMs = Math.min(1_000, pauseMs + 250);
    await new Promise((wake) => setTimeout(wake, pauseMs));
    wrongs = [
      ...(await findWrongs(platform, market)),
      ...(await failing(platform, AT_REST)),
      ...(await disagreements(platform)),
    ];
    return wrongs.length === 0;
  };
  await eventually("rest", isAtRest, timeoutMs).catch((error: Error) => {
    throw new Error([error.message, ...wrongs].join("\n  "));
  });
}
