import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";

const Line = z.object({
  at: z.string(),
  reason: z.string(),
  reference: z.string(),
  amount: z.number(),
  order_number: z.string().nullable(),
  gross: z.number().nullable(),
  commission: z.number().nullable(),
});

const Month = z.object({ opening: z.number(), lines: z.array(Line) });

/**
 * The actor's balance over a month of Jakarta, `month` as `2026-11`, as CSV: opening + what came in - what went out =
 * closing. Every line of the ledger stands in exactly one month, by its own time.
 */
export async function monthlyStatement(ctx: Ctx, month: string): Promise<string> {
  const [found] = await ctx.db.run(rows(monthOf(actorOf(ctx).userId, month), Month));
  if (!found) throw new Error("an aggregate without a row");
  return csvOf(month, found);
}

/**
 * What the account holds less all that moved since the month began is what it held then. A sale is stated as it was
 * paid out, less what had gone back before, so that its price less its commission is what came in.
 */
const monthOf = (seller: number, month: string) => sql`
  with given as (
    select (${`${month}-01`}::date)::timestamp at time zone 'Asia/Jakarta' as starts,
      (${`${month}-01`}::date + interval '1 month') at time zone 'Asia/Jakarta' as ends
  ), account as (
    select id, balance from ledger_accounts
    where kind = 'wallet' and owner_id = ${String(seller)} and currency = 'IDR'
  ), moved as (
    select t.id, -t.amount as amount, t.reason, t.reference, t.created_at from ledger_transfers t
      where t.debit_account_id = (select id from account)
    union all
    select t.id, t.amount, t.reason, t.reference, t.created_at from ledger_transfers t
      where t.credit_account_id = (select id from account)
  )
  select (coalesce((select balance from account), 0)
      - coalesce((select sum(m.amount) from moved m, given g where m.created_at >= g.starts), 0))::float8 as opening,
    (select coalesce(jsonb_agg(jsonb_build_object('at', market_iso(m.created_at), 'reason', m.reason,
        'reference', m.reference, 'amount', m.amount, 'order_number', o.number,
        -- A sale of before PPh 22 was counted went out as it was sold.
        'gross', coalesce(w.gross_amount, m.amount + o.commission_amount),
        'commission', coalesce(w.gross_amount - m.amount, o.commission_amount)) order by m.id), '[]')
      from given g, moved m
      left join market_orders o on o.id = case when m.reference like 'order-sale/%'
        then split_part(m.reference, '/', 2)::uuid end
      left join market_withholdings w on w.order_id = o.id
      where m.created_at >= g.starts and m.created_at < g.ends) as lines`;

const HEAD = [
  "Tanggal (WIB)",
  "Keterangan",
  "Nomor pesanan",
  "Nilai penjualan",
  "Komisi",
  "Masuk",
  "Keluar",
  "Saldo",
  "Referensi",
];

function csvOf(month: string, { opening, lines }: z.output<typeof Month>): string {
  let balance = opening;
  const body = lines.map((line) => {
    balance += line.amount;
    return [
      jakartaTime(line.at),
      line.reason,
      line.order_number,
      line.gross,
      line.commission,
      line.amount > 0 ? line.amount : null,
      line.amount < 0 ? -line.amount : null,
      balance,
      line.reference,
    ];
  });
  const total = (sign: 1 | -1) =>
    lines.reduce((sum, { amount }) => sum + Math.max(0, sign * amount), 0);
  const rest = (words: string, sum: number) => [words, ...blank(5), null, sum, null];
  return [
    HEAD,
    rest(`Saldo awal ${month}`, opening),
    ...body,
    ["Jumlah", ...blank(4), total(1), total(-1), null, null],
    rest(`Saldo akhir ${month}`, balance),
  ]
    .map((cells) => `${cells.map(cellOf).join(",")}\r\n`)
    .join("");
}

const blank = (count: number): null[] => Array.from({ length: count }, () => null);

function jakartaTime(iso: string): string {
  const local = new Date(Date.parse(iso) + 7 * 3_600_000).toISOString();
  return `${local.slice(0, 10)} ${local.slice(11, 19)}`;
}

/** One cell (RFC 4180). A text that a spreadsheet would take for a formula is made a text again. */
export function cellOf(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = /^[\s]*[=+\-@]|^[\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
