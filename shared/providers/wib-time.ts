const WIB_OFFSET_MS = 7 * 3_600_000;

/** `YYYY-MM-DD HH:mm:ss` on a Jakarta clock (GMT+7, no summer time). */
export function formatWib(at: Date): string {
  const shifted = new Date(at.getTime() + WIB_OFFSET_MS).toISOString();
  return `${shifted.slice(0, 10)} ${shifted.slice(11, 19)}`;
}

/**
 * Reads the two forms of the Indonesian providers: `YYYY-MM-DD HH:mm:ss` without a zone, which is Jakarta time,
 * and ISO 8601 with one. Null for anything else, for dates that do not exist, and for the empty text.
 */
export function parseWib(text: string | null | undefined): Date | null {
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.exec(
    text ?? "",
  );
  if (!match) return null;
  const [, day = "", time = "", fraction = "", zone = "+07:00"] = match;
  // JavaScript would roll 31 February over into March.
  if (Number.isNaN(Date.parse(`${day}T00:00:00Z`))) return null;
  if (new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) !== day) return null;
  const at = new Date(`${day}T${time}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(at.getTime()) ? null : at;
}
