import { sql } from "drizzle-orm";
import { expect } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { gameRow, prepaidRow, socialRow } from "../../../shared/providers/testing/vip-reseller.ts";
import { createVipReseller, type SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { unique } from "../../testing/factories.ts";
import { beginRun, type SyncAction } from "../sync/rows.ts";
import { syncJob } from "../sync.ts";

type Row = Record<string, unknown>;
/** What a call is answered with: rows or data in the usual envelope, a whole response, or a failure of the network. */
type Say = Row[] | Response | Error;

/** A supplier at the network: its lists, its stocks and what was asked of it. */
export interface Supplier {
  lists: Record<SupplierFamily, Say>;
  stocks: Record<string, number>;
  level: string;
  asked: string[];
  /** Called before each answer, to fail or to look. */
  before: (asked: string) => void | Promise<void>;
  /** What is answered in place of the usual; null: the usual. */
  answer: (asked: string) => Response | null;
}

const FAMILY_OF: Record<string, SupplierFamily> = {
  prepaid: "prepaid",
  "game-feature": "game",
  "social-media": "social",
};

/** A context whose supplier is the given one, and whose queues only take notes. */
export function withSupplier(supplier: Supplier): Ctx {
  const { ctx } = contextWithQueues();
  const vipReseller = createVipReseller({
    apiId: "APIID123",
    apiKey: "APIKEY456",
    baseUrl: "https://vip-reseller.example/api",
    timeoutMs: 2_000,
    pace: async () => undefined,
    sleep: async () => undefined,
    fetch: async (url, init) => {
      const form = new URLSearchParams(String(init.body));
      const endpoint = url.split("/").at(-1) ?? "";
      const asked = [endpoint, form.get("type"), form.get("service")].filter(Boolean).join(" ");
      supplier.asked.push(asked);
      await supplier.before(asked);
      return supplier.answer(asked) ?? answerOf(supplier, endpoint, form);
    },
  });
  return { ...ctx, providers: { ...ctx.providers, vipReseller } };
}

function answerOf(supplier: Supplier, endpoint: string, form: URLSearchParams): Response {
  const ok = (data: unknown) => Response.json({ result: true, data, message: "Success." });
  if (endpoint === "profile") return ok({ balance: 1_000_000, level: supplier.level });
  if (form.get("type") === "service-stock") {
    const code = form.get("service") ?? "";
    const stock = supplier.stocks[code];
    const missing = { result: false, data: null, message: "Layanan tidak ditemukan." };
    return stock === undefined
      ? Response.json(missing)
      : ok({ code, name: code, stock, status: "available" });
  }
  const family = FAMILY_OF[endpoint];
  const say = family ? supplier.lists[family] : new Error("no such endpoint");
  if (say instanceof Error) throw say;
  return say instanceof Response ? say.clone() : ok(say);
}

export function newSupplier(lists: Partial<Supplier["lists"]> = {}): Supplier {
  return {
    lists: { prepaid: [], game: [], social: [], ...lists },
    stocks: {},
    level: "Special",
    asked: [],
    before: () => undefined,
    answer: () => null,
  };
}

/** A supplier with nothing to sell, the context that asks it, and empty shelves. */
export async function openSupplier(): Promise<{ supplier: Supplier; ctx: Ctx }> {
  const supplier = newSupplier();
  const ctx = withSupplier(supplier);
  await emptyCatalogue(ctx);
  return { supplier, ctx };
}

const endRuns = rows(
  sql`update topup_syncs s set state = 'failed', finished_at = now()
    where s.state = 'running' and not topup_sync_is_abandoned(s)`,
  z.unknown(),
);

/** Takes everything off the shelves, so that a test's lists are the whole catalogue. */
export async function emptyCatalogue(ctx: Ctx): Promise<void> {
  const empty = sql`update topup_services set status = 'gone', gone_at = now() where status <> 'gone'`;
  await ctx.db.batch([endRuns, rows(empty, z.unknown())]);
}

const Stored = z.object({
  id: z.uuid(),
  code: z.string(),
  name: z.string(),
  status: z.string(),
  active: z.boolean(),
  price: z.coerce.number(),
  supplier_price: z.coerce.number(),
  stock: z.number().nullable(),
  stock_type: z.string(),
  reserved: z.number(),
  max_quantity: z.number(),
  min_quantity: z.number(),
  target_kind: z.string(),
  needs_zone: z.boolean(),
});
export type StoredService = z.output<typeof Stored>;

/** The service of a code, as it is stored. */
export async function serviceOf(
  ctx: Ctx,
  family: SupplierFamily,
  code: string,
): Promise<StoredService> {
  const query = sql`select * from topup_services where family = ${family} and code = ${code}`;
  const [found] = await ctx.db.run(rows(query, Stored));
  if (!found) throw new Error(`no service ${family} ${code}`);
  return found;
}

const Ended = z.object({
  run: z.looseObject({ state: z.string(), counts: z.record(z.string(), z.number()) }),
});

/** Begins a run and works it off; the run as it ended. One that another test left under way is not waited for. */
export async function syncWith(ctx: Ctx, action: SyncAction = "full-sync", force = false) {
  await ctx.db.run(endRuns);
  const { sync: begun } = await ctx.db.run(beginRun({ action, force, requestedBy: null }));
  if (!begun?.jobId) throw new Error("no run began");
  expect(await runJob(ctx, begun.jobId, [syncJob])).toBe("success");
  const query = sql`select topup_sync_json(s) as run from topup_syncs s where id = ${begun.id}`;
  const [ended] = await ctx.db.run(rows(query, Ended));
  if (!ended) throw new Error("the run is gone");
  return ended.run;
}

/** Three lists of one row each, under a code of their own. */
export function stockShelves(supplier: Supplier): string {
  const code = unique("S");
  supplier.lists = {
    prepaid: [prepaidRow({ code })],
    game: [gameRow({ code })],
    social: [socialRow({ id: code })],
  };
  return code;
}
