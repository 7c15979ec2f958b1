import { request } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import type { Person } from "../sale/seller.ts";
import type { Shops } from "./connect.ts";
import type { Item } from "./shop.ts";
import { arrived } from "./sync.ts";
import { twin } from "./twins.ts";

interface Said {
  text: string;
  sessionId: string;
}

/** One message to the assistant, and everything that it answers. */
export async function ask(
  { app }: Tell,
  { token }: Person,
  message: string,
  sessionId?: string,
): Promise<Said> {
  const response = await fetch(`${app}/api/ai/chat`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ message, ...(sessionId ? { session_id: sessionId } : {}) }),
  });
  const raw = await response.text();
  if (!response.ok) throw new Error(`the assistant answered ${response.status}: ${raw}`);
  const events = raw.split("\n\n").filter(Boolean);
  check("the last event of the stream", events.pop(), "data: [DONE]");
  let text = "";
  for (const event of events) {
    const said = JSON.parse(event.replace(/^data: /, "")) as { text?: string; error?: string };
    if (said.error) throw new Error(`the assistant broke off: ${said.error}`);
    text += said.text ?? "";
  }
  return { text, sessionId: response.headers.get("x-session-id") ?? "" };
}

/** Tells the model's twin what to do when it reads `match`: one call of a tool, then words. */
export async function scriptTool(
  { anthropic }: Tell,
  match: string,
  tool: string,
  input: object,
  words: string,
): Promise<void> {
  const turns = [
    { blocks: [{ text: "Sebentar. " }, { tool, input }] },
    { blocks: [{ text: words }] },
  ];
  await twin(`${anthropic}/_scripts`, { match, turns }, "PUT");
}

interface Action {
  tool: string;
  target_id: string | null;
  confirmed: boolean;
}

/** Prices are changed by talking: a small step that the message says by itself at once, a fall below half only after the seller's own yes. */
export async function talkPrices(
  tell: Tell,
  seller: Person,
  shops: Shops,
  item: Item,
): Promise<void> {
  const read = () =>
    request<Item>(tell.app, `/api/seller/products/${item.id}`, { token: seller.token });
  const change = async (price: number) => {
    const wish = `Ubah harga ${item.name} menjadi ${rupiah(price)}`;
    const input = { product_id: item.id, price };
    await scriptTool(tell, wish, "update_product", input, "Baik.");
    return await ask(tell, seller, wish);
  };
  const small = item.price - 2_000;
  const done = await change(small);
  check("the price after the talk", (await read()).price, small);
  item.price = small;
  tell.step(`By chat: the price becomes ${rupiah(small)}`, firstLine(done.text));

  const low = Math.floor(item.price / 2) - 100;
  const asked = await change(low);
  check("the price before the seller's yes", (await read()).price, small);
  check("the assistant waits for a yes", asked.text.includes("Menunggu konfirmasi"), true);
  tell.step(`By chat: ${rupiah(low)} would be below half, so nothing is done yet`, asked.text);
  const confirmed = await ask(tell, seller, "ya", asked.sessionId);
  check("the price after the seller's yes", (await read()).price, low);
  item.price = low;
  const actions = await request<Action[]>(tell.app, "/api/ai/actions", { token: seller.token });
  const own = actions.filter(({ target_id: id }) => id === item.id);
  check("actions in the log", own.length, 2);
  check("confirmed actions in the log", own.filter((one) => one.confirmed).length, 1);
  await arrived(tell, shops, [item]);
  tell.step("After the yes it is done, and stands on all three", confirmed.text);
}

const firstLine = (text: string) => text.split("\n")[0] ?? "";
