/** Names of hosts that are ours or that mail, browsers and people expect to be ours: never a store. */
const RESERVED = new Set(
  `www www1 www2 api admin administrator app apps assets static cdn img image images media files uploads mail email
  smtp imap pop pop3 mx webmail ftp sftp ssh vpn ns ns1 ns2 ns3 ns4 dns autoconfig autodiscover wpad isatap
  localhost local dev development test testing stage staging demo beta prod production preview sandbox internal
  blog help support docs doc status health healthz about contact info legal terms privacy security abuse
  postmaster hostmaster webmaster root system operator console dashboard panel server servers host hosting
  login logout signin signup register auth oauth sso account accounts akun masuk daftar profile wallet saldo
  pay payment payments bayar pembayaran billing invoice checkout cart keranjang order orders pesanan webhook
  webhooks callback queue socket ws live chat room rooms stream seller sellers penjual buyer buyers pembeli
  toko store stores shop shops market marketplace produk product products kategori category promo search cari
  lumbung official resmi bantuan null undefined v1 v2`.split(/\s+/),
);

const SHAPE = /^[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])$/;

/** Why a slug cannot name a store, in words for its seller; null when it can. */
export function slugProblem(slug: string): string | null {
  if (!SHAPE.test(slug)) {
    return "Slug terdiri dari 3-63 huruf kecil, angka atau tanda hubung, tanpa tanda hubung di tepi";
  }
  // A label such as "xn--…" would be shown as other letters by a browser.
  if (slug.includes("--")) return "Slug tidak boleh berisi dua tanda hubung berurutan";
  if (RESERVED.has(slug)) return "Slug ini tidak dapat dipakai";
  return null;
}

/** Whether a host label can be a store's: asked before any store is looked up. */
export const isStoreSlug = (label: string): boolean => slugProblem(label) === null;

/** Whether a host label is ours, or expected to be. */
export const isReservedLabel = (label: string): boolean => RESERVED.has(label);

/** The slug that a store's name suggests: `Kopi Wafero!` → `kopi-wafero`. */
export function slugFromName(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
}
