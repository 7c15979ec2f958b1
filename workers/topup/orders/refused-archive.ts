import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { fromBase64 } from "../../../shared/crypto/index.ts";
import type { NoticeApplier } from "../../../shared/inbox/inbox.ts";
import { type Entry, Packed, unpack } from "./refused-parcel.ts";

export const REFUSED_PROVIDER = "vip-reseller-refused";
/** Private: no path of ours serves it. Below it a folder for each day, which its clean-up goes by. */
const FOLDER = "topup-refused-callbacks/";
const PURGED_AT_ONCE = 1_000;
const DAY_MS = 86_400_000;

/** What the row of a parcel says, once its entries lie in the bucket. */
const Shelved = Packed.omit({ entries: true });
const Named = z.object({ v: z.number(), place: z.string() });

const nameOf = ({ place, firstAt }: z.output<typeof Shelved>) =>
  `${FOLDER}${firstAt.slice(0, 10)}/${place}`;

/**
 * What was refused has no effect; it is only kept: its entries in the bucket, where a flood costs little, and a row that
 * says how many they are, from where and when.
 */
export const refusedCallbackApplier: NoticeApplier = {
  provider: REFUSED_PROVIDER,
  eventKey: (_ctx, body) => Named.parse(JSON.parse(body)).place,
  async shelve(ctx, body) {
    const { success, data } = Packed.safeParse(JSON.parse(body));
    // One of the release before holds everything itself.
    if (!success) return body;
    const { entries, ...shelved } = data;
    // The same bytes under the same name, however often it is delivered.
    await ctx.assets.put(nameOf(shelved), fromBase64(entries) ?? "");
    return JSON.stringify(shelved);
  },
  apply: async () => "applied",
};

/** The callbacks that a row stands for; null when they cannot be opened (any more). */
export async function openRefused(ctx: Ctx, body: string): Promise<Entry[] | null> {
  const { success, data } = Shelved.safeParse(JSON.parse(body));
  const object = success ? await ctx.assets.get(nameOf(data)) : null;
  if (!success || !object) return null;
  return await unpack(ctx, data.key, new Uint8Array(await object.arrayBuffer()));
}

/** Forgets the entries of days that are so long ago. */
export async function purgeRefused(ctx: Ctx, keptDays: number): Promise<void> {
  const oldest = new Date(ctx.now().getTime() - keptDays * DAY_MS).toISOString().slice(0, 10);
  let names: string[];
  do {
    // In the order of their names, so the oldest days come first.
    const { objects } = await ctx.assets.list({ prefix: FOLDER, limit: PURGED_AT_ONCE });
    names = objects.map(({ key }) => key).filter((key) => key.slice(FOLDER.length) < oldest);
    if (names.length > 0) await ctx.assets.delete(names);
  } while (names.length === PURGED_AT_ONCE);
}
