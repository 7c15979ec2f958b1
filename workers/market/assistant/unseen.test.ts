import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { createProduct } from "../../testing/factories.ts";
import { createShop, run } from "../testing/catalogue.ts";
import { chat } from "./chat.ts";
import { ask, rowOf, script } from "./testing/talk.ts";

async function proposed(second: Record<string, unknown>) {
  const { seller, store } = await createShop();
  const product = await createProduct(store, { price: 50_000 });
  const match = await script([
    { blocks: [{ tool: "delete_product", input: { product_id: product.id } }] },
    { blocks: [{ text: "Menunggu Anda, sebentar ya." }], ...second },
    { blocks: [{ text: "Lain." }] },
  ]);
  const input = { message: match, sessionId: null, latest: false };
  const { body, sessionId } = await chat(testContext(seller), input);
  const isThere = async () => (await rowOf("market_products", product.id)).deleted_at === null;
  return { seller, body, sessionId, isThere };
}

describe("a proposal that its user never saw", () => {
  it("because he had gone is not what he says yes to", async () => {
    const { seller, body, sessionId, isThere } = await proposed({ silent_after: 5 });
    const reader = body.getReader();
    await reader.read();
    await reader.cancel();
    await settleBackground();
    await ask(seller, "lanjut", sessionId);
    expect(await isThere()).toBe(true);
  });

  it("because he had gone while the model was silent is not what he says yes to", async () => {
    const { seller, body, sessionId, isThere } = await proposed({ break_after: 2 });
    const reader = body.getReader();
    // The runtime learns that nobody is there when it writes what it has waited for.
    await reader.read().then(() => reader.cancel());
    await settleBackground();
    const talk = await api(`/api/ai/sessions/${sessionId}`, { token: seller.token });
    expect(talk.body.data.messages.at(-1).text).toContain("tidak dilakukan");
    await ask(seller, "lanjut", sessionId);
    expect(await isThere()).toBe(true);
  });

  it("because the isolate died is not what he says yes to", async () => {
    const { seller, body, sessionId, isThere } = await proposed({ silent_after: 5 });
    const reader = body.getReader();
    await reader.read();
    // dies here: nothing is said or stored any more
    await run(sql`update market_assistant_sessions set turn_until = now() where id = ${sessionId}`);
    await ask(seller, "lanjut", sessionId);
    expect(await isThere()).toBe(true);
    await reader.cancel();
    await settleBackground();
  });
});
