import {
  type AccountLevel,
  priceAt,
  type SupplierService,
} from "../../../shared/providers/vip-reseller.ts";
import type { TargetKind } from "../tables/catalogue.ts";

/** A service as `topup_sync_stage` takes it. */
export interface CatalogueRow {
  code: string;
  name: string;
  brand: string;
  category: string;
  type: string;
  note: string;
  needs_zone: boolean;
  target_kind: TargetKind;
  min_quantity: number;
  max_quantity: number;
  maintenance: string | null;
  multi_trx: boolean;
  supplier_price: number;
  status: "available" | "empty";
  /** False: it comes in switched off, because an order of it needs what our forms do not ask for. */
  sellable: boolean;
}

/** What the contract allows of a social service that names no limit of its own. */
const SOCIAL_MAX = 10_000;
/** Beyond this a price is a mistake, and sums of it would leave the safe integers. */
const DEAREST_IDR = 1_000_000_000;

/** Games whose players are found by id and zone (or server); the supplier's list does not say. */
const WITH_ZONE =
  /^(mobile legends|genshin impact|honkai|zenless|wuthering|ragnarok|life ?after|identity v|tower of fantasy|magic chess)/i;
/** "Joki" (somebody plays for the customer) asks for the customer's password; vouchers need no player at all. */
const NOT_SOLD = /\bjoki\b/i;

/** Bills: what they cost is known only after an inquiry, so the price in the list is none. */
const POSTPAID = /\bpasca[\s-]?bayar|\bpostpaid|\btagihan/i;

/** Credit and data of Indonesian operators, and wallets, go to a phone number … */
const PHONE =
  /pulsa|paket|data|internet|sms|telp|telepon|nelpon|masa[ -]aktif|e-?money|wallet|saldo/i;
/** … but cards have a number of their own, television and vouchers a customer's or a serial, numbers abroad another form. */
const NO_PHONE =
  /\b(e-?toll|tap ?cash|brizzi|flazz|jakcard|mandiri|bni|bri|bca|card|kartu|voucher|aktivasi|tv|parabola|k-?vision)\b|internasional|international|luar[ -]negeri/i;

/** The row of our catalogue, or null for a service that no order could be made of. */
export function catalogueRow(
  service: SupplierService,
  level: AccountLevel | null,
): CatalogueRow | null {
  const supplierPrice = priceAt(service.priceIdr, level);
  if (service.postpaid) return null;
  if (supplierPrice < 1 || supplierPrice > DEAREST_IDR) return null;
  const limits = limitsOf(service);
  if (!limits) return null;
  const text = `${service.brand} ${service.name}`;
  return {
    code: service.code,
    name: service.name,
    brand: service.brand,
    category: service.category,
    type: service.type,
    note: service.note,
    needs_zone: service.family === "game" && WITH_ZONE.test(service.brand),
    target_kind: targetKind(service),
    ...limits,
    maintenance: service.maintenance,
    multi_trx: service.multiTrx ?? true,
    supplier_price: supplierPrice,
    status: service.status,
    sellable: !NOT_SOLD.test(text) && !isPostpaid(service),
  };
}

function isPostpaid({ family, name, brand, category, type }: SupplierService): boolean {
  return family === "prepaid" && POSTPAID.test([name, brand, category, type].join(" "));
}

function limitsOf({ family, min, max }: SupplierService) {
  if (family !== "social") return { min_quantity: 1, max_quantity: 1 };
  const least = Math.max(1, min ?? 1);
  const most = max ?? Math.max(SOCIAL_MAX, least);
  return most < least ? null : { min_quantity: least, max_quantity: most };
}

/** What a customer names as the target. */
function targetKind({ family, brand, type, category }: SupplierService): TargetKind {
  if (family === "social") return "link";
  if (family === "game") return "game_id";
  const text = `${brand} ${type} ${category}`;
  if (/\bpln\b/i.test(text)) return "pln_meter";
  return PHONE.test(text) && !NO_PHONE.test(text) ? "phone" : "customer_number";
}
