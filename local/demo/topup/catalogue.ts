import { tryRequest, until } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import { ask, type Caller, twin } from "./calls.ts";

interface SyncAnswer {
  success: boolean;
  message: string;
  error?: string;
  data?: Record<string, number>;
  job?: { id: string; state: string };
}

export interface Service {
  code: string;
  name: string;
  price: number;
  unit: number;
}

/** What the demo buys: one of each kind. */
export const WANTED = {
  credit: { code: "S10", search: "TELKOMSEL 10.000" },
  token: { code: "PLN50", search: "PLN 50.000" },
  diamonds: { code: "ML86-S1", search: "Mobile Legends 86" },
  followers: { code: "1001", search: "Instagram Followers Indonesia" },
} as const;

export type Kind = keyof typeof WANTED;
export type Shelf = Record<Kind, Service>;

/** The admin reads the supplier's three price lists; a run that is under way already is waited for. */
export async function syncCatalogue(tell: Tell, { token }: Caller): Promise<void> {
  const json = { action: "full-sync" };
  const sync = () =>
    tryRequest<unknown>(tell.app, "/api/admin/vip-sync", { method: "POST", token, json });
  let first: string | undefined;
  const isOver = ({ job }: SyncAnswer) => {
    first ??= job?.id;
    // One that lasts longer than an answer is over when asking again has begun the next one.
    return job?.state !== "running" || job.id !== first;
  };
  const { body } = await until(
    "the catalogue is synced",
    sync,
    (answer) => isOver(answer.body as unknown as SyncAnswer),
    120_000,
  );
  const answer = body as unknown as SyncAnswer;
  const isNext = answer.job?.state === "running";
  // A partial one (a stock that could not be read) will do: what is bought is looked for on the shelf.
  if (!isNext && !answer.success) {
    throw new Error(`the sync ended ${answer.job?.state}: ${answer.message} ${answer.error ?? ""}`);
  }
  const { meta } = (await (await fetch(`${tell.app}/api/services?limit=1`)).json()) as {
    meta: { total: number; capped: boolean };
  };
  const { servicesAdded = 0, productsUpdated = 0 } = answer.data ?? {};
  tell.step(
    `The admin synced the supplier's catalogue: ${meta.total}${meta.capped ? " and more" : ""} services on sale`,
    `${servicesAdded} new, ${productsUpdated} re-priced`,
  );
}

/** Finds what will be bought, and shows what is earned on it. */
export async function readPrices(tell: Tell, customer: Caller): Promise<Shelf> {
  const entries = Object.entries(WANTED).map(async ([kind, { code, search }]) => {
    const path = `/api/services?limit=50&search=${encodeURIComponent(search)}`;
    const { data } = await ask<{ data: Service[] }>(tell, path, customer);
    const service = data.find((one) => one.code === code);
    if (!service) throw new Error(`${search} (${code}) is not on sale`);
    return [kind, service] as const;
  });
  const shelf = Object.fromEntries(await Promise.all(entries)) as Shelf;
  const lines: string[] = [];
  for (const service of Object.values(shelf)) lines.push(await priceLine(tell, service));
  tell.step("Prices with our margin", lines.join("\n    "));
  return shelf;
}

async function priceLine(tell: Tell, { code, name, price, unit }: Service): Promise<string> {
  const { price: asked } = await twin<{ price: { basic: number } }>(tell, `/_services/${code}`, {});
  check(`${name} sells above what it costs`, price > asked.basic, true);
  const per = unit === 1 ? "" : ` per ${unit.toLocaleString("id-ID")}`;
  const margin = (((price - asked.basic) / asked.basic) * 100).toFixed(1);
  return `${name}${per}: the supplier asks ${rupiah(asked.basic)}, we ${rupiah(price)} (+${margin} %)`;
}

/** Electricity tokens rest for an hour around midnight; the supplier of a demo works through. */
export async function keepAwake(tell: Tell): Promise<void> {
  await twin(tell, `/_services/${WANTED.token.code}`, { maintenance: "00:00 - 00:00" });
}
