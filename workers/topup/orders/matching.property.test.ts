import { beforeAll, expect, it } from "vitest";
import { transfer } from "../../../shared/ledger/ledger.ts";
import { testContext } from "../../testing/api.ts";
import { createUsers, unique } from "../../testing/factories.ts";
import { type End, play } from "../testing/episode-play.ts";
import { type Episode, episodeOf, MINUTE, type Order } from "../testing/episodes.ts";

/** To look for more, raise the number. */
const EPISODES = 120;
/** To repeat one that failed, add its seed; these went wrong once. */
const ONCE_WRONG = [168, 885];
/** So many at once, each with buyers of its own. */
const LANES = 3;

let buyers: number[] = [];
beforeAll(async () => {
  const users = await createUsers(4 * LANES, ["buyer"]);
  buyers = users.map(({ userId }) => userId);
  await testContext().db.batch(
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
});

/** What is wrong with how these like orders ended, of which so many were bought. */
function wrongsOf(likes: readonly Order[], ends: readonly End[]): string[] {
  const made = likes.flatMap(({ purchase }) => purchase?.trxid ?? []);
  const kept = ends.flatMap(({ state, trxid }) =>
    ["processing", "success"].includes(state) && trxid !== null ? [trxid] : [],
  );
  const open = ends.filter(({ state }) => !["processing", "success", "failed"].includes(state));
  const refunded = ends.filter(({ state }) => state === "failed");
  const isTie =
    new Set(likes.map(({ buyer }) => buyer)).size > 1 &&
    made.length > 0 &&
    made.length < likes.length;
  const wrongs: [string, boolean][] = [
    ["bought and refunded", refunded.some(({ trxid }) => trxid !== null)],
    ["bought, and of no order", made.length - kept.length > open.length],
    ["another's purchase", kept.some((trxid) => !made.includes(trxid))],
    ["one purchase of two orders", new Set(kept).size < kept.length],
    ["refunded without its money", refunded.some(({ refunds }) => refunds !== 1)],
    ["bought with its money back", ends.some((end) => end.state !== "failed" && end.refunds > 0)],
    ["waits though the facts tell", open.length > 0 && !isTie],
  ];
  return wrongs.flatMap(([words, isWrong]) => (isWrong ? [words] : []));
}

function likesOf({ orders }: Episode): Order[][] {
  return Object.values(Object.groupBy(orders, (one) => `${one.target}/${one.service}`)).map(
    (likes) => likes ?? [],
  );
}

/** The story of an episode that went wrong, for who reads it. */
function storyOf(episode: Episode, ends: End[]): string {
  const { seed, family, orders, sales, past, callbacks, down } = episode;
  const at = (ms: number | null) => (ms === null ? "never" : `${(ms / MINUTE).toFixed(1)}m`);
  const tell = ({ n, buyer, target, service, triedAt, answeredAt, purchase }: Order) => {
    const bought = purchase
      ? `${purchase.trxid} made ${at(purchase.madeAt)}, listed ${at(purchase.listedAt)}`
      : "lost";
    const end = ends.find((one) => one.n === n);
    const became = end ? `${end.state} ${end.trxid} ${end.reason ?? ""}` : "";
    return `${n}: u${buyer} ${service} ${target} tried ${at(triedAt)}, answered ${at(answeredAt)}: ${bought} -> ${became}`;
  };
  return [
    `seed ${seed}, ${family}, no answers ${at(down.from)} to ${at(down.until)}`,
    ...[...orders, ...sales].map(tell),
    ...past.map(
      ({ trxid, target, madeAt, listedAt }) =>
        `${trxid} ${target} past us, made ${at(madeAt)}, listed ${at(listedAt)}`,
    ),
    ...callbacks.map(({ trxid, at: came }) => `${trxid} named ${at(came)}`),
  ].join("\n");
}

/** What is wrong with how one episode ended, as a story; empty: nothing. */
async function wrongsOfEpisode(seed: number, buyers: readonly number[]): Promise<string> {
  const episode = episodeOf(seed);
  const ends = await play(episode, buyers);
  expect(ends).toHaveLength(episode.orders.length);
  const wrongs = likesOf(episode).flatMap((likes) => {
    const theirs = ends.filter(({ n }) => likes.some((one) => one.n === n));
    return wrongsOf(likes, theirs);
  });
  return wrongs.length > 0 ? `${wrongs.join(", ")}\n${storyOf(episode, ends)}` : "";
}

it("whatever lists and callbacks tell, and when: each order that was bought is kept once, each that was not is refunded once, and a person decides true ties alone", async () => {
  const range = Array.from({ length: EPISODES }, (_, n) => n + 1);
  const seeds = [...ONCE_WRONG, ...range].values();
  const stories: string[] = [];
  const lane = async (_: unknown, n: number) => {
    for (const seed of seeds) {
      const story = await wrongsOfEpisode(seed, buyers.slice(4 * n, 4 * n + 4));
      if (story) stories.push(story);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  expect(stories.slice(0, 3), `${stories.length} episodes`).toEqual([]);
}, 3_600_000);
