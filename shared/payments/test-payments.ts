import { sql } from "drizzle-orm";
import { z } from "zod";
import { settleBackground, standIns, testContext } from "../../workers/testing/api.ts";
import type { Ctx } from "../context.ts";
import { basicAuth, sha512Hex } from "../crypto/index.ts";
import { rows } from "../db/statement.ts";
import { createMidtrans } from "../providers/midtrans.ts";
import { type OpenedPayment, openedPayment } from "./charge.ts";
import { startCharges } from "./charges.ts";
import { depositSettlement } from "./deposits.ts";
import type { Settlement } from "./settlement.ts";

/** Seeded (mulberry32), so that a failing run can be repeated. */
export function randomFrom(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** A number that no other test uses; wallets need no row of a user. */
export const uniqueUser = () => 1_000_000 + Math.floor(Math.random() * 9e12);

export interface TestPayment extends OpenedPayment {
  user: number;
  qris: string;
  snap: string;
  redirect: string;
}

interface PaymentFields {
  amount?: number;
  minutes?: number;
  purpose?: string;
  email?: string;
  provider?: string;
  channels?: string;
}

/** A deposit of its own user over both channels of Midtrans, as `payments_open` makes it. */
export async function openPayment(fields: PaymentFields = {}): Promise<TestPayment> {
  const { amount = 25_000, minutes = 15, purpose = "deposit", email = null } = fields;
  const { provider = "midtrans", channels = "{qris,snap}" } = fields;
  const user = uniqueUser();
  const [row] = await testContext().db.run(
    rows(
      sql`select payments_open(${purpose}, ${crypto.randomUUID()}, ${user}, ${provider}, ${amount},
        now() + make_interval(mins => ${minutes}), ${channels}::text[], ${email}) as opened`,
      z.object({ opened: openedPayment }),
    ),
  );
  if (!row) throw new Error("nothing was opened");
  const refOf = (channel: string) =>
    row.opened.charges.find((charge) => charge.channel === channel)?.provider_ref ?? "";
  const refs = { qris: refOf("qris"), snap: refOf("snap"), redirect: refOf("redirect") };
  return { ...row.opened, user, ...refs };
}

/** The same, with both charges open at the twin. */
export async function startedPayment(fields: Parameters<typeof openPayment>[0] = {}) {
  const opened = await openPayment(fields);
  await startCharges(contextWith(), opened, { settlement: depositSettlement });
  await settleBackground();
  return opened;
}

const standShape = z.object({
  state: z.string(),
  charges: z.record(z.string(), z.string()),
  settling: z.number(),
  wallet: z.number(),
  references: z.array(z.string()),
  refunds: z.array(z.object({ state: z.string(), reason: z.string() })),
  email: z.string().nullable(),
});

/** Where a payment stands: states by channel, and every transfer that it caused, by kind of reference. */
export async function standOf({ intent_id, user }: { intent_id: string; user: number }) {
  const [row] = await testContext().db.run(
    rows(
      sql`select i.state, i.customer_email as email,
          (select jsonb_object_agg(c.channel, c.state) from payments_charges c where c.intent_id = i.id) as charges,
          (select count(*)::int from payments_charges c where c.intent_id = i.id and c.settles_intent) as settling,
          coalesce((select balance from ledger_accounts
            where kind = 'wallet' and owner_id = ${String(user)} and currency = 'IDR'), 0)::float8 as wallet,
          (select coalesce(jsonb_agg(split_part(t.reference, '/', 1) order by t.id), '[]') from ledger_transfers t
            where split_part(t.reference, '/', 2) in (
              select i.id::text union all select c.id::text from payments_charges c where c.intent_id = i.id)
          ) as references,
          (select coalesce(jsonb_agg(jsonb_build_object('state', r.state, 'reason', r.reason)), '[]')
            from payments_refunds r join payments_charges c on c.id = r.charge_id where c.intent_id = i.id) as refunds
        from payments_intents i where i.id = ${intent_id}`,
      standShape,
    ),
  );
  if (!row) throw new Error("no such intent");
  return row;
}

/** A purpose that takes no money: everything that is paid for it goes back. */
export const soldOut: Settlement = {
  ...depositSettlement,
  purpose: "sold_out",
  settled: (intentId) => ({
    ...rows(
      sql`select payments_refund(c.id, 'sold_out') as wake from payments_charges c
        where c.intent_id = ${intentId} and c.state = 'paid'`,
      z.unknown(),
    ),
    map: () => ({ wake: [] }),
  }),
};

export const settlements: readonly Settlement[] = [depositSettlement, soldOut];

/** A context whose Midtrans client gives up after `timeoutMs`, or talks to another address. */
export function contextWith(options: { timeoutMs?: number; url?: string; now?: Date } = {}): Ctx {
  const ctx = testContext();
  const url = options.url ?? ctx.config.MIDTRANS_CORE_URL;
  const midtrans = createMidtrans({
    serverKey: ctx.config.MIDTRANS_SERVER_KEY,
    coreUrl: url,
    snapUrl: `${url}/snap/v1`,
    timeoutMs: options.timeoutMs ?? 5_000,
    fetch: (input, init) => fetch(input, init),
    sleep: async () => undefined,
  });
  const { now } = options;
  return { ...ctx, ...(now && { now: () => now }), providers: { ...ctx.providers, midtrans } };
}

/** The same at a later time of the Worker's clock; the twin keeps its own. */
export const later = (minutes: number) =>
  contextWith({ now: new Date(Date.now() + minutes * 60_000) });

/** A call of the payment twin's own controls (`/_pay/<order id>`) or of its API. */
export async function twin(method: string, path: string, json?: unknown) {
  const key = testContext().config.MIDTRANS_SERVER_KEY;
  const response = await fetch(`${standIns().midtrans}${path}`, {
    method,
    headers: { "content-type": "application/json", authorization: basicAuth(key, "") },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** A fault of the twin for one order only. */
export const dial = (match: string, faults: Record<string, unknown>) =>
  twin("PUT", "/_dials", { match, ...faults });

/** A signed notice about an order as the twin knows it, with `changes` made before it is signed. */
export async function noticeOf(ref: string, changes: Record<string, unknown> = {}) {
  const { MIDTRANS_SERVER_KEY } = testContext().config;
  const told = { ...(await twin("GET", `/v2/${ref}/status`)), ...changes } as Record<
    string,
    unknown
  >;
  const signed = `${told.order_id}${told.status_code}${told.gross_amount}${MIDTRANS_SERVER_KEY}`;
  return JSON.stringify({ ...told, signature_key: await sha512Hex(signed) });
}
