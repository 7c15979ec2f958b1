import { priced, type SocialService } from "./services.ts";

const sites = ["Instagram", "TikTok", "YouTube", "Facebook", "Twitter", "Telegram", "Shopee"];
const kinds: [kind: string, price: number, min: number, max: number][] = [
  ["Followers Indonesia", 28_000, 50, 10_000],
  ["Followers Bot", 6500, 100, 100_000],
  ["Followers Aktif", 42_000, 20, 5000],
  ["Likes Indonesia", 9000, 20, 20_000],
  ["Likes Bot", 1500, 50, 50_000],
  ["Views", 400, 100, 1_000_000],
  ["Komentar Positif", 95_000, 10, 500],
  ["Shares", 12_000, 10, 10_000],
];

export function socialService(
  id: number,
  category: string,
  name: string,
  special: number,
  bounds: { min: number; max: number },
): SocialService {
  return {
    family: "social-media",
    code: String(id),
    name,
    price: priced(special),
    status: "available",
    stock: null,
    category,
    ...bounds,
    note: "Akun jangan dikunci. Proses 1 - 24 jam.",
  };
}

/** Followers, likes and the like, priced for 1,000. */
export function socialServices(): SocialService[] {
  return sites.flatMap((site, siteIndex) =>
    kinds.map(([kind, price, min, max], index) =>
      socialService(
        1001 + siteIndex * kinds.length + index,
        `${site} ${kind.split(" ")[0]}`,
        `${site} ${kind}`,
        price,
        { min, max },
      ),
    ),
  );
}
