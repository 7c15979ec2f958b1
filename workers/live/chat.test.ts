import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { settleBackground, testContext } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { roundTrips } from "../testing/round-trips.ts";
import { sendPrivate } from "./chat.ts";
import { execute, get, post, query, refused, told } from "./testing/people.ts";

const SEND = "/api/chat/send";
const send = (from: TestUser, to: { userId: number }, content: unknown = "Halo") =>
  post(SEND, from, { recipientId: to.userId, content });
const bySocket = (from: TestUser, to: TestUser, content: string, ctx: Ctx = testContext(from)) =>
  sendPrivate(ctx, { toUserId: to.userId, content, via: "socket" });
const talks = async (me: TestUser) => (await get("/api/chat/conversations", me)).body.conversations;
const messages = async (me: TestUser, peer: TestUser, tail = "") =>
  (await get(`/api/chat/messages/${peer.userId}${tail}`, me)).body.messages;

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

describe("POST /api/chat/send", () => {
  it("stores the message and answers it, in one round trip", async () => {
    const [a, b] = [await createUser(), await createUser()];
    const trips = await roundTrips(async () => {
      expect(told(await send(a, b, "  Halo, apa kabar? 🌾 "))).toEqual({
        status: 200,
        body: {
          success: true,
          message: {
            id: expect.any(Number),
            conversationId: b.userId,
            senderId: a.userId,
            content: "Halo, apa kabar? 🌾",
            time: expect.stringMatching(/Z$/),
            created_at: expect.stringMatching(/Z$/),
            fromMe: true,
          },
        },
      });
    });
    expect(trips).toBe(1);
    expect(await stored(a, b)).toEqual(["Halo, apa kabar? 🌾"]);
  });

  it("refuses who is not there, oneself, no text and too much of it", async () => {
    const [a, banned, b] = [await createUser(), await createUser(), await createUser()];
    await execute(sql`update identity_users set banned_at = now() where id = ${banned.userId}`);
    for (const userId of [banned.userId, 1, 2 ** 50]) {
      expect(told(await send(a, { userId }))).toEqual(refused(404, "User not found"));
    }
    expect(told(await send(a, a))).toEqual(refused(400, "You cannot send a message to yourself"));
    for (const content of ["", "   ", null, undefined, 7, {}]) {
      expect(told(await post(SEND, a, { recipientId: b.userId, content }))).toEqual(
        refused(400, "recipientId and content are required"),
      );
    }
    expect(told(await send(a, { userId: "x" as unknown as number }))).toEqual(
      refused(400, "recipientId and content are required"),
    );
    expect(told(await send(a, b, "x".repeat(2_001)))).toEqual(
      refused(400, "Message is too long (at most 2000 characters)"),
    );
    expect((await send(a, b, "\0")).status).toBe(400);
    expect((await send(a, b, "x".repeat(2_000))).status).toBe(200);
    expect(told(await post(SEND, null, { recipientId: b.userId, content: "x" }))).toEqual(
      refused(401, "Token tidak ditemukan"),
    );
    expect(await stored(a, banned)).toEqual([]);
  });
});

describe("a message that the app sends both ways", () => {
  it("is stored and delivered once, whichever way comes first", async () => {
    for (const first of ["rest", "socket"] as const) {
      const [a, b] = [await createUser(), await createUser()];
      const second = first === "rest" ? "socket" : "rest";
      const { ctx, heard } = listening(a);
      const one = await sendPrivate(ctx, { toUserId: b.userId, content: "Halo", via: first });
      const two = await sendPrivate(ctx, { toUserId: b.userId, content: "Halo", via: second });
      await settleBackground();
      expect(two).toEqual(one);
      expect(await stored(a, b)).toEqual(["Halo"]);
      expect(heard).toHaveLength(1);
      expect(heard[0]?.event).toEqual([
        "chat:receive",
        {
          id: one.id,
          toUserId: b.userId,
          fromUserId: a.userId,
          message: "Halo",
          username: expect.stringContaining("Uji"),
          timestamp: one.time,
        },
      ]);
      expect((await talks(b))[0].unread).toBe(1);
    }
  });

  it("is stored once when both ways arrive at the same moment", async () => {
    const [a, b] = [await createUser(), await createUser()];
    for (let i = 0; i < 5; i += 1) {
      await Promise.all([send(a, b, `Pesan ${i}`), bySocket(a, b, `Pesan ${i}`)]);
    }
    expect((await stored(a, b)).toSorted()).toEqual([0, 1, 2, 3, 4].map((i) => `Pesan ${i}`));
  });

  it("is not taken for another: same words said twice, by another, to another, or later", async () => {
    const [a, b, c] = [await createUser(), await createUser(), await createUser()];
    await send(a, b, "ok");
    await send(a, b, "ok");
    await bySocket(a, b, "ok");
    await bySocket(a, b, "ok");
    expect(await stored(a, b)).toEqual(["ok", "ok"]);
    await bySocket(a, b, "ok");
    expect(await stored(a, b)).toEqual(["ok", "ok", "ok"]);
    await bySocket(b, a, "ok");
    await bySocket(a, c, "ok");
    expect([await stored(b, a), await stored(a, c)]).toEqual([["ok"], ["ok"]]);
    await execute(
      sql`update live_private_messages set created_at = created_at - interval '11 seconds' where sender_id = ${b.userId}`,
    );
    await send(b, a, "ok");
    expect(await stored(b, a)).toEqual(["ok", "ok"]);
  });
});

