import type { Ctx } from "../../../shared/context.ts";
import { wrongField } from "../../../shared/http/errors.ts";

const FORM = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?$/i;
const LONGEST_MS = 180 * 24 * 3_600_000;
/** A form may have lain open for a minute. */
const LATE_MS = 60_000;

const refused = (words: string) => wrongField("scheduled_at", words);

/** The moment that a seller means; without a zone it is Jakarta's clock. Refused: the past, and half a year ahead. */
export function readMoment(ctx: Ctx, given: string): Date {
  const [, day, time, seconds = ":00", zone = "+07:00"] = FORM.exec(given.trim()) ?? [];
  const at = new Date(`${day}T${time}${seconds}${zone.toUpperCase()}`);
  // A day that the month does not have would move into the next one.
  const isReal =
    !Number.isNaN(at.getTime()) && new Date(`${day}T00:00Z`).toJSON()?.startsWith(day ?? "");
  if (!isReal) throw refused("Tulis waktu seperti 2026-11-22T09:00 (WIB)");
  const aheadMs = at.getTime() - ctx.now().getTime();
  if (aheadMs < -LATE_MS) throw refused("Waktu ini sudah lewat");
  if (aheadMs > LONGEST_MS) throw refused("Paling jauh 180 hari dari sekarang");
  return at;
}
