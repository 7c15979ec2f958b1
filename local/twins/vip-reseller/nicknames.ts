/** What the nickname check of a game wants (vip-reseller.md, the codes that are still in use). */
interface Check {
  needsZone: boolean;
  target: RegExp;
  zone: RegExp;
}

const digits = /^\d{4,14}$/;
const any = /^.+$/;
const byId: Check = { needsZone: false, target: digits, zone: any };
const byIdAndZone: Check = { needsZone: true, target: digits, zone: /^\d{3,6}$/ };
const byIdAndServer: Check = {
  needsZone: true,
  target: digits,
  zone: /^(os_asia|os_usa|os_euro|os_cht)$/,
};

const checks: ReadonlyMap<string, Check> = new Map([
  ["mobile-legends", byIdAndZone],
  ["mobile-legends-region", byIdAndZone],
  ["free-fire", byId],
  ["pubgm", byId],
  ["valorant", { ...byId, target: /^.{3,16}#.{3,5}$/u }],
  ["genshin-impact", byIdAndServer],
  ["honkai-star-rail", { ...byIdAndServer, zone: any }],
  ["pointblank", { ...byId, target: any }],
]);

export const nicknameCodes: readonly string[] = [...checks.keys()];
export const regionCode = "mobile-legends-region";
export const regionMinimum = 100_000;

const firsts = ["Raja", "Naga", "Bintang", "Sang", "Elang", "Harimau", "Badai", "Satria"];
const seconds = ["Kecil", "Malam", "Senja", "Rimba", "Perkasa", "Timur", "Merah", "Jaya"];
const countries: [code: string, name: string][] = [
  ["ID", "Indonesia"],
  ["MY", "Malaysia"],
  ["PH", "Philippines"],
];

/** One whole number from a text, the same each time. */
export function numberOf(text: string): number {
  let sum = 7;
  for (const unit of text) sum = (sum * 31 + (unit.codePointAt(0) ?? 0)) % 1_000_003;
  return sum;
}

export type NicknameAnswer =
  | { ok: true; nickname: string; country: { code: string; name: string } }
  | { ok: false; message: string };

/** Everybody exists but those whose id begins with 0; a nickname is the same each time. */
export function nicknameOf(code: string, target: string, zone: string): NicknameAnswer {
  const check = checks.get(code);
  if (!check) return { ok: false, message: "Layanan tidak ditemukan." };
  if (check.needsZone && !zone) return { ok: false, message: "Masih ada parameter yang kosong." };
  if (!check.target.test(target) || (check.needsZone && !check.zone.test(zone))) {
    return { ok: false, message: "Nomor salah." };
  }
  if (isNobody(target)) return { ok: false, message: "Nomor tidak diketahui." };
  const seed = numberOf(target);
  const nickname = `${firsts[seed % 8]} ${seconds[(seed >> 3) % 8]} ${seed % 100}`;
  const [countryCode, name] = countries[seed % 11 === 0 ? 1 : seed % 13 === 0 ? 2 : 0] ?? ["", ""];
  return { ok: true, nickname, country: { code: countryCode, name } };
}

/** Ids of games that begin with 0 belong to nobody: an order for one is taken and ends in error. */
export function isNobody(target: string): boolean {
  return target.startsWith("0");
}
