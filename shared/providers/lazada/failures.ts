import { z } from "zod";
import type { ReadVerdict, Verdict } from "../marketplace/call.ts";

const Detail = z.object({
  field: z.unknown().optional(),
  message: z.string().nullish().catch(null),
});
const Envelope = z.object({
  code: z.union([z.string(), z.number()]).transform(String),
  type: z.string().nullish().catch(null),
  message: z.string().nullish().catch(null),
  detail: z.array(Detail).nullish().catch(null),
});

const TOKEN = new Set(["IllegalAccessToken", "InvalidAccessToken", "AccessTokenExpired"]);
const OURS = new Set([
  "IncompleteSignature",
  "InvalidAppKey",
  "MissingAppKey",
  "UnsupportedSignatureMethod",
  "InvalidSignatureMethod",
  "AUTH_TYPE_UNSUPPORTED",
  "InsufficientPermission",
  "AppWhiteIpLimit",
  "IllegalTimestamp",
]);
const TOO_FAST = new Set(["ApiCallLimit", "901", "4154", "SYS_REQUEST_TOO_FAST"]);
const PASSING = new Set([
  "ServiceTimeout",
  "ServiceUnavailable",
  "513",
  "6",
  "1000",
  "4147",
  "4159",
]);
const DUPLICATE = new Set(["4105", "4126", "4141"]);
const GONE = new Set(["207", "208", "4136", "4137", "E0002", "E0003", "37", "39"]);
const LOCKED = new Set(["4170", "998", "4155"]);

/** The frequent refusals in the seller's language; any other is told in Lazada's own words. */
const WORDS: Record<string, string> = {
  "201": "Kategori Lazada tidak berlaku",
  "303": "Ukuran foto terlalu besar untuk Lazada",
  "512": "Kategori ini dibatasi di Lazada",
  "4104": "Harga tidak berlaku di Lazada",
  "4108": "Lengkapi data wajib produk untuk Lazada",
  "4110": "Lengkapi atribut wajib kategori Lazada",
  "4115": "Ada nilai atribut yang tidak dikenal Lazada",
  "4118": "Harga di Lazada tidak boleh nol",
  "4123": "Produk ini dibatasi di Lazada",
  "4125": "Lengkapi atribut wajib kategori Lazada",
  "4128": "Toko Lazada terkunci dan tidak dapat mengubah produk",
  "4129": "Nama produk memuat karakter yang dilarang Lazada",
  "4130": "Merek ini belum diizinkan untuk toko Lazada Anda",
  "4131": "Deskripsi memuat kata yang dilarang Lazada",
  "4134": "Pilih kategori Lazada paling ujung",
  "4138": "Foto harus diunggah ke Lazada terlebih dahulu",
  "4139": "Tambahkan minimal satu foto untuk Lazada",
  "4140": "Ada atribut yang tidak dikenal kategori Lazada",
  "4142": "Merek tidak berlaku untuk kategori ini di Lazada",
  "4148": "Jumlah produk di toko Lazada sudah mencapai batas",
  "4149": "Ukuran atau berat kemasan tidak berlaku di Lazada",
  "4150": "SKU tidak berlaku di Lazada",
  "4163": "Toko Anda belum diizinkan menjual kategori ini di Lazada",
  "4164": "Berat kemasan melebihi 40 kg, batas Lazada",
  "4165": "Ukuran kemasan melebihi 300 cm, batas Lazada",
  "4167": "Lengkapi atribut wajib kategori Lazada",
  "4169": "Maksimal 8 foto di Lazada",
  "4171": "Terlalu banyak SKU sekaligus",
  SellerNotActive: "Toko Lazada tidak aktif",
  SellerNotVerified: "Selesaikan verifikasi toko di Lazada terlebih dahulu",
};

const LOCKED_WORDS = /campaign|promotion|locked|withhold|occup/i;

/** What a failed call means (providers/lazada.md §5): the text `0` is the only success, under HTTP 200 always. */
export const readLazada: ReadVerdict = ({ body }) => {
  const read = Envelope.safeParse(body);
  if (!read.success || read.data.code === "0") return null;
  const { code, type, message, detail } = read.data;
  const said = detail?.map((line) => line.message).find(Boolean) ?? message ?? "";
  return judged(code, type ?? "", said);
};

function judged(code: string, type: string, said: string): Verdict {
  if (TOKEN.has(code)) return { fault: "token_expired", code };
  if (code === "IllegalRefreshToken") return { fault: "token_revoked", code };
  if (code === "InvalidCode") {
    return { fault: "rejected", code, reason: "Kode izin Lazada sudah tidak berlaku. Ulangi" };
  }
  if (OURS.has(code)) return { fault: "misconfigured", code };
  if (TOO_FAST.has(code)) return { fault: "rate_limited", code, retryAfterMs: 1_000 };
  if (/AppCallLimit|quota/i.test(code)) return { fault: "quota", code, retryAfterMs: 3_600_000 };
  if (PASSING.has(code) || type === "SYSTEM") return { fault: "unavailable", code };
  // 500 and 501 say only that something went wrong; the detail begins with the real code where it knows it.
  const real = /\b(4\d{3}|998)\b/.exec(code === "500" || code === "501" ? said : code)?.[1] ?? code;
  if (DUPLICATE.has(real) || /SELLER_?SKU (repeat|duplicate)/i.test(said)) {
    return { fault: "duplicate", code };
  }
  if (GONE.has(real)) return { fault: "not_found", code };
  if (LOCKED.has(real) || LOCKED_WORDS.test(said)) return { fault: "locked", code };
  return { fault: "rejected", code, reason: WORDS[real] ?? (said || undefined) };
}
