import { z } from "zod";
import type { ReadVerdict, Verdict } from "../marketplace/call.ts";

const Envelope = z.object({
  code: z.union([z.number(), z.string()]).transform(String),
  message: z.string().nullish().catch(null),
});

const OURS = new Set(["106001", "105005", "106013", "36009033"]);
const PASSING = new Set(["36009003", "36009007", "12001000", "12052881", "33001002"]);
const TOO_FAST = new Set(["36009002", "12052109"]);
/** Reused for invalid token, app key, time and superfluous cipher: its words tell them apart. */
const MIXED = "36009004";

/** The frequent refusals in the seller's language; any other is told in the platform's own words. */
const WORDS: Record<string, string> = {
  "12052024": "Pilih kategori Tokopedia paling ujung",
  "12019022": "Gudang toko Tokopedia tidak berlaku. Periksa gudang di Seller Center",
};
/** No product of that id (any more), or none of this shop: a deleted one is not told apart from one that never was. */
const GONE = new Set(["12019150", "12052032", "12052034", "12052048", "12052049", "12052260"]);
/** In a promotion, or in a state that allows no change, such as under review. */
const BUSY = new Set(["12019045", "12019113", "12052038", "12052393", "12052901"]);
const LOCKED = /promotion|campaign|flash|locked|under review|in review/i;
/** Our own name of the product is taken: we name it by its SKU. */
const TAKEN = "12052996";
const DUPLICATE = /seller[_ ]?sku.{0,40}(exist|duplicat|repeat)|duplicat.{0,40}seller[_ ]?sku/i;

/** What a failed call means (providers/tokopedia.md §6): the number 0 is the only success. */
export const readTikTok: ReadVerdict = ({ body }) => {
  const read = Envelope.safeParse(body);
  if (!read.success || read.data.code === "0") return null;
  return judged(read.data.code, read.data.message ?? "");
};

/** The same for a part of a call, such as one product of a batch. */
export function judged(code: string, message: string): Verdict {
  if (code === "105002") return { fault: "token_expired", code };
  if (code === "101000") return { fault: "token_revoked", code };
  if (TOO_FAST.has(code)) return { fault: "rate_limited", code, retryAfterMs: 1_000 };
  if (OURS.has(code)) return { fault: "misconfigured", code };
  if (code === MIXED) return { fault: ofMixed(message), code };
  if (PASSING.has(code)) return { fault: "unavailable", code };
  if (GONE.has(code)) return { fault: "not_found", code };
  if (code === TAKEN || DUPLICATE.test(message)) return { fault: "duplicate", code };
  if (BUSY.has(code) || LOCKED.test(message)) return { fault: "locked", code };
  return { fault: "rejected", code, reason: WORDS[code] ?? (message || undefined) };
}

function ofMixed(message: string): "token_expired" | "token_revoked" | "misconfigured" {
  if (!/token/i.test(message)) return "misconfigured";
  return /revok|deauthori[sz]ed|not authori[sz]ed|cancel/i.test(message)
    ? "token_revoked"
    : "token_expired";
}

/** A code of the seller's that cannot be redeemed. */
export const readExchange: ReadVerdict = (answer) => {
  const verdict = readTikTok(answer);
  const isOurs = /app_?key|app_?secret|client/i.test(messageOf(answer.body));
  if (!verdict || passes(verdict)) return verdict;
  if (isOurs) return { fault: "misconfigured", code: verdict.code };
  const reason = "Kode izin Tokopedia sudah tidak berlaku. Ulangi";
  return { fault: "rejected", code: verdict.code, reason };
};

/** No list of a refresh's errors is published: what does not pass by itself needs the seller. */
export const readRefresh: ReadVerdict = (answer) => {
  const verdict = readTikTok(answer);
  if (!verdict || passes(verdict)) return verdict;
  const isOurs = /app_?key|app_?secret|client/i.test(messageOf(answer.body));
  return { fault: isOurs ? "misconfigured" : "token_revoked", code: verdict.code };
};

const passes = ({ fault }: Verdict) => fault === "rate_limited" || fault === "unavailable";
const messageOf = (body: unknown) => Envelope.safeParse(body).data?.message ?? "";
