import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { transfer, walletOf } from "../../../shared/ledger/ledger.ts";
import { SUPPLIER_FAMILIES, type SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { standIns, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { twin } from "../../testing/orders.ts";
import { latestPurchases } from "../orders/follow.ts";
import { bench } from "./bench.ts";

export interface TestService {
  family: SupplierFamily;
  code: string;
  name: string;
  brand: string;
  targetKind: string;
  needsZone: boolean;
  supplierPrice: number;
  price: number;
  min: number;
  max: number;
}

/** Services that the supplier's twin sells at these prices; a test that changes one puts it back. */
export const SERVICES = {
  credit: service("prepaid", "S10", "TELKOMSEL 10.000", "TELKOMSEL", "phone", 10_764, 11_500),
  more: service("prepaid", "S25", "TELKOMSEL 25.000", "TELKOMSEL", "phone", 26_364, 27_500),
  token: service("prepaid", "PLN50", "PLN 50.000", "PLN", "pln_meter", 0, 0),
  diamonds: {
    ...service("game", "ML86-S1", "86 Diamonds", "Mobile Legends", "game_id", 0, 0),
    needsZone: true,
  },
  fire: service("game", "FF70-S1", "70 Diamonds", "Free Fire", "game_id", 0, 0),
  voucher: service("game", "GP20000-S1", "", "Voucher Google Play", "customer_number", 0, 0),
  likes: {
    ...service("social", "1005", "Instagram Likes Bot", "Instagram Likes", "link", 1560, 1999),
    min: 50,
    max: 50_000,
  },
};

/** A service as the supplier writes it beside a purchase: of a game with the game before its name. */
export const shownName = ({ family, brand, name }: TestService) =>
  family === "game" ? `${brand} - ${name}` : name;

function service(
  family: SupplierFamily,
  code: string,
  name: string,
  brand: string,
  targetKind: string,
  supplierPrice: number,
  price: number,
): TestService {
  const rest = { needsZone: false, supplierPrice, price, min: 1, max: 1 };
  return { family, code, name, brand, targetKind, ...rest };
}

const Listed = z.object({
  code: z.string().optional(),
  id: z.number().optional(),
  name: z.string(),
  price: z.object({ basic: z.number() }),
});

/** Puts the services on the shelf as the supplier sells them now. */
export async function stockShelves(): Promise<void> {
  await twin(standIns().vipReseller, "/_account", { balance: 900_000_000 });
  for (const item of Object.values(SERVICES)) {
    // All tests together buy more than the supplier counts at first.
    const told = await supplierService(
      item.code,
      item === SERVICES.voucher ? { stock: 1_000_000 } : {},
    );
    item.name = told.name;
    item.supplierPrice = told.price.basic;
    item.price = Math.ceil(told.price.basic * 1.07);
    await shelve(item);
  }
  await endOtherClocks();
  await lookBackAnHour();
}

/**
 * What other tests bought by clocks that run ahead was bought by now: to the rules it is newer than any order here. When it
 * was begun tells nothing: by their clocks the supplier's list would not be in the order of time.
 */
async function endOtherClocks(): Promise<void> {
  const now = sql`clock_timestamp()`;
  await testContext().db.run(
    rows(
      sql`update topup_orders set attempt_until = least(attempt_until, ${now}), bought_at = least(bought_at, ${now}),
          attempt_at = least(attempt_at, case when trxid is null then ${now} else ${now} - interval '1 hour' end)
        where attempt_at > ${now} - interval '1 hour'`,
      z.unknown(),
    ),
  );
}

/** A purchase of each family that was seen an hour ago, so that the supplier's lists reach back before any test. */
async function lookBackAnHour(): Promise<void> {
  const { ctx } = bench({ laterMs: -3_600_000, timeoutMs: 5_000 });
  const { vipReseller } = ctx.providers;
  const { credit, diamonds, likes } = SERVICES;
  await vipReseller.createPrepaidOrder({ service: credit.code, target: newPhone() });
  await vipReseller.createGameOrder({ service: diamonds.code, target: newPhone(), zone: "1" });
  const target = unique("@lama");
  await vipReseller.createSocialMediaOrder({ service: likes.code, target, quantity: 100 });
  for (const family of SUPPLIER_FAMILIES) await latestPurchases(ctx, family);
}

/** Changes a service at the twin (price of the best customers, status, stock); answers with it. */
export async function supplierService(code: string, change: Record<string, unknown>) {
  return Listed.parse(await twin(standIns().vipReseller, `/_services/${code}`, change));
}

/** The catalogue's row of a service, with what is given instead. */
export async function shelve(
  item: TestService,
  more: { stock?: number; multiTrx?: boolean; status?: string; maintenance?: string } = {},
): Promise<void> {
  const { family, code, name, brand, targetKind, needsZone, supplierPrice, price, min, max } = item;
  const stock = more.stock ?? null;
  await testContext().db.run(
    rows(
      sql`insert into topup_services (family, code, name, brand, target_kind, needs_zone, supplier_price, price,
          min_quantity, max_quantity, multi_trx, stock, stock_type, status, maintenance)
        values (${family}, ${code}, ${name}, ${brand}, ${targetKind}, ${needsZone}, ${supplierPrice}, ${price},
          ${min}, ${max}, ${more.multiTrx ?? true}, ${stock}, ${stock === null ? "UNLIMITED" : "LIMITED"},
          ${more.status ?? "available"}, ${more.maintenance ?? null})
        on conflict (family, code) do update set name = excluded.name, brand = excluded.brand,
          target_kind = excluded.target_kind, needs_zone = excluded.needs_zone, price = excluded.price,
          supplier_price = excluded.supplier_price, min_quantity = excluded.min_quantity, active = true,
          max_quantity = excluded.max_quantity, multi_trx = excluded.multi_trx, stock = excluded.stock,
          stock_type = excluded.stock_type, status = excluded.status, reserved = 0, gone_at = null,
          maintenance = excluded.maintenance`,
      z.unknown(),
    ),
  );
}

/** A user of his own with so much in the wallet. */
export async function customer(amount = 1_000_000): Promise<TestUser> {
  const user = await createUser();
  if (amount > 0) {
    await testContext().db.run(
      transfer({
        reference: unique("fund/"),
        debit: { kind: "gateway", owner: "test" },
        credit: walletOf(user.userId),
        amount,
        reason: "Isi saldo",
      }),
    );
  }
  return user;
}

/** A number of Telkomsel that no other test has. */
export function newPhone(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `0812${String(random % 100_000_000).padStart(8, "0")}`;
}

/** A number as a supplier may black it out; no other test's looks the same. */
export const masked = (phone: string) => `${phone.slice(0, 4)}**${phone.slice(-6)}`;

/** What the shelf holds of a service. */
export async function stockOf(item: TestService): Promise<{ stock: number; reserved: number }> {
  const [row] = await testContext().db.run(
    rows(
      sql`select stock, reserved from topup_services where family = ${item.family} and code = ${item.code}`,
      z.object({ stock: z.number(), reserved: z.number() }),
    ),
  );
  if (!row) throw new Error("no such service");
  return row;
}

/** Turns the twin's dials for what concerns this text alone. */
export async function dial(match: string, dials: Record<string, unknown>): Promise<void> {
  await twin(standIns().vipReseller, "/_dials", { match, ...dials }, "PUT");
}

export const hand = (what: "process" | "succeed" | "fail" | "partial", id: string, body = {}) =>
  twin(standIns().vipReseller, `/_${what}/${id}`, body);
