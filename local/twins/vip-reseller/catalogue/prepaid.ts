import { type PrepaidService, priced } from "./services.ts";

interface Line {
  brand: string;
  prefix: string;
  category: string;
  type: string;
}

/** Nothing is down for long; the window is text, as the provider writes it. */
const noWindow = "00:00 - 00:00";
const nightWindow = "23:30 - 00:30";

export function prepaid(
  line: Line,
  size: number | string,
  name: string,
  special: number,
): PrepaidService {
  return {
    family: "prepaid",
    code: `${line.prefix}${size}`,
    name,
    price: priced(special),
    status: "available",
    stock: null,
    brand: line.brand,
    note: "Masukkan nomor tujuan dengan benar.",
    multiTrx: line.category !== "PLN",
    maintenance: line.category === "PLN" ? nightWindow : noWindow,
    category: line.category,
    type: line.type,
  };
}

const operators: [brand: string, prefix: string][] = [
  ["TELKOMSEL", "S"],
  ["INDOSAT", "I"],
  ["XL", "X"],
  ["AXIS", "A"],
  ["TRI", "T"],
  ["SMARTFREN", "SM"],
  ["BY.U", "BY"],
];
const credits = [1, 2, 5, 10, 15, 20, 25, 30, 50, 75, 100, 150, 200];
const dataPlans: [gigabytes: number, days: number, price: number][] = [
  [1, 3, 9500],
  [2, 7, 16_000],
  [3, 15, 24_000],
  [5, 30, 38_000],
  [8, 30, 52_000],
  [10, 30, 61_000],
  [15, 30, 79_000],
  [25, 30, 105_000],
  [50, 30, 148_000],
];
const wallets: [brand: string, prefix: string][] = [
  ["DANA", "DANA"],
  ["OVO", "OVO"],
  ["GO PAY", "GOPAY"],
  ["SHOPEE PAY", "SHOPEE"],
  ["LINKAJA", "LINK"],
];
const topUps = [10, 20, 25, 50, 100, 200, 300, 500];
const tokens = [20, 50, 100, 200, 500, 1000];

function thousands(count: number): string {
  return `${count}.000`.replace("1000.000", "1.000.000");
}

/** Phone credit, data plans, electricity and wallets. */
export function prepaidServices(): PrepaidService[] {
  const list: PrepaidService[] = [];
  for (const [brand, prefix] of operators) {
    const credit = { brand, prefix, category: "Pulsa Reguler", type: "pulsa-reguler" };
    for (const size of credits) {
      list.push(prepaid(credit, size, `${brand} ${thousands(size)}`, size * 1000 + 350));
    }
    const data = {
      ...credit,
      prefix: `${prefix}D`,
      category: "Paket Data",
      type: "paket-internet",
    };
    for (const [gigabytes, days, price] of dataPlans) {
      const name = `${brand} Data ${gigabytes} GB ${days} Hari`;
      list.push(prepaid(data, gigabytes, name, price));
    }
  }
  for (const [brand, prefix] of wallets) {
    const line = { brand, prefix, category: "E-Money", type: "saldo-emoney" };
    for (const size of topUps) {
      list.push(prepaid(line, size, `${brand} ${thousands(size)}`, size * 1000 + 700));
    }
  }
  const pln = { brand: "PLN", prefix: "PLN", category: "PLN", type: "token-pln" };
  for (const size of tokens) {
    list.push(prepaid(pln, size, `Token PLN ${thousands(size)}`, size * 1000 + 250));
  }
  return list;
}
