import { monthOf } from "./calendar.ts";

const COLUMNS = ["orders", "charges", "rupiah", "mails", "suspended", "back", "deleted"] as const;
type Column = (typeof COLUMNS)[number];
type Month = Record<Column, number>;

const MAILED_STEPS = /^(remind|warn|suspend|delete)/;

/** A line a month, from what really happened. */
export function monthsOf(lines: readonly string[]): Map<string, Month> {
  const months = new Map<string, Month>();
  const off = new Set<string>();
  const add = (at: string | undefined, column: Column, amount = 1) => {
    const key = monthOf(Number(at));
    const month = months.get(key) ?? {
      orders: 0,
      charges: 0,
      rupiah: 0,
      mails: 0,
      suspended: 0,
      back: 0,
      deleted: 0,
    };
    month[column] += amount;
    months.set(key, month);
  };
  const parts = lines.map((line) => line.split("|"));
  for (const [kind, person, step, end, at] of parts) {
    if (kind !== "step") continue;
    if (step === "suspend") off.add(`${person}|${end}`);
    if (step === "suspend") add(at, "suspended");
    if (step === "delete") add(at, "deleted");
    if (MAILED_STEPS.test(step ?? "")) add(at, "mails");
  }
  for (const [kind, person, end, amount, at] of parts) {
    if (kind === "order") add(at, "orders");
    if (kind !== "charge") continue;
    add(at, "charges");
    add(at, "rupiah", Number(amount));
    add(at, "mails");
    if (off.has(`${person}|${end}`)) add(at, "back");
  }
  return new Map([...months].sort(([a], [b]) => a.localeCompare(b)));
}

export function tableOf(lines: readonly string[]): string {
  const months = monthsOf(lines);
  const sum: Month = {
    orders: 0,
    charges: 0,
    rupiah: 0,
    mails: 0,
    suspended: 0,
    back: 0,
    deleted: 0,
  };
  for (const month of months.values()) for (const column of COLUMNS) sum[column] += month[column];
  const row = (name: string, values: Month) =>
    name.padEnd(8) +
    COLUMNS.map((column) => values[column].toLocaleString("en").padStart(15)).join("");
  return [
    "month".padEnd(8) + COLUMNS.map((column) => column.padStart(15)).join(""),
    ...[...months].map(([name, month]) => row(name, month)),
    row("all", sum),
  ].join("\n");
}
