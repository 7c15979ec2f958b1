import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { transfer, walletOf } from "../../../shared/ledger/ledger.ts";
import { api, standIns, type TestAnswer, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { twin } from "../../testing/orders.ts";

/** Services that the supplier's twin sells, by family: its codes and names, and what it asks for them. */
export const TWIN_SERVICES = {
  prepaid: {
    code: "S10",
    name: "TELKOMSEL 10.000",
    brand: "TELKOMSEL",
    targetKind: "phone",
    supplierPrice: 10_764,
    max: 1,
  },
  game: {
    code: "ML86-S1",
    name: "86 Diamonds",
    brand: "Mobile Legends",
    targetKind: "game_id",
    supplierPrice: 19_000,
    max: 1,
  },
  social: {
    code: "1001",
    name: "Instagram Followers Indonesia",
    brand: "Instagram",
    targetKind: "link",
    supplierPrice: 20_000,
    max: 10_000,
  },
} as const;
/** What the twin asks of its best customers; ours is an account of the basic level, which pays 4 % more. */
const SOCIAL_TWIN_PRICE = 19_230;
export type TwinFamily = keyof typeof TWIN_SERVICES;

/** Puts the twin's service of a family on our shelf; answers with its id and its number in the panel dialect. */
export async function stockService(
  family: TwinFamily,
  changes: { supplierPrice?: number; stock?: number } = {},
): Promise<{ id: string; number: number }> {
  const { code, name, brand, targetKind, max, ...rest } = TWIN_SERVICES[family];
  const { supplierPrice } = { ...rest, ...changes };
  const stock = changes.stock ?? null;
  // At a price that makes no sale a loss, which would raise ours.
  if (family === "social") await vipTwin(`/_services/${code}`, { price: SOCIAL_TWIN_PRICE });
  const [made] = await testContext().db.run(
    rows(
      sql`with s as (
          insert into topup_services (family, code, name, brand, category, needs_zone, target_kind, min_quantity,
            max_quantity, supplier_price, price, status, stock, stock_type)
          values (${family}, ${code}, ${name}, ${brand}, ${brand}, ${family === "game"}, ${targetKind},
            ${family === "social" ? 50 : 1}, ${max}, ${supplierPrice},
            topup_price(${supplierPrice}::bigint, ${family}, ${brand}, 'member'), 'available', ${stock},
            ${stock === null ? "UNLIMITED" : "LIMITED"})
          on conflict on constraint topup_services_family_code_key do update set name = excluded.name,
            brand = excluded.brand, status = 'available', active = true, gone_at = null, target_kind = excluded.target_kind,
            needs_zone = excluded.needs_zone, min_quantity = excluded.min_quantity, max_quantity = excluded.max_quantity,
            supplier_price = excluded.supplier_price, price = excluded.price, stock = excluded.stock,
            stock_type = excluded.stock_type, reserved = 0, maintenance = null, multi_trx = true
          returning id)
        insert into topup_panel_services as p (service_id) select id from s
        on conflict on constraint topup_panel_services_service_key do update set service_id = excluded.service_id
        returning p.service_id as id, p.number::float8 as number`,
      z.object({ id: z.string(), number: z.number() }),
    ),
  );
  if (!made) throw new Error("no service was stocked");
  return made;
}

/** Puts rupiah into a wallet (or another account), out of a gateway as a deposit does. */
export async function fund(
  userId: number,
  amount: number,
  credit = walletOf(userId),
): Promise<void> {
  await testContext().db.run(
    transfer({
      reference: unique("fund/"),
      debit: { kind: "gateway", owner: "midtrans" },
      credit,
      amount,
      reason: "uji",
    }),
  );
}

export interface Reseller {
  user: TestUser;
  key: string;
  keyId: string;
}

/** A user with money and an API key. */
export async function createReseller(
  options: { amount?: number; key?: Record<string, unknown> } = {},
): Promise<Reseller> {
  const user = await createUser();
  if (options.amount !== 0) await fund(user.userId, options.amount ?? 1_000_000);
  const json = { name: "Panel", ...options.key };
  const made = await api("/api/reseller/keys", { method: "POST", token: user.token, json });
  if (made.status !== 200) throw new Error(`no key: ${made.status} ${JSON.stringify(made.body)}`);
  return { user, key: made.body.data.key, keyId: made.body.data.id };
}

/** One call of the panel dialect as a plain form. */
export async function panel(
  key: string,
  fields: Record<string, string | number>,
  call: { address?: string; headers?: Record<string, string> } = {},
): Promise<TestAnswer> {
  const form = new URLSearchParams({ key });
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  return await api("/api/v2", { method: "POST", body: form, ...call });
}

/** A number of that operator which no other test has. */
export const phone = () => `0812${String(Math.floor(Math.random() * 1e8)).padStart(8, "0")}`;
export const instagram = () => `https://instagram.com/${unique("p")}`;

export const vipTwin = (path: string, body: unknown = {}, method = "POST") =>
  twin(standIns().vipReseller, path, body, method);

const Row = z.object({
  id: z.string(),
  number: z.string(),
  state: z.string(),
  trxid: z.string().nullable(),
  amount: z.number(),
  refunded: z.number(),
  key_id: z.string().nullable(),
});

/** What the database says of a user's orders, oldest first. */
export async function ordersOf(userId: number) {
  return await testContext().db.run(
    rows(
      sql`select id, number, state, trxid, amount::float8 as amount, refunded_amount::float8 as refunded,
          reseller_key_id as key_id
        from topup_orders where user_id = ${userId} order by id`,
      Row,
    ),
  );
}

/** Has our side ask the supplier about an order, as its owner's page does. */
export async function askAbout(user: TestUser, trxid: string): Promise<void> {
  await testContext().db.run(
    rows(sql`update topup_orders set asked_at = null where trxid = ${trxid}`, z.unknown()),
  );
  await api(`/api/orders/social-media?trxId=${trxid}`, { token: user.token });
}
