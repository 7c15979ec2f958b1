/** A part of a span of orders, for platforms that only look so far at once. */
export interface OrderWindow {
  from: number;
  to: number;
  /** The platform's own cursor within the part; empty at its start. */
  inner: string;
}

/** The part of the span that a cursor stands in; a cursor that is not one of ours starts anew. */
export function windowAt(
  span: { since: Date; until: Date; cursor?: string | null },
  longestSeconds: number,
): OrderWindow {
  const since = Math.floor(span.since.getTime() / 1000);
  const until = Math.ceil(span.until.getTime() / 1000);
  const [, start, inner = ""] = /^(\d{1,12})~(.*)$/s.exec(span.cursor ?? "") ?? [];
  const from = Math.max(since, start === undefined ? since : Number(start));
  return { from, to: Math.min(from + longestSeconds, until), inner };
}

/** Where to go on: in the same part, in the next one, or nowhere. */
export function nextCursor(
  window: OrderWindow,
  until: Date,
  inner: string | null | undefined,
): string | null {
  if (inner) return `${window.from}~${inner}`;
  return window.to < Math.ceil(until.getTime() / 1000) ? `${window.to}~` : null;
}
