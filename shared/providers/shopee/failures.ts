import { z } from "zod";
import type { ReadVerdict, Verdict } from "../marketplace/call.ts";

const Envelope = z.object({
  error: z.string(),
  message: z.string().nullish().catch(null),
  response: z.unknown().optional(),
});
const Failures = z.object({
  failure_list: z
    .array(z.object({ failed_reason: z.string().nullish() }))
    .nullish()
    .catch(null),
});

/** The last part of a code, whose prefix comes and goes; `error.param` is `error_param` (providers/shopee.md §6). */
function plainCode(error: string): string {
  const last = error.trim().split(".").at(-1) ?? "";
  return error.trim().startsWith("error.") ? `error_${last}` : last;
}

const TOKEN = ["invalid_acceess_token", "invalid_access_token", "shop_no_linked"];
const TOKEN_OR_LINK = new Set([...TOKEN, "partner_shop_no_link", "shop_access_expired"]);
const OURS = new Set([
  "error_sign",
  "invalid_partner_id",
  "error_partner_key_expired",
  "error_api_permission",
  "error_api_call_restricted",
  "source_ip_undeclared",
  "api_suspended",
]);
const PASSING = new Set([
  "error_server",
  "error_inner",
  "error_system_busy",
  "error_network",
  "error_data",
  "error_marshal",
  "error_get_shop_fail",
]);
const GONE = new Set([
  "error_item_not_found",
  "error_item_not_belong_shop",
  "error_not_found",
  "error_order_not_found",
]);
const LOCKED = /promotion|slash|reserved? stock|holiday|vacation|vocation|flash/i;

/** The frequent refusals in the seller's language; any other is told in Shopee's own words. */
const WORDS: Record<string, string> = {
  shop_banned: "Toko dibekukan oleh Shopee. Hubungi Shopee",
  error_kyc_auth: "Selesaikan verifikasi toko (KYC) di Shopee terlebih dahulu",
  error_less_required_attribute: "Lengkapi atribut wajib kategori Shopee",
  error_invalid_attribute: "Lengkapi atribut wajib kategori Shopee",
  error_invalid_attribute_value: "Ada nilai atribut yang tidak dikenal Shopee",
  error_invalid_category: "Kategori Shopee tidak berlaku. Pilih kategori paling ujung",
  error_invalid_category_attribute: "Atribut tidak cocok dengan kategori Shopee",
  error_category_is_block: "Kategori ini dibatasi di Shopee",
  error_forbidden_category: "Kategori ini dilarang di Shopee",
  error_less_required_brand: "Pilih merek untuk kategori ini di Shopee",
  error_invalid_brand: "Merek tidak berlaku untuk kategori ini di Shopee",
  error_brand_forbidden: "Merek ini dilarang di Shopee",
  error_invalid_logistic_info: "Jasa kirim tidak berlaku untuk produk ini di Shopee",
  error_invalid_price: "Harga tidak berlaku di Shopee",
  error_invalid_price_for_logistic: "Harga melebihi batas jasa kirim Shopee",
  error_price_exceed_min_limitt: "Harga di bawah batas Shopee",
  error_price_exceed_max_limitt: "Harga di atas batas Shopee",
  error_name_length_limit: "Nama produk terlalu panjang untuk Shopee",
  error_title_exceeds_max_length: "Nama produk terlalu panjang untuk Shopee",
  error_item_name_is_too_short: "Nama produk terlalu pendek untuk Shopee",
  error_title_character_forbidden: "Nama produk memuat karakter yang dilarang Shopee",
  error_desc_length_min_limit: "Deskripsi produk terlalu pendek untuk Shopee",
  error_image_unavailable: "Foto tidak dapat dibaca Shopee. Unggah ulang foto",
  error_reach_shop_item_limit: "Jumlah produk di toko Shopee sudah mencapai batas",
  error_item_uneditable: "Produk ini sedang tidak dapat diubah di Shopee",
  error_seller_under_penalty: "Toko sedang kena penalti di Shopee",
};

const reasonOf = (code: string, message: string) => WORDS[code] ?? (message || undefined);

/** What a failed call means (providers/shopee.md §6). Only an empty `error` is a success; the status proves nothing. */
export function readShopee(now: () => Date): ReadVerdict {
  return ({ body }) => {
    const read = Envelope.safeParse(body);
    if (!read.success || read.data.error === "") return null;
    const listed = Failures.safeParse(read.data.response);
    const own = listed.success ? listed.data.failure_list?.[0]?.failed_reason : null;
    return judged(plainCode(read.data.error), own || (read.data.message ?? ""), now());
  };
}

function judged(code: string, message: string, now: Date): Verdict {
  if (code === "shop_banned") return { fault: "token_revoked", code, reason: WORDS[code] };
  if (code === "error_kyc_auth") return { fault: "rejected", code, reason: WORDS[code] };
  if (TOKEN_OR_LINK.has(code)) return { fault: "token_expired", code };
  if (code === "error_auth") return judgedAuth(code, message);
  if (OURS.has(code)) return { fault: "misconfigured", code };
  if (code === "error_rate_limit") return { fault: "rate_limited", code, retryAfterMs: 1_000 };
  if (code === "error_limit") return { fault: "quota", code, retryAfterMs: untilMidnight(now) };
  if (code === "error_param" && /access_?token/i.test(message)) {
    return { fault: "token_expired", code };
  }
  if (PASSING.has(code)) return { fault: "unavailable", code };
  if (GONE.has(code)) return { fault: "not_found", code };
  if (code === "error_repeated_mtsku") return { fault: "duplicate", code };
  if (LOCKED.test(`${code} ${message}`)) return { fault: "locked", code };
  return { fault: "rejected", code, reason: reasonOf(code, message) };
}

/** `error_auth` stands for a bad token, for our own rights, and for some rules about stock. */
function judgedAuth(code: string, message: string): Verdict {
  if (/partner_id|the app |developer|no permission/i.test(message)) {
    return { fault: "misconfigured", code };
  }
  if (LOCKED.test(message)) return { fault: "locked", code };
  if (/stock|location|dts|cnsc/i.test(message)) return { fault: "rejected", code, reason: message };
  return { fault: "token_expired", code };
}

const DAY_MS = 86_400_000;
const UTC8_MS = 8 * 3_600_000;

/** The daily quota begins anew at 00:00 UTC+8. */
const untilMidnight = (now: Date) => DAY_MS - ((now.getTime() + UTC8_MS) % DAY_MS);

const REVOKED = new Set([
  ...TOKEN,
  "partner_shop_no_link",
  "shop_access_expired",
  "error_shop_refresh_token",
  "refresh_token_expired",
  "shop_banned",
  "error_auth",
  "error_param",
  "merchant_access_expired",
  "merchant_no_linked",
]);

/** The same for a refresh, after which only the seller can help (providers/shopee.md §3). */
export function readRefresh(now: () => Date): ReadVerdict {
  const read = readShopee(now);
  return (answer) => {
    const verdict = read(answer);
    if (!verdict || verdict.fault === "misconfigured" || !REVOKED.has(verdict.code)) return verdict;
    return { fault: "token_revoked", code: verdict.code, reason: WORDS[verdict.code] };
  };
}
