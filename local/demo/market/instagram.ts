import { request, until } from "../http.ts";
import { check, type Tell } from "../narrator.ts";
import type { Person } from "../sale/seller.ts";
import { ask, scriptTool } from "./chat.ts";
import { consent } from "./consent.ts";
import type { Item } from "./shop.ts";
import { twin } from "./twins.ts";

const BASE = "/api/seller/instagram";
const SOON_MS = 5_000;
/** A job of a later moment is woken by the minute's cron. */
const PATIENCE_MS = 120_000;

interface Post {
  id: string;
  state: string;
  caption: string;
  scheduled_at_local: string | null;
  permalink: string | null;
  reason: string | null;
}

interface Accounts {
  accounts: { username: string; posts: { caption: string; images: string[] }[] }[];
}

/** A post is asked for by chat, confirmed, goes out by itself and stands on the account once. */
export async function schedulePost(tell: Tell, seller: Person, item: Item): Promise<void> {
  const { token } = seller;
  const username = await connect(tell, seller);
  const mark = Date.now().toString(36);
  const caption = `Topeng Panji baru dari Blitar (${mark})`;
  const schedule_at = new Date(Date.now() + SOON_MS).toISOString();
  const input = { product_id: item.id, caption, schedule_at };
  await scriptTool(tell, `pos-${mark}`, "draft_instagram_post", input, "Baik.");
  const asked = await ask(tell, seller, `Jadwalkan posting Instagram sebentar lagi (pos-${mark})`);
  check("the assistant waits for a yes", asked.text.includes("Menunggu konfirmasi"), true);
  await ask(tell, seller, "ya", asked.sessionId);
  const read = async () => {
    const posts = await request<Post[]>(tell.app, `${BASE}/posts`, { token });
    return posts.find((post) => post.caption === caption);
  };
  const planned = await read();
  tell.step("By chat and with a yes: a post is scheduled", `${planned?.scheduled_at_local}`);
  const gone = await until(
    "the post is published",
    read,
    (post) => post?.state === "published" || post?.state === "failed",
    PATIENCE_MS,
  );
  check(`the post (${gone?.reason ?? "no reason"})`, gone?.state, "published");
  const { accounts } = await twin<Accounts>(`${tell.instagram}/_state`);
  const posts = accounts.find((account) => account.username === username)?.posts ?? [];
  check(`posts of @${username}`, posts.length, 1);
  check("its words", posts[0]?.caption.startsWith(caption), true);
  tell.step(`It stands on @${username} once, with a picture and a link`, posts[0]?.caption);
}

async function connect({ app, step }: Tell, { token }: Person): Promise<string> {
  const { url, state } = await request<{ url: string; state: string }>(app, `${BASE}/authorise`, {
    token,
  });
  const back = await consent(url);
  const json = { code: back.get("code"), state };
  const { username } = await request<{ username: string }>(app, `${BASE}/connect`, {
    method: "POST",
    token,
    json,
  });
  step(`Instagram is connected by its own page`, `@${username}`);
  return username;
}
