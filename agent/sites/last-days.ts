import type { AgentCtx } from "../ctx.ts";
import { handlers } from "./handlers.ts";
import { listRecords, type SiteRecord } from "./record.ts";

/** Jakarta has no summer time. */
const JAKARTA_MS = 7 * 3_600_000;

const dayOf = (now: Date): string =>
  new Date(now.getTime() + JAKARTA_MS).toISOString().slice(0, 10);

/** Sites that are served past their last day. */
export const pastLastDay = (records: SiteRecord[], now: Date): SiteRecord[] =>
  records.filter(
    ({ lastDay, suspended }) => lastDay !== null && !suspended && lastDay < dayOf(now),
  );

/** Stops serving sites whose last day is over; called every few minutes. One that fails is tried at the next call. */
export async function endLastDays(ctx: AgentCtx): Promise<void> {
  for (const record of pastLastDay(listRecords(ctx.settings), ctx.now())) {
    try {
      await handlers["site.suspend"](ctx, record);
      ctx.log.info("site past its last day", { siteId: record.siteId });
    } catch (error) {
      const name = error instanceof Error ? error.name : "error";
      ctx.log.warn("site past its last day is still served", { siteId: record.siteId, name });
    }
  }
}
