import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { createShop, failure, run } from "../testing/catalogue.ts";
import { type Said, trimmed } from "./history.ts";
import { ask, script } from "./testing/talk.ts";

const get = (user: TestUser, path: string) => api(path, { token: user.token });

describe("sessions", () => {
  it("are listed, read and forgotten by their user alone", async () => {
    const { seller } = await createShop();
    const stranger = await createUser(["seller"]);
    const match = await script([{ blocks: [{ text: "Baik." }] }]);
    const { sessionId } = await ask(seller, `${match} tolong\nbantu`);
    const list = await get(seller, "/api/ai/sessions");
    expect(list.body.data).toMatchObject([
      { id: sessionId, title: `${match} tolong bantu`, messages: 2 },
    ]);
    expect(list.body.meta).toEqual({ page: 1, limit: 20, total: 1 });
    const path = `/api/ai/sessions/${sessionId}`;
    expect((await get(seller, path)).body.data.messages).toMatchObject([
      { role: "user", text: `${match} tolong\nbantu` },
      { role: "assistant", text: "Baik." },
    ]);
    expect((await get(stranger, "/api/ai/sessions")).body.data).toEqual([]);
    const missing = [404, failure("Sesi tidak ditemukan", {})];
    for (const wanted of [path, "/api/ai/sessions/x", `/api/ai/sessions/${crypto.randomUUID()}`]) {
      for (const method of ["GET", "DELETE"]) {
        const { status, body } = await api(wanted, { method, token: stranger.token });
        expect([status, body]).toEqual(missing);
      }
    }
    const deleted = await api(path, { method: "DELETE", token: seller.token });
    expect([deleted.status, deleted.body.data]).toEqual([200, { id: sessionId }]);
    expect((await get(seller, path)).status).toBe(404);
    expect((await ask(seller, "halo", sessionId)).status).toBe(404);
  });

  it("of the dashboard's own form go on where the last one stood", async () => {
    const { seller } = await createShop();
    const { sessionId } = await ask(seller, "halo");
    const messages = ["halo", "lagi"].map((content) => ({ role: "user", content }));
    const answer = await api("/api/ai/chat", {
      method: "POST",
      token: seller.token,
      json: { messages },
    });
    expect(answer.headers.get("x-session-id")).toBe(sessionId);
  });
});

describe("the day's share", () => {
  const Usage = z.object({ turns: z.number(), tokens: z.number(), cost: z.number() });
  const used = async (user: TestUser) =>
    (
      await testContext().db.run(
        rows(
          sql`select turns, tokens::float8 as tokens, cost_micro_usd::float8 as cost
            from market_assistant_usage where user_id = ${user.userId}`,
          Usage,
        ),
      )
    )[0];
  const spend = (user: TestUser, tokens: number, cost: number) =>
    run(sql`insert into market_assistant_usage (user_id, day, tokens, cost_micro_usd)
      values (${user.userId}, (now() at time zone 'Asia/Jakarta')::date, ${tokens}, ${cost})`);

  it("counts what was really used once the answer is there", async () => {
    const { seller } = await createShop();
    await ask(seller, await script([{ blocks: [{ text: "Baik." }] }]));
    const usage = await used(seller);
    expect(usage?.turns).toBe(1);
    expect(usage?.tokens).toBeGreaterThan(500);
    expect(usage?.tokens).toBeLessThan(16_000);
    // Even what is read from the cache costs a tenth of three dollars for a million.
    expect(usage?.cost).toBeGreaterThanOrEqual((usage?.tokens ?? 0) * 0.3);
  });

  it("counts an answer that broke off too", async () => {
    const { seller } = await createShop();
    await ask(seller, await script([{ blocks: [{ text: "setengah kalimat" }], error_after: 4 }]));
    expect((await used(seller))?.tokens).toBeGreaterThan(500);
  });

  it.each([
    ["tokens", 390_000, 0],
    ["money", 0, 990_000],
  ])(
    "that is used up in %s is answered 429 with the time until tomorrow, before a model is asked",
    async (_, tokens, cost) => {
      const { seller } = await createShop();
      await spend(seller, tokens, cost);
      const { status, body, headers } = await api("/api/ai/chat", {
        method: "POST",
        token: seller.token,
        json: { message: "halo" },
      });
      expect([status, body]).toEqual([
        429,
        failure("Batas pemakaian asisten hari ini sudah habis. Coba lagi besok.", {
          retry_after: expect.any(Number),
        }),
      ]);
      const seconds = Number(headers.get("retry-after"));
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(86_400);
      expect(await used(seller)).toEqual({ turns: 0, tokens, cost });
    },
  );

  it("is claimed before the model is asked, so that many at once do not exceed it", async () => {
    const { seller } = await createShop();
    await spend(seller, 300_000, 0);
    const match = await script([{ blocks: [{ text: "ya" }], first_ms: 300 }], { loop: true });
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(seller, match)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 429, 429, 429]);
    expect((await used(seller))?.tokens).toBeLessThan(320_000);
  });

  it("that does not reach for a talk's next step ends the talk in words", async () => {
    const { seller } = await createShop();
    await spend(seller, 400_000 - 16_500, 0);
    const call = { tool: "get_order_summary", input: { days: 1 } };
    const long = { blocks: [{ text: "x".repeat(4_000) }, call] };
    const match = await script([long], { loop: true });
    const { errors } = await ask(seller, match);
    expect(errors).toEqual([
      expect.stringContaining("Batas pemakaian asisten untuk percakapan ini"),
    ]);
    expect((await used(seller))?.tokens).toBeLessThanOrEqual(400_000);
  });

  it("is not touched by a yes to a proposal", async () => {
    const admin = await createUser(["admin"]);
    const { store } = await createShop();
    const call = { tool: "feature_store", input: { store_id: store.id, featured: true } };
    const { sessionId } = await ask(
      admin,
      await script([{ blocks: [call] }, { blocks: [{ text: "a" }] }]),
    );
    const before = await used(admin);
    expect((await ask(admin, "ya", sessionId)).text).toContain("✅");
    expect(await used(admin)).toEqual(before);
  });
});

describe("a long talk", () => {
  const text = (role: "user" | "assistant", words: string): Said => ({
    message: { role, content: [{ type: "text", text: words }] },
    fromOutside: false,
  });
  const call: Said = {
    message: { role: "assistant", content: [{ type: "tool_use", id: "t", name: "x", input: {} }] },
    fromOutside: false,
  };
  const result: Said = {
    message: {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: "t", content: "y".repeat(50) }],
    },
    fromOutside: true,
  };

  it("is cut where its user speaks, never between a call and its result", () => {
    const talk = [
      text("user", "a"),
      call,
      result,
      text("assistant", "b"),
      text("user", "c"),
      text("assistant", "d"),
    ];
    for (let most = 0; most < 600; most += 10) {
      const [first] = trimmed(talk, most);
      if (first) expect([talk[0], talk[4]]).toContain(first);
    }
    expect(trimmed(talk, 10_000)).toEqual(talk);
    expect(trimmed(talk, 90)).toEqual(talk.slice(4));
    expect(trimmed(talk, 0)).toEqual([]);
  });

  it("that was cut no longer counts what was read before the cut", () => {
    const talk = [
      text("user", "a"),
      call,
      result,
      text("assistant", "b"),
      text("user", "c"),
      text("assistant", "d"),
    ];
    expect(trimmed(talk, 90).some(({ fromOutside }) => fromOutside)).toBe(false);
  });
});
