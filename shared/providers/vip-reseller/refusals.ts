import { addressIn, type Failure } from "../provider-error.ts";

/** Why the supplier surely did not buy. */
export type RefusalReason =
  | "low_balance"
  | "not_permitted_address"
  | "duplicate_target"
  | "unavailable"
  | "invalid_target"
  | "maintenance"
  | "other";

/**
 * The texts that mean "not bought, and nothing is on its way" (providers/vip-reseller.md, "Error messages"). There are
 * no codes. Whatever is not here leaves it open: "Sistem Bentrok" and "timeout dari provider" are left out on purpose,
 * because they come from behind the point where an order may have been taken.
 */
const REFUSALS: [RegExp, RefusalReason][] = [
  [/^saldo anda tidak cukup/i, "low_balance"],
  [/^saldo akun minimum anda/i, "low_balance"],
  [/^ip \S+ (is not permitted|tidak diizinkan)/i, "not_permitted_address"],
  [/^masih terdapat pesanan pending dengan target yang sama/i, "duplicate_target"],
  [/^layanan tidak ditemukan/i, "unavailable"],
  [/^fitur tidak tersedia/i, "unavailable"],
  [/^nomor (salah|tidak diketahui)/i, "invalid_target"],
  [/^ada pemeliharaan sistem (api|transaksi)/i, "maintenance"],
  [/^api key not registered/i, "other"],
  [/^api signature not valid/i, "other"],
  [/^sign tidak valid/i, "other"],
  [/^user not found/i, "other"],
  [/^request not detected/i, "other"],
  [/^type '.*' is not valid/i, "other"],
  [/^masih ada parameter yang kosong/i, "other"],
  [/^parameter yang dikirim tidak lengkap/i, "other"],
  [/^pesanan anda (kurang dari|melebihi)/i, "other"],
  [/^transaksi dibatasi/i, "other"],
];

/** What a refusal's text surely means, or null where it is not known. */
export function refusalOf(message: string): RefusalReason | null {
  const plain = message.trim();
  return REFUSALS.find(([pattern]) => pattern.test(plain))?.[1] ?? null;
}

const KEY_TROUBLE =
  /^(api key not registered|api signature not valid|sign tidak valid|user not found)/i;
const PASSING = /^(sistem bentrok|timeout dari provider|transaksi dibatasi)/i;

/** What a refused read fails with; its code is one of a closed list, so it is fit for logs. */
export function failureOfText(message: string): Omit<Failure, "outcome"> & { code: string } {
  const plain = message.trim();
  const reason = refusalOf(plain);
  if (KEY_TROUBLE.test(plain)) return { kind: "unauthorised", retryable: false, code: "wrong_key" };
  if (PASSING.test(plain)) return { kind: "unavailable", retryable: true, code: "try_again" };
  switch (reason) {
    case "not_permitted_address":
      return {
        kind: "unauthorised",
        retryable: false,
        code: reason,
        seenAddress: addressIn(message),
      };
    case "maintenance":
      return { kind: "unavailable", retryable: true, code: reason };
    case null:
      return { kind: "refused", retryable: false, code: "unknown_text" };
    default:
      return { kind: "refused", retryable: false, code: reason };
  }
}
