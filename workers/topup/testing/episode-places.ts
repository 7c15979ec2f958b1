import { SECOND } from "./episode.ts";
import type { Facts } from "./episode-facts.ts";
import { listAt } from "./episode-script.ts";

/**
 * What is known of the list's order, which nobody promises: `told` by two of its rows that it is by time (of oldest rows first
 * by three, one after the other), `none` where some contradict it. What a look could not read did not tell.
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
      return { tried: tried - 5 * SECOND, over };
    });
  const above = (n: number) => known.slice(0, n);
  const isBehind = known.some(({ tried }, n) => known.slice(n + 1).some((one) => one.over < tried));
  const isOldestFirst = known.some(({ tried }, n) =>
    above(n).some(
      (second, m) => second.over < tried && above(m).some((first) => first.over < second.tried),
    ),
  );
  if (isOldestFirst && !isBehind) return "told";
  if (known.some(({ tried }, n) => above(n).some((one) => one.over < tried))) return "none";
  return isBehind ? "told" : "untold";
}
