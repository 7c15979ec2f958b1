import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import bcrypt from "bcryptjs";
import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { signToken } from "../../../shared/auth/tokens.ts";
import { loadConfig } from "../../../shared/config/config.ts";
import { banUser } from "../../identity/index.ts";
import { api, standIns, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { endUserSockets, sendToUser } from "../room-client.ts";
import { execute, post, query } from "../testing/people.ts";
import { rounds, shardStub } from "../testing/rounds.ts";
import { connectSocket, inLive, type SocketClient } from "../testing/socket-client.ts";
import { homeOf, userKey } from "./home.ts";

const bearer = ({ token }: { token: string }) => ({
  headers: { authorization: `Bearer ${token}` },
});
const homeName = ({ userId }: TestUser) => homeOf(userKey(userId), loadConfig(env).LIVE_SHARDS);

/** Sockets of a user: one at his home, and one on another shard, as a token in the CONNECT packet may fall anywhere. */
async function twoPlaces(user: TestUser): Promise<[SocketClient, SocketClient]> {
  const home = await connectSocket(bearer(user));
  expect(home.shard).toBe(homeName(user));
  for (;;) {
    const other = await connectSocket({ auth: { token: user.token } });
    if (other.shard !== home.shard) return [home, other];
    other.leave();
  }
}

/** What has reached a user's home about his other sockets. */
async function told(user: TestUser, shards: number): Promise<void> {
  await expect
    .poll(() =>
      runInDurableObject(shardStub(homeName(user)), (_, state) =>
        state.storage.sql
          .exec("select shard from user_shards where user_id = ?", user.userId)
          .toArray(),
      ),
    )
    .toHaveLength(shards);
}

const revoke = ({ sessionId }: TestUser) =>
  execute(sql`update identity_sessions set revoked_at = now() where id = ${sessionId}`);

async function databaseAway(on: boolean): Promise<void> {
  const body = JSON.stringify({ on, mode: "503" });
  await fetch(`${standIns().databaseHttpUrl}/_outage`, { method: "PUT", body });
}
afterEach(() => databaseAway(false));

/** Each was told why, and closed. */
async function areEnded(...sockets: SocketClient[]): Promise<void> {
  const message = "Sesi Anda telah berakhir. Silakan masuk kembali";
  for (const socket of sockets) {
    expect(await socket.hears("error")).toEqual({ code: "bad_token", message });
    await socket.isClosed();
  }
}

describe("a private message", () => {
  it("reaches all sockets of its recipient, on whatever shards, and nobody else", async () => {
    const [ana, budi, eve] = [await createUser(), await createUser(), await createUser()];
    const roomId = unique();
    const [home, away] = await twoPlaces(budi);
    await told(budi, 1);
    const listener = await inLive(roomId, bearer(eve));
    const guest = await inLive(roomId, { userId: budi.userId, name: "Budi" });
    const sender = await inLive(roomId, bearer(ana));
    const sent = await sender.ask("chat:send", {
      ...{ toUserId: budi.userId, fromUserId: eve.userId, message: "rahasia", username: "Eve" },
    });
    expect(sent).toMatchObject({ success: true });
    for (const socket of [home, away]) {
      const got = await socket.hears("chat:receive");
      expect(got).toMatchObject({
        fromUserId: ana.userId,
        toUserId: budi.userId,
        message: "rahasia",
      });
      expect(new Date(got.timestamp).toISOString()).toBe(got.timestamp);
      expect(got.username).toMatch(/^Uji /);
    }
    await sender.ask("live:message", { roomId, message: "selesai" });
    for (const socket of [listener, guest]) {
      await socket.hears("live:new-message");
      expect(socket.heard.filter(({ name }) => name === "chat:receive")).toEqual([]);
    }
  });

  it("that the app sends over both ways is stored and delivered once", async () => {
    const [ana, budi] = [await createUser(), await createUser()];
    const [receiver, sender] = [
      await connectSocket(bearer(budi)),
      await connectSocket(bearer(ana)),
    ];
    const rest = await post("/api/chat/send", ana, { recipientId: budi.userId, content: "halo" });
    expect(rest.status).toBe(200);
    await sender.ask("chat:send", { toUserId: budi.userId, message: "halo" });
    await sender.ask("chat:send", { toUserId: budi.userId, message: "lagi" });
    expect(await receiver.hears("chat:receive")).toMatchObject({ message: "halo" });
    expect(await receiver.hears("chat:receive")).toMatchObject({ message: "lagi" });
    expect(receiver.heard).toEqual([]);
  });

  it("whose writer did not live to tell reaches its recipient with the copy by the other way, on all shards, once", async () => {
    const [ana, budi] = [await createUser(), await createUser()];
    const [home, away] = await twoPlaces(budi);
    await told(budi, 1);
    const sender = await connectSocket(bearer(ana));
    const stored = {
      sender_id: ana.userId,
      recipient_id: budi.userId,
      content: "halo",
      via: "rest",
    };
    await execute(sql`select live_chat_send(${JSON.stringify(stored)}::jsonb)`);
    await sender.ask("chat:send", { toUserId: budi.userId, message: "halo" });
    await sender.ask("chat:send", { toUserId: budi.userId, message: "lagi" });
    for (const socket of [home, away]) {
      expect(await socket.hears("chat:receive")).toMatchObject({ message: "halo" });
      expect(await socket.hears("chat:receive")).toMatchObject({ message: "lagi" });
      expect(socket.heard).toEqual([]);
    }
  });

  it("to nobody is refused to its sender alone", async () => {
    const sender = await connectSocket(bearer(await createUser()));
    const answer = await sender.ask("chat:send", { toUserId: 999_999_999, message: "halo" });
    expect(answer).toMatchObject({ success: false, code: "not_found" });
  });

  it("is not taken from a sign-in that ended", async () => {
    const [ana, budi] = [await createUser(), await createUser()];
    const sender = await connectSocket(bearer(ana));
    await revoke(ana);
    const answer = await sender.ask("chat:send", { toUserId: budi.userId, message: "halo" });
    expect(answer).toMatchObject({ success: false, code: "bad_token" });
  });
});

describe("an event for a user", () => {
  it("finds his sockets after the shards were evicted", async () => {
    const user = await createUser();
    const [home, away] = await twoPlaces(user);
    await told(user, 1);
    await evictDurableObject(shardStub(home.shard));
    await evictDurableObject(shardStub(away.shard));
    await sendToUser(testContext(), user.userId, "uji", { n: 1 });
    expect(await Promise.all([home.hears("uji"), away.hears("uji")])).toEqual([{ n: 1 }, { n: 1 }]);
  });

  it("goes nowhere, quietly, for a user without sockets", async () => {
    await expect(sendToUser(testContext(), 5, "uji", {})).resolves.toBeUndefined();
  });
});

describe("a sign-in that ends while its sockets are open", () => {
  it("closes them everywhere when its end is told, those of another sign-in stay", async () => {
    const user = await createUser();
    const [home, away] = await twoPlaces(user);
    await told(user, 1);
    const { userId, sessionId } = user;
    await endUserSockets(testContext(), { userId, sessionId: crypto.randomUUID() });
    expect([home.closed, away.closed]).toEqual([false, false]);
    await endUserSockets(testContext(), { userId, sessionId });
    await areEnded(home, away);
  });

  it("by a log-out closes its sockets at once, on whatever shards", async () => {
    const user = await createUser();
    const sockets = await twoPlaces(user);
    await told(user, 1);
    expect((await post("/api/auth/logout", user)).status).toBe(200);
    await areEnded(...sockets);
  });

  it("by a change of password closes them at once, and the user's other sign-in is over", async () => {
    const user = await createUser();
    const sockets = await twoPlaces(user);
    await told(user, 1);
    const hash = await bcrypt.hash("sandi-lama-1", 4);
    const [second] = await query(
      sql`with changed as (update identity_users set password_hash = ${hash} where id = ${user.userId})
        insert into identity_sessions (user_id, expires_at) values (${user.userId}, now() + interval '1 day')
        returning id`,
      z.object({ id: z.string() }),
    );
    const { config, now } = testContext();
    const actor = { ...user, sessionId: second?.id ?? "" };
    const token = await signToken(config, { ...actor, phone: null }, now());
    const json = { current_password: "sandi-lama-1", new_password: "sandi-baru-1" };
    const path = "/v1/auth/change-password";
    expect((await api(path, { method: "POST", token, json })).status).toBe(200);
    await areEnded(...sockets);
    await expect(connectSocket(bearer(user))).rejects.toThrow("refused");
    expect((await connectSocket(bearer({ token }))).id).not.toBe("");
  });

  it("by a ban closes them at once, those of another user stay", async () => {
    const [user, other] = [await createUser(), await createUser()];
    const sockets = await twoPlaces(user);
    const stays = await connectSocket(bearer(other));
    await told(user, 1);
    await banUser(testContext(), user.userId, endUserSockets);
    await areEnded(...sockets);
    await sendToUser(testContext(), other.userId, "uji", {});
    await stays.hears("uji");
  });

  it("is found out by the shard's own rounds when nobody told: revoked and banned ones are closed, others not", async () => {
    const [revoked, banned, good] = [await createUser(), await createUser(), await createUser()];
    const sockets = await Promise.all(
      [revoked, banned, good].map((user) => connectSocket(bearer(user))),
    );
    await revoke(revoked);
    await execute(sql`update identity_users set banned_at = now() where id = ${banned.userId}`);
    for (const shard of new Set(sockets.map((socket) => socket.shard))) await rounds(shard);
    await sockets[0]?.isClosed();
    await sockets[1]?.isClosed();
    await sendToUser(testContext(), good.userId, "uji", {});
    await sockets[2]?.hears("uji");
  });

  it("keeps its sockets through a round in which Postgres is away", async () => {
    const user = await createUser();
    const socket = await connectSocket(bearer(user));
    await databaseAway(true);
    await rounds(socket.shard);
    await databaseAway(false);
    await sendToUser(testContext(), user.userId, "uji", {});
    await socket.hears("uji");
  });

  it("by its token's time has no authority from that moment on, and is closed then", async () => {
    const user = await createUser();
    const ctx = testContext();
    const sevenDaysAgo = new Date(Date.now() - 7 * 86_400_000 + 1_500);
    const token = await signToken(ctx.config, { ...user, phone: null }, sevenDaysAgo);
    const socket = await connectSocket({ auth: { token } });
    await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(expiryOf(token));
    await sendToUser(ctx, user.userId, "uji", {});
    expect(await socket.hears("error")).toMatchObject({ code: "bad_token" });
    await socket.isClosed();
    expect(socket.heard.filter(({ name }) => name === "uji")).toEqual([]);
  });
});

const expiryOf = (token: string) => JSON.parse(atob(token.split(".")[1] ?? "")).exp * 1_000;

describe("a user who comes while Postgres is away", () => {
  it("is let in on his token's signature, and is who he is once it is back", async () => {
    const user = await createUser();
    const roomId = unique();
    const watcher = await inLive(roomId);
    await databaseAway(true);
    const socket = await inLive(roomId, bearer(user));
    expect(await watcher.hears("live:user-joined")).toMatchObject({
      ...{ userId: user.userId, username: "Pengguna", verified: true },
    });
    await databaseAway(false);
    await rounds(socket.shard);
    await expect
      .poll(async () => {
        await socket.ask("live:message", { roomId, message: "halo" });
        return (await watcher.hears("live:new-message")).username;
      })
      .toMatch(/^Uji /);
  });

  it("with a sign-in that has ended is closed at the first round after it", async () => {
    const user = await createUser();
    await revoke(user);
    await databaseAway(true);
    const socket = await connectSocket(bearer(user));
    await databaseAway(false);
    await rounds(socket.shard);
    await socket.isClosed();
  });
});

describe("a sign-in that has ended before", () => {
  it("is a connect error", async () => {
    const user = await createUser();
    await revoke(user);
    await expect(connectSocket(bearer(user))).rejects.toMatchObject({
      refusal: { data: { code: "bad_token" } },
    });
  });
});
