import type { MarketFault } from "./error.ts";
import { PLATFORM_NAME, type Platform } from "./platforms.ts";

/** What a seller reads where the platform has said nothing readable. */
export function wordsOf(platform: Platform, fault: MarketFault): string {
  const name = PLATFORM_NAME[platform];
  const words: Record<MarketFault, string> = {
    token_expired: `Izin akses ke toko ${name} perlu diperbarui`,
    token_revoked: `Izin akses ke toko ${name} sudah berakhir. Hubungkan ulang toko Anda`,
    rate_limited: `${name} sedang membatasi jumlah permintaan. Akan dicoba lagi`,
    quota: `Kuota harian ${name} sudah habis. Akan dicoba lagi besok`,
    rejected: `${name} menolak data ini`,
    duplicate: `SKU ini sudah dipakai di ${name}`,
    not_found: `Produk tidak ditemukan di ${name}`,
    locked: `Produk sedang ikut promosi ${name}, sehingga harga dan stoknya terkunci`,
    misconfigured: `Integrasi ${name} perlu diperbaiki oleh pengelola`,
    unavailable: `${name} sedang tidak dapat dihubungi. Akan dicoba lagi`,
    unknown: `${name} tidak memberi jawaban yang jelas. Hasilnya akan diperiksa`,
  };
  return words[fault];
}
