import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { createShop, run } from "../testing/catalogue.ts";
import { chat } from "./chat.ts";
import { ask, put, script } from "./testing/talk.ts";

const usedBy = async ({ userId }: TestUser) => {
  const query = sql`select tokens::int as tokens from market_assistant_usage where user_id = ${userId}`;
  const [used] = await testContext().db.run(rows(query, z.object({ tokens: z.number() })));
  return used?.tokens ?? 0;
};

describe("trouble on the way", () => {
  it.each([
    ["the connection breaks", { break_after: 4 }],
    ["an error event comes", { error_after: 4 }],
  ])("when %s the reader is told, and the session stays usable", async (_, fault) => {
    const { seller } = await createShop();
    const match = await script([
      { blocks: [{ text: "setengah kalimat yang panjang sekali" }], ...fault },
      { blocks: [{ text: "utuh" }] },
    ]);
    const broken = await ask(seller, match);
    expect(broken.status).toBe(200);
    expect(broken.text).toBe("setengah kal");
    expect(broken.errors).toEqual(["Jawaban terputus. Silakan kirim pesan Anda sekali lagi."]);
    expect(broken.raw.endsWith("data: [DONE]\n\n")).toBe(true);
    const whole = await ask(seller, "ulangi", broken.sessionId);
    expect([whole.status, whole.text, whole.errors]).toEqual([200, "utuh", []]);
  });

  it.each([
    [529, "overloaded_error", "Jawaban terputus"],
    [429, "rate_limit_error", "Asisten sedang ramai"],
    [401, "authentication_error", "Asisten sedang tidak dapat dipakai"],
  ])(
    "a model that answers %i is told in words that name no provider",
    async (status, type, words) => {
      const { seller } = await createShop();
      const error = { error: { status, type, retry_after: 0 } };
      const match = await script([error, error]);
      const { text, errors, raw } = await ask(seller, match);
      expect([text, errors.length]).toEqual(["", 1]);
      expect(errors[0]).toContain(words);
      expect(raw).not.toMatch(/anthropic|script|overloaded/i);
    },
  );

  it("one try that fails is repeated unseen", async () => {
    const { seller } = await createShop();
    const error = { error: { status: 529, type: "overloaded_error", retry_after: 0 } };
    const match = await script([error, { blocks: [{ text: "akhirnya" }] }]);
    expect(await ask(seller, match)).toMatchObject({ text: "akhirnya", errors: [] });
  });

  it("a reader who goes ends the question to the model, and what was said is kept", async () => {
    const { seller } = await createShop();
    const match = await script([
      { blocks: [{ text: "kalimat panjang yang tidak selesai" }], silent_after: 5 },
      { blocks: [{ text: "lanjut" }] },
    ]);
    const ctx = testContext(seller);
    const input = { message: match, sessionId: null, latest: false };
    const { body, sessionId } = await chat(ctx, input);
    const reader = body.getReader();
    await reader.read();
    await reader.read();
    await reader.cancel();
    await settleBackground();
    const { messages } = (await api(`/api/ai/sessions/${sessionId}`, { token: seller.token })).body
      .data;
    expect(messages.map(({ text }: { text: string }) => text)).toEqual([
      match,
      "kalimat panjang yang tid",
    ]);
    expect((await ask(seller, "lanjut", sessionId)).text).toBe("lanjut");
  });

  it.each([
    ["before the first word", { first_ms: 100 }, 0],
    ["after a few words", { silent_after: 5 }, 2],
  ])("a reader who goes %s pays for the longest answer", async (_, pause, reads) => {
    const { seller } = await createShop();
    const match = await script([
      { blocks: [{ text: "kalimat panjang yang tidak selesai" }], ...pause },
    ]);
    const input = { message: match, sessionId: null, latest: false };
    const { body } = await chat(testContext(seller), input);
    const reader = body.getReader();
    for (let n = 0; n < reads; n += 1) await reader.read();
    await reader.cancel();
    await settleBackground();
    expect(await usedBy(seller)).toBeGreaterThan(1_024 + 500);
  });

  it("a model that answers with a status costs nothing", async () => {
    const { seller } = await createShop();
    const error = { error: { status: 529, type: "overloaded_error", retry_after: 0 } };
    await ask(seller, await script([error, error]));
    expect(await usedBy(seller)).toBe(0);
  });

  it("of two messages at once to one session the second is refused", async () => {
    const { seller } = await createShop();
    const match = await script([
      { blocks: [{ text: "awal" }] },
      { blocks: [{ text: "pelan" }], first_ms: 200 },
      { blocks: [{ text: "pelan" }], first_ms: 200 },
    ]);
    const { sessionId } = await ask(seller, match);
    const both = await Promise.all([ask(seller, "satu", sessionId), ask(seller, "dua", sessionId)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it("a turn whose isolate died gives the session free when its time is over", async () => {
    const { seller } = await createShop();
    const { sessionId } = await ask(seller, "halo");
    await run(sql`update market_assistant_sessions set turn_id = ${crypto.randomUUID()},
      turn_until = now() + interval '1 minute' where id = ${sessionId}`);
    expect((await ask(seller, "halo", sessionId)).status).toBe(409);
    await run(sql`update market_assistant_sessions set turn_until = now() where id = ${sessionId}`);
    expect((await ask(seller, "halo", sessionId)).status).toBe(200);
  });
});

it("a dial of the twin reaches a talk by its words", async () => {
  const { seller } = await createShop();
  const match = await script([{ blocks: [{ text: "satu dua tiga empat" }] }]);
  await put("/_dials", { match, errorEvent: { value: "api_error", count: 1 } });
  expect((await ask(seller, match)).errors).toHaveLength(1);
});
