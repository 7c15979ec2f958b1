import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { transfer } from "../../../shared/ledger/ledger.ts";
import { testContext } from "../../testing/api.ts";
import { createUsers, unique } from "../../testing/factories.ts";
import type { Kind } from "./episode.ts";
import { judge } from "./episode-judge.ts";
import { PLAYER } from "./episode-player.ts";
import { scriptOf } from "./episode-script.ts";
import { episodeOf } from "./episodes.ts";

/** So many in one call: what a connection has planned for one, it has for the others. */
const AT_ONCE = 5;
/** Longer than a request waits for on a busy machine. */
const PATIENCE_MS = 100_000;

const playedShape = z.object({
  ends: z.array(
    z.object({
      n: z.number(),
      state: z.string(),
      trxid: z.string().nullable(),
      reason: z.string().nullable(),
      note: z.string().nullable(),
      decided_at: z.string().nullable(),
      refunds: z.number(),
    }),
  ),
  seen: z.record(z.string(), z.string()),
  ended: z.record(z.string(), z.string()),
});

/** What is played with: buyers who have their money in escrow, and the function that plays. */
export async function preparePlay(): Promise<number[]> {
  const { db } = testContext();
  await db.run(rows(sql.raw(PLAYER), z.unknown()));
  const buyers = (await createUsers(4, ["buyer"])).map(({ userId }) => userId);
  await db.batch(
    buyers.map((buyer) =>
      transfer({
        reference: unique("fund/"),
        debit: { kind: "gateway", owner: "test" },
        credit: { kind: "escrow", owner: `topup:${buyer}` },
        amount: 10_000_000,
        reason: "Isi saldo",
      }),
    ),
  );
  return buyers;
}

export const endPlay = () =>
  testContext().db.run(rows(sql`drop function topup_episode_play(jsonb)`, z.unknown()));

/** Plays the episodes of these seeds, so many at a time; the stories of those that went wrong. */
export async function playAll(
  seeds: Iterable<number>,
  kinds: readonly Kind[],
  buyers: readonly number[],
  lanes: number,
): Promise<string[]> {
  const left = [...seeds];
  const stories: string[] = [];
  const lane = async () => {
    for (let some = left.splice(0, AT_ONCE); some.length > 0; some = left.splice(0, AT_ONCE))
      stories.push(...(await play(some, kinds, buyers)));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return stories.sort((a, b) => a.length - b.length);
}

async function play(
  seeds: readonly number[],
  kinds: readonly Kind[],
  buyers: readonly number[],
): Promise<string[]> {
  const episodes = seeds.map((seed) => episodeOf(seed, kinds));
  const scripts = JSON.stringify(episodes.map((episode) => scriptOf(episode, buyers)));
  const played = await testContext(null, PATIENCE_MS).db.run(
    rows(
      sql`select topup_episode_play(e.script) as played
        from jsonb_array_elements(${scripts}::jsonb) with ordinality e(script, n) order by e.n`,
      z.object({ played: playedShape }),
    ),
  );
  if (played.length !== episodes.length) throw new Error("not all episodes were played");
  return episodes.flatMap((episode, n) => {
    const story = played[n] ? judge(episode, played[n].played) : "";
    return story ? [story] : [];
  });
}