describe("GET /api/chat/conversations", () => {
  it("shows my talks with what is new for me, the latest first, in one round trip", async () => {
    const [me, a, b] = [await createUser(), await createUser(), await createUser()];
    await execute(
      sql`update identity_users set avatar_url = '/uploads/avatars/1/a.jpg' where id = ${a.userId}`,
    );
    await send(a, me, "satu");
    await send(me, b, "dua");
    await send(a, me, "tiga");
    const trips = await roundTrips(async () => {
      expect(told(await get("/api/chat/conversations", me))).toEqual({
        status: 200,
        body: {
          success: true,
          conversations: [
            {
              id: a.userId,
              userId: a.userId,
              name: expect.stringContaining("Uji"),
              avatar: "http://localhost:8787/uploads/avatars/1/a.jpg",
              lastMessage: "tiga",
              time: expect.stringMatching(/Z$/),
              unread: 2,
              isOfficial: false,
            },
            expect.objectContaining({ id: b.userId, lastMessage: "dua", unread: 0 }),
          ],
        },
      });
    });
    expect(trips).toBe(1);
    expect(await talks(b)).toMatchObject([{ id: me.userId, unread: 1 }]);
    const second = await get("/api/chat/conversations?page=2&limit=1", me);
    expect(second.body.conversations).toMatchObject([{ id: b.userId }]);
    expect(await talks(await createUser())).toEqual([]);
  });
});

describe("GET /api/chat/messages/:id", () => {
  it("answers the talk oldest first, from each one's own side, in one round trip", async () => {
    const [a, b] = [await createUser(), await createUser()];
    await send(a, b, "satu");
    await send(b, a, "dua");
    const trips = await roundTrips(async () => {
      const answer = await get(`/api/chat/messages/${b.userId}`, a);
      expect(told(answer)).toEqual({
        status: 200,
        body: {
          success: true,
          messages: [
            expect.objectContaining({ content: "satu", fromMe: true }),
            {
              id: expect.any(Number),
              senderId: b.userId,
              content: "dua",
              time: expect.stringMatching(/Z$/),
              created_at: expect.stringMatching(/Z$/),
              fromMe: false,
              isOfficial: false,
              senderName: expect.stringContaining("Uji"),
              senderAvatar: expect.any(String),
            },
          ],
          ...{ page: 1, limit: 50 },
        },
      });
    });
    expect(trips).toBe(1);
    expect((await messages(b, a)).map((one: { fromMe: boolean }) => one.fromMe)).toEqual([
      false,
      true,
    ]);
  });

  it("counts as read by who looks at the newest page, and by nobody else", async () => {
    const [a, b] = [await createUser(), await createUser()];
    for (const content of ["satu", "dua", "tiga"]) await send(a, b, content);
    await messages(a, b);
    expect(await messages(b, a, "?page=2&limit=2")).toMatchObject([{ content: "satu" }]);
    expect((await talks(b))[0].unread).toBe(3);
    expect(await messages(b, a, "?limit=2")).toMatchObject([
      { content: "dua" },
      { content: "tiga" },
    ]);
    expect((await talks(b))[0].unread).toBe(0);
    await send(a, b, "empat");
    expect((await talks(b))[0].unread).toBe(1);
    expect((await talks(a))[0].unread).toBe(0);
  });

  it("shows a talk to its two people alone: a third who names either finds his own, empty", async () => {
    const [a, b, third] = [await createUser(), await createUser(), await createUser()];
    await send(a, b, "rahasia");
    expect(await messages(third, a)).toEqual([]);
    expect(await messages(third, b)).toEqual([]);
    for (const id of ["official", "0", "-1", "9".repeat(40), String(2 ** 50)]) {
      expect((await get(`/api/chat/messages/${id}`, a)).body).toMatchObject({ messages: [] });
    }
    expect(told(await get(`/api/chat/messages/${b.userId}`))).toEqual(
      refused(401, "Token tidak ditemukan"),
    );
  });

  it("keeps the counts right when both write and read at once", async () => {
    const [a, b] = [await createUser(), await createUser()];
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => {
        if (i % 3 === 0) return messages(b, a);
        return i % 3 === 1 ? send(a, b, `a${i}`) : send(b, a, `b${i}`);
      }),
    );
    const [row] = await query(
      sql`select o.unread, (select count(*)::int from live_private_messages m where m.conversation_id = o.conversation_id
          and m.sender_id = o.peer_id and m.id > o.read_up_to) as newer
        from live_conversation_members o where o.user_id = ${b.userId}`,
      z.object({ unread: z.number(), newer: z.number() }),
    );
    expect(row?.unread).toBe(row?.newer);
    expect([(await stored(a, b)).length, (await stored(b, a)).length]).toEqual([10, 10]);
    await messages(b, a);
    expect((await talks(b))[0].unread).toBe(0);
  });
});
