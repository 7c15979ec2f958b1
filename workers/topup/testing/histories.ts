import { sql } from "drizzle-orm";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { transfer } from "../../../shared/ledger/ledger.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { newPhone, SERVICES } from "./shop.ts";

const { credit } = SERVICES;
const SECOND = 1_000;

/** An order for credit so long after the history began: in doubt, or bought where it has a trxid. */
export interface TriedOrder {
  afterMs: number;
  target?: string;
  trxid?: string | null;
  /** When that was learnt, so long after the attempt; at once unless told. */
  learntMs?: number;
  /** Whether it was found in the supplier's history. */
  isMatch?: boolean;
  /** Whether it was bought and has not ended; else it did a second after that was learnt. */
  isOpen?: boolean;
}

/** Puts the orders into the books as they would be; answers with the ids of those in doubt. */
export async function ordersAt(at: number, tried: readonly TriedOrder[]): Promise<string[]> {
  const user = await createUser();
  const doubts = tried.filter(({ trxid }) => !trxid);
  await testContext().db.run(
    transfer({
      reference: unique("fund/"),
      debit: { kind: "gateway", owner: "test" },
      credit: { kind: "escrow", owner: `topup:${user.userId}` },
      amount: Math.max(doubts.length, 1) * credit.price,
      reason: "Isi saldo",
    }),
  );
  const orders = tried.map((order) => ({
    trxid: null,
    target: newPhone(),
    learntMs: SECOND,
    ...order,
  }));
  const inserted = await testContext().db.run(
    rows(
      sql`insert into topup_orders (id, number, user_id, service_id, family, code, service_name, brand, target,
          target_kind, amount, supplier_amount, state, trxid, attempt_at, attempt_until, bought_at, matched_at, paid_at, finished_at)
        select uuidv7(a.at - clock_timestamp()), 'PROP' || gen_random_uuid(), ${user.userId}, s.id, s.family, s.code, s.name,
          s.brand, r.target, s.target_kind, ${credit.price}::bigint, ${credit.supplierPrice}::bigint,
          case when r.trxid is null then 'unknown' when r."isOpen" then 'processing' else 'success' end, r.trxid, a.at, a.at + interval '75 seconds',
          case when r.trxid is not null then a.at + r."learntMs" * interval '1 ms' end,
          case when r."isMatch" then a.at + r."learntMs" * interval '1 ms' end, a.at,
          case when r.trxid is not null and r."isOpen" is not true then a.at + (r."learntMs" + 1000) * interval '1 ms' end
        from jsonb_to_recordset(${JSON.stringify(orders)}::jsonb) r(trxid text, "afterMs" bigint, target text, "learntMs" bigint,
            "isMatch" boolean, "isOpen" boolean),
          topup_services s,
          lateral (select ${new Date(at).toISOString()}::timestamptz + r."afterMs" * interval '1 ms' as at) a
        where s.family = 'prepaid' and s.code = ${credit.code}
        returning case when state = 'unknown' then id end as id`,
      z.object({ id: z.string().nullable() }),
    ),
  );
  return inserted.flatMap(({ id }) => id ?? []);
}

/** A purchase of credit as a list has it. */
export const listedRow = (trxid: string, more: object = {}) => ({
  ...{ trxid, target: newPhone(), zone: null, code: credit.code, service: credit.name },
  ...{ quantity: null, price: credit.supplierPrice, outcome: "success", ...more },
});

/** One that no list has: a callback named it at this moment, and the supplier told of it when asked. */
export const namedRow = (trxid: string, moment: number, more: object = {}) => ({
  ...listedRow(trxid, more),
  named_at: new Date(moment).toISOString(),
});

/** A look at the order in doubt at this moment; `seen`: what it lists is noted first, as the Worker does. */
export function lookOf(
  orderId: string,
  moment: number,
  listed: readonly object[],
  { unreadable = false, seen = false, asked = 100 } = {},
) {
  const now = new Date(moment).toISOString();
  const rest = { asked_at: now, now, rows: listed, unreadable, alert_to: "ops@x.id" };
  const input = { ...rest, order_id: orderId, asked, deepest: true };
  const shown = listed.filter((row) => !("named_at" in row));
  const noted = { family: "prepaid", seen_at: now, rows: shown, alert_to: "ops@x.id" };
  return [
    ...(seen ? [call("topup_sightings_note", noted, z.unknown())] : []),
    call("topup_order_match", input, z.unknown()),
  ];
}

/** How the orders stand, `<state> <trxid>`. */
export async function endsOf(ids: readonly string[]): Promise<string[]> {
  const ended = await testContext().db.run(
    rows(
      sql`select state, trxid from topup_orders where id = any (${`{${ids.join(",")}}`}::uuid[])`,
      z.object({ state: z.string(), trxid: z.string().nullable() }),
    ),
  );
  return ended.map(({ state, trxid }) => `${state} ${trxid}`).sort();
}
