import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { settleBackground, testContext } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { sendPrivate } from "./chat.ts";
import { decide } from "./sockets/events.ts";
import { execute, post, query, refused, told } from "./testing/people.ts";

const byRest = (from: TestUser, to: TestUser, content: string) =>
  post("/api/chat/send", from, { recipientId: to.userId, content });
const bySocket = (from: TestUser, to: TestUser, content: string) =>
  sendPrivate(testContext(from), { toUserId: to.userId, content, via: "socket" });

async function stored(from: TestUser, to: TestUser): Promise<string[]> {
  const found = await query(
    sql`select m.content from live_private_messages m join live_conversations c on c.id = m.conversation_id
      where m.sender_id = ${from.userId} and ${to.userId} in (c.low_user_id, c.high_user_id) order by m.id`,
    z.object({ content: z.string() }),
  );
  return found.map(({ content }) => content);
}

/** A context whose sockets note what is sent to whom; what is told again is known by its number. */
function listening(actor: TestUser) {
  const heard: { name: string; event: unknown }[] = [];
  const known = new Set<string>();
  const ctx = testContext(actor);
  const sockets = {
    ...ctx.sockets,
    getByName: (name: string) => ({
      forwardToUser: async (_: number, { body }: { body: string }, id: string) => {
        if (!known.has(id)) heard.push({ name, event: JSON.parse(body) });
        known.add(id);
      },
    }),
  };
  return { heard, ctx: { ...ctx, sockets: sockets as unknown as Ctx["sockets"] } };
}

describe("a message that the app sends both ways", () => {
  it("is the same one when it has line breaks, marks of direction or half characters", async () => {
    for (const [typed, kept] of [
      ["rahasia\nbaris dua", "rahasia\nbaris dua"],
      ["satu\r\n\r\ntiga \rempat\n", "satu\n\ntiga\nempat"],
      ["kiri \u200e kanan\r\n", "kiri   kanan"],
      ["\ta\u0000\u202eb", "a b"],
      ["a\ud800b", "a\ufffdb"],
    ] as const) {
      for (const first of ["rest", "socket"] as const) {
        const [a, b] = [await createUser(), await createUser()];
        const { ctx, heard } = listening(a);
        // What the socket hands on has been cleaned by its reader.
        const action = decide(
          "chat:send",
          { toUserId: b.userId, message: typed },
          { isVerified: true, guestChat: true },
        );
        if (action.kind !== "private") throw new Error("not taken for a message");
        const ways = [
          { content: typed, via: "rest" },
          { content: action.text, via: "socket" },
        ] as const;
        const inOrder = first === "rest" ? ways : ways.toReversed();
        for (const way of inOrder) await sendPrivate(ctx, { toUserId: b.userId, ...way });
        await settleBackground();
        expect(await stored(a, b)).toEqual([kept]);
        expect(heard).toHaveLength(1);
      }
    }
  });

  /** He writes the same text twice, each by one way and so long apart; nobody remembers what was told. */
  async function apart(ways: readonly ["rest" | "socket", "rest" | "socket"], seconds: number) {
    const [a, b] = [await createUser(), await createUser()];
    const listeners = [listening(a), listening(a)] as const;
    for (const [i, via] of ways.entries()) {
      const { ctx } = listeners[i as 0 | 1];
      await sendPrivate(ctx, { toUserId: b.userId, content: "ok", via });
      const back = sql`created_at - make_interval(secs => ${seconds})`;
      if (i === 0)
        await execute(
          sql`update live_private_messages set created_at = ${back} where sender_id = ${a.userId}`,
        );
    }
    await settleBackground();
    return { kept: await stored(a, b), told: listeners.map(({ heard }) => heard.length) };
  }

  it("is the same one when the client kept it until it had a connection again, and is not told twice", async () => {
    const once = { kept: ["ok"], told: [1, 0] };
    expect(await apart(["rest", "socket"], 100)).toEqual(once);
    expect(await apart(["socket", "rest"], 5)).toMatchObject({ kept: ["ok"] });
  });

  it("is another one when its request comes long after an event: no client keeps a request", async () => {
    expect(await apart(["socket", "rest"], 11)).toEqual({ kept: ["ok", "ok"], told: [1, 1] });
  });

  it("is the same one however much the two wrote meanwhile", async () => {
    const [a, b] = [await createUser(), await createUser()];
    const texts = Array.from({ length: 30 }, (_, i) => `pesan ${i}`);
    for (const text of texts) {
      await byRest(a, b, text);
      await byRest(b, a, text);
    }
    for (const text of texts) await bySocket(a, b, text);
    expect(await stored(a, b)).toEqual(texts);
  });

  it("is refused by either way when it is too long, counted alike", async () => {
    const [a, b] = [await createUser(), await createUser()];
    const refusal = refused(400, "Message is too long (at most 2000 characters)");
    for (const long of ["x".repeat(2_001), "😀".repeat(2_001)]) {
      expect(told(await byRest(a, b, long))).toEqual(refusal);
      await expect(bySocket(a, b, long)).rejects.toMatchObject({ code: "invalid_input" });
    }
    const most = `\u200e${"😀".repeat(2_000)}\n`;
    expect((await byRest(a, b, most)).status).toBe(200);
    await bySocket(a, b, most);
    expect(await stored(a, b)).toEqual(["😀".repeat(2_000)]);
  });
});
