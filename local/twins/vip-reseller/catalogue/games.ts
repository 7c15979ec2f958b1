import { type GameService, priced } from "./services.ts";

interface Line {
  game: string;
  prefix: string;
  unit: string;
  needsZone: boolean;
  /** Rupiah for one unit, about. */
  each: number;
  sizes: readonly number[];
  voucher?: boolean;
}

const lines: readonly Line[] = [
  {
    game: "Mobile Legends",
    prefix: "ML",
    unit: "Diamonds",
    needsZone: true,
    each: 270,
    sizes: [
      5, 12, 19, 28, 36, 44, 59, 74, 85, 86, 110, 148, 170, 172, 222, 240, 257, 284, 296, 344, 370,
      408, 429, 514, 568, 600, 706, 878, 966, 1050, 1412, 2010, 2195, 3688, 4830, 5532, 9288,
    ],
  },
  {
    game: "Free Fire",
    prefix: "FF",
    unit: "Diamonds",
    needsZone: false,
    each: 130,
    sizes: [5, 12, 20, 50, 70, 100, 120, 140, 210, 280, 355, 420, 500, 720, 1000, 1450, 2180, 7290],
  },
  {
    game: "PUBG Mobile (Indonesia)",
    prefix: "PUBGM",
    unit: "UC",
    needsZone: false,
    each: 230,
    sizes: [30, 60, 120, 180, 240, 325, 385, 660, 720, 1320, 1800, 3850, 8100],
  },
  {
    game: "Valorant",
    prefix: "VAL",
    unit: "Points",
    needsZone: false,
    each: 110,
    sizes: [475, 1000, 1475, 2050, 2525, 3650, 4650, 5350, 11_000],
  },
  {
    game: "Genshin Impact",
    prefix: "GI",
    unit: "Genesis Crystals",
    needsZone: true,
    each: 210,
    sizes: [60, 330, 660, 1090, 2240, 3880, 8080],
  },
  {
    game: "Honkai Star Rail",
    prefix: "HSR",
    unit: "Oneiric Shards",
    needsZone: true,
    each: 210,
    sizes: [60, 330, 660, 1090, 2240, 3880, 8080],
  },
  {
    game: "Point Blank",
    prefix: "PB",
    unit: "Cash",
    needsZone: false,
    each: 8,
    sizes: [1200, 2400, 6000, 12_000, 24_000, 60_000],
  },
  {
    game: "Call of Duty Mobile",
    prefix: "CODM",
    unit: "CP",
    needsZone: false,
    each: 160,
    sizes: [31, 63, 128, 321, 645, 800, 1373, 2059, 3564],
  },
  {
    game: "Voucher Google Play",
    prefix: "GP",
    unit: "Rupiah",
    needsZone: false,
    each: 1.03,
    sizes: [10_000, 20_000, 50_000, 100_000, 150_000, 300_000, 500_000],
    voucher: true,
  },
  {
    game: "Voucher Steam Wallet",
    prefix: "STEAM",
    unit: "Rupiah",
    needsZone: false,
    each: 1.2,
    sizes: [12_000, 45_000, 60_000, 90_000, 120_000, 250_000, 400_000],
    voucher: true,
  },
];

/** One size of a game's money, of which the name does not tell the game; every size of which `server` 2 sells too is its own. */
export function gameService(line: Omit<Line, "sizes">, size: number, server: number): GameService {
  const name = `${size} ${line.unit}`;
  return {
    family: "game-feature",
    code: `${line.prefix}${size}-S${server}`,
    name,
    price: priced(Math.ceil(size * line.each * (1 + server / 200))),
    status: "available",
    stock: line.voucher ? 25 : 1000,
    game: line.game,
    server,
    needsZone: line.needsZone,
    boost: null,
    description: `${line.game} ${name}, server ${server}`,
    voucher: line.voucher ?? false,
  };
}

const boosts: [name: string, boost: "package" | "star", price: number][] = [
  ["Joki Epic ke Legend", "package", 75_000],
  ["Joki Legend ke Mythic", "package", 110_000],
  ["Joki Bintang Epic", "star", 5500],
  ["Joki Bintang Legend", "star", 6500],
  ["Joki Bintang Mythic", "star", 14_000],
];

/** Game money, vouchers with a small stock, and rank boosting. */
export function gameServices(): GameService[] {
  const sold = lines.flatMap((line) =>
    line.sizes.flatMap((size) => {
      const servers = line.prefix === "ML" ? [1, 2] : [1];
      return servers.map((server) => gameService(line, size, server));
    }),
  );
  const boosting = boosts.map(([name, boost, price], index): GameService => {
    const line = { game: "Mobile Legends Joki", prefix: "JOKI", unit: "", each: price };
    const service = gameService({ ...line, needsZone: true }, index + 1, 1);
    return { ...service, name, price: priced(price), boost, description: name };
  });
  const gone: GameService = {
    ...gameService({ ...mobileLegends(), needsZone: true }, 13, 1),
    status: "empty",
    stock: 0,
  };
  return [...sold, ...boosting, gone];
}

function mobileLegends(): Omit<Line, "sizes"> {
  const [line] = lines;
  if (!line) throw new Error("the game table is empty");
  return line;
}
