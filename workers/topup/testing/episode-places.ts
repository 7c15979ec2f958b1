import { SECOND } from "./episode.ts";
import { listAt } from "./episode-script.ts";
import type { Facts } from "./episode-worlds.ts";

/**
 * What is known of the list's order, which nobody promises: `told` by a row that had ended before one in front of it was tried
 * (of oldest rows first by two, one after the other), `none` where some contradict it. What a look could not read did not tell.
 */
export function placesOf({ episode, until }: Facts): "told" | "untold" | "none" {
  const unread = episode.looks.filter(({ at }) => at === until).flatMap((look) => look.unread);
  const known = listAt(episode, until)
    .filter(({ trxid }) => !unread.includes(trxid))
    .map(({ trxid }) => {
      const order = [...episode.orders, ...episode.sales].find(
        ({ purchase }) => purchase?.trxid === trxid,
      );
      const over = order?.answeredAt ?? Infinity;
      const tried = over <= until ? (order?.triedAt ?? -Infinity) : -Infinity;
      const ended = order?.endedAt ?? Infinity;
      return { tried: tried - 5 * SECOND, over, ended: ended <= until ? ended : Infinity };
    });
  type Known = (typeof known)[number];
  const isOver = ({ over }: Known, { tried }: Known) => over < tried;
  const hasEnded = ({ ended }: Known, { tried }: Known) => ended < tried;
  const behind = (n: number) => known.slice(n + 1);
  const above = (n: number) => known.slice(0, n);
  const isOldestFirst = known.some((last, n) =>
    above(n).some(
      (second, m) => hasEnded(second, last) && above(m).some((first) => hasEnded(first, second)),
    ),
  );
  if (isOldestFirst && !known.some((one, n) => behind(n).some((other) => isOver(other, one))))
    return "told";
  if (known.some((one, n) => above(n).some((other) => isOver(other, one)))) return "none";
  return known.some((one, n) => behind(n).some((other) => hasEnded(other, one)))
    ? "told"
    : "untold";
}
