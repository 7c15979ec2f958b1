import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { connectSocket, inLive } from "../testing/socket-client.ts";

const bearer = ({ token }: { token: string }) => ({
  headers: { authorization: `Bearer ${token}` },
});

describe("a live room", () => {
  it("lets guests watch and chat under the name they claim, without an id and unverified", async () => {
    const roomId = unique();
    const host = await inLive(roomId, { name: "Host", userId: 777 });
    const guest = await inLive(roomId, { name: "Budi", userId: 123456 });
    expect(await host.hears("live:user-joined")).toMatchObject({
      ...{ userId: null, username: "Budi", level: 1, verified: false },
    });
    guest.emit("live:message", {
      roomId,
      userId: 777,
      username: "Host",
      message: "halo",
      level: 99,
      vip: 5,
    });
    expect(await host.hears("live:new-message")).toMatchObject({
      ...{ roomId, userId: null, username: "Budi", message: "halo", level: 1, vip: 0 },
      verified: false,
    });
  });

  it("shows a verified user as his own row says, whatever his payload claims", async () => {
    const roomId = unique();
    const user = await createUser();
    const watcher = await inLive(roomId);
    const socket = await inLive(roomId, { ...bearer(user), name: "Palsu", userId: 1 });
    expect(await watcher.hears("live:user-joined")).toMatchObject({
      ...{ userId: user.userId, verified: true, username: expect.stringMatching(/^Uji /) },
    });
    socket.emit("live:message", {
      roomId,
      userId: 1,
      username: "Palsu",
      message: "halo",
      level: 99,
    });
    expect(await watcher.hears("live:new-message")).toMatchObject({
      ...{
        userId: user.userId,
        level: 1,
        verified: true,
        username: expect.stringMatching(/^Uji /),
      },
    });
  });

  it("does not send a message back to the socket that said it, but to the user's other one", async () => {
    const roomId = unique();
    const user = await createUser();
    const [phone, tablet] = [
      await inLive(roomId, bearer(user)),
      await inLive(roomId, bearer(user)),
    ];
    expect(await phone.ask("live:message", { roomId, message: "satu" })).toEqual({ success: true });
    expect(await tablet.hears("live:new-message")).toMatchObject({ message: "satu" });
    await tablet.ask("live:message", { roomId, message: "dua" });
    expect(await phone.hears("live:new-message")).toMatchObject({ message: "dua" });
  });

  it("counts a guest's two tabs and a user's two devices once each, and tells the second tab the number", async () => {
    const roomId = unique();
    const user = await createUser();
    await inLive(roomId, bearer(user));
    await inLive(roomId, bearer(user));
    await inLive(roomId, { name: "Ana", userId: 5 });
    const tab = await inLive(roomId, { name: "Ana", userId: 5 });
    expect(await tab.hears("live:viewer-count")).toEqual({ count: 2 });
    const { body } = await api(`/api/api/live-session/${roomId}/viewers`);
    expect(body.data.map(({ verified }: { verified: boolean }) => verified)).toEqual([true, false]);
  });

  it("takes the host screen's null id and “Loading...”, twice over", async () => {
    const roomId = unique();
    const [one, two] = [
      await inLive(roomId, { name: "Loading...", userId: null }),
      await inLive(roomId, { name: "Loading...", userId: null }),
    ];
    one.emit("live:message", { roomId, userId: null, username: "Loading...", message: "halo" });
    expect(await two.hears("live:new-message")).toMatchObject({
      username: "Loading...",
      userId: null,
    });
  });

  it("tells the others who left, at once for a goodbye and for a closed connection", async () => {
    const roomId = unique();
    const watcher = await inLive(roomId);
    const ana = await inLive(roomId, { name: "Ana", userId: 1 });
    const budi = await inLive(roomId, { name: "Budi", userId: 2 });
    await ana.ask("live:leave", { roomId, userId: 1, username: "Ana" });
    expect(await watcher.hears("live:user-left")).toMatchObject({ username: "Ana" });
    budi.cut();
    expect(await watcher.hears("live:user-left")).toMatchObject({ username: "Budi" });
  });

  it("hears nothing of another room", async () => {
    const [here, there] = [unique(), unique()];
    const [watcher, other, speaker] = [await inLive(here), await inLive(there), await inLive(here)];
    await speaker.ask("live:message", { roomId: here, message: "di sini" });
    await watcher.hears("live:new-message");
    const stranger = await inLive(there);
    await stranger.ask("live:message", { roomId: there, message: "di sana" });
    expect(await other.hears("live:new-message")).toMatchObject({ message: "di sana" });
  });

  it("takes in who speaks in it, as a viewer like any other, up to ten rooms a socket", async () => {
    const rooms = Array.from({ length: 12 }, () => unique());
    const socket = await connectSocket();
    const answers = [];
    for (const roomId of rooms) {
      answers.push(await socket.ask("live:message", { roomId, message: "halo" }));
    }
    const tooMany = { success: false, code: "conflict", message: "Terlalu banyak ruangan" };
    const taken = Array.from({ length: 10 }, () => ({ success: true }));
    expect(answers).toEqual([...taken, tooMany, tooMany]);
    const counts = rooms.map((roomId) => env.ROOM.getByName(`live:${roomId}`).viewerCount());
    expect(await Promise.all(counts)).toEqual([...Array(10).fill(1), 0, 0]);
    const again = await socket.ask("live:message", { roomId: rooms[0], message: "lagi" });
    expect(again).toEqual({ success: true });
  });

  it("keeps the last messages for whoever asks", async () => {
    const roomId = unique();
    const guest = await inLive(roomId, { name: "Budi" });
    for (const message of ["satu", "dua"]) await guest.ask("live:message", { roomId, message });
    const { status, body } = await api(`/api/live-messages/${roomId}`);
    expect(status).toBe(200);
    expect(body.data).toMatchObject([
      { username: "Budi", message: "satu" },
      { username: "Budi", message: "dua" },
    ]);
    const { body: empty } = await api(`/api/live-messages/${unique()}`);
    expect(empty).toEqual({ success: true, data: [] });
  });
});

describe("what no client may do", () => {
  it("is to speak as the server: nobody hears of it", async () => {
    const roomId = unique();
    const watcher = await inLive(roomId);
    const liar = await inLive(roomId, { name: "Liar" });
    await watcher.hears("live:user-joined");
    for (const event of ["live:gift-received", "live:end", "live:ended", "live:viewer-count"]) {
      liar.emit(event, { roomId, count: 9_999, from: { userId: 1 }, gift: { price: 1 } });
    }
    expect(await liar.ask("live:ended", { roomId })).toMatchObject({ success: false });
    expect(await liar.ask("user:join", { username: "Liar" })).toEqual({ success: true });
    await liar.ask("live:message", { roomId, message: "selesai" });
    await watcher.hears("live:new-message");
    expect(watcher.heard).toEqual([]);
    expect(await env.ROOM.getByName(`live:${roomId}`).viewerCount()).toBe(2);
  });

  it.each([
    ["live:gift", { to: { userId: 5 }, gift: { id: "cupid", price: 100 }, count: 1 }],
    ["party:join", { seat: 1 }],
    ["party:message", { message: "halo" }],
    ["chat:send", { toUserId: 5, fromUserId: 6, message: "halo" }],
  ])("%s is refused to a guest, to him alone", async (event, payload) => {
    const roomId = unique();
    const guest = await inLive(roomId, { name: "Ana", userId: 100_001 });
    const refusal = { code: "unauthenticated", message: "Silakan masuk terlebih dahulu" };
    expect(await guest.ask(event, { roomId, ...payload })).toEqual({ success: false, ...refusal });
    expect(await guest.hears("error")).toEqual(refusal);
  });

  it("is to flood: it is told so and what is too much is dropped", async () => {
    const roomId = unique();
    const guest = await inLive(roomId, { name: "Cepat" });
    for (let i = 0; i < 120; i += 1) guest.emit("live:message", { roomId, message: `m${i}` });
    expect(await guest.hears("error")).toMatchObject({ code: "flood" });
    const kept = await env.ROOM.getByName(`live:${roomId}`).messages();
    expect(kept.length).toBeLessThan(100);
  });
});

describe("a connection", () => {
  it("survives malformed payloads, binary in text events and a gift with its whole animation", async () => {
    const roomId = unique();
    const user = await createUser();
    const socket = await inLive(roomId, bearer(user));
    for (const payload of [null, 5, "x", [], { roomId: null }, { roomId: { a: 1 } }]) {
      socket.emit("live:message", payload);
      socket.emit("live:join", payload);
    }
    socket.send('451-["live:message",{"_placeholder":true,"num":0}]');
    socket.send(new Uint8Array([1, 2, 3]).buffer);
    const lottie = { layers: "x".repeat(600_000) };
    const gift = { id: "burger", price: 2999, lottie };
    const answer = await socket.ask("live:gift", {
      roomId,
      to: { userId: user.userId },
      gift,
      count: 1,
    });
    expect(answer).toMatchObject({ success: false, code: "invalid_input" });
    expect(await socket.ask("live:message", { roomId, message: "masih ada" })).toEqual({
      success: true,
    });
  });

  it("that asks for batches gets what the room says as lists of event and payload, its own message left out", async () => {
    const roomId = unique();
    const batched = await inLive(roomId, { auth: { batch: true }, name: "B" });
    const single = await inLive(roomId, { name: "S" });
    expect(await batched.hears("live:batch")).toContainEqual([
      ...["live:user-joined", expect.objectContaining({ username: "S" })],
    ]);
    single.emit("live:message", { roomId, message: "satu" });
    batched.emit("live:message", { roomId, message: "sendiri" });
    await single.ask("live:message", { roomId, message: "dua" });
    const heard: string[] = [];
    while (!heard.includes("dua")) {
      for (const [name, payload] of await batched.hears("live:batch")) {
        if (name === "live:new-message") heard.push(payload.message);
      }
    }
    expect(heard).toEqual(["satu", "dua"]);
    expect(await single.hears("live:new-message")).toMatchObject({ message: "sendiri" });
  });

  it.each(["bukan.token.kita", "eyJhbGciOiJub25lIn0.e30.", "x".repeat(500)])(
    "with the bad token %j is refused",
    async (token) => {
      for (const options of [{ auth: { token } }, { query: { token } }, bearer({ token })]) {
        await expect(connectSocket(options)).rejects.toMatchObject({
          refusal: { message: "Token tidak valid", data: { code: "bad_token" } },
        });
      }
    },
  );

  it("names its user by a token in the packet, the header or the address alike", async () => {
    const user = await createUser();
    const { token } = user;
    for (const options of [{ auth: { token } }, { query: { token } }, bearer(user)]) {
      const roomId = unique();
      await inLive(roomId, options);
      const viewers = await env.ROOM.getByName(`live:${roomId}`).viewers();
      expect(viewers).toMatchObject([{ id: user.userId, verified: true }]);
    }
  });
});

describe("a party room", () => {
  it("is for verified users: they sit, talk to all including themselves, and leave", async () => {
    const roomId = unique();
    const [ana, budi] = [
      await connectSocket(bearer(await createUser())),
      await connectSocket(bearer(await createUser())),
    ];
    expect(await ana.ask("party:join", { roomId, seat: 1 })).toMatchObject({ success: true });
    expect(await budi.ask("party:join", { roomId, seat: 1 })).toMatchObject({ code: "conflict" });
    expect(await budi.ask("party:message", { roomId, message: "?" })).toMatchObject({
      code: "forbidden",
    });
    expect(await budi.ask("party:join", { roomId, seat: 2 })).toMatchObject({ success: true });
    expect(await ana.hears("party:user-joined")).toMatchObject({ seat: 1 });
    expect(await ana.hears("party:user-joined")).toMatchObject({ seat: 2, verified: true });
    budi.emit("party:message", { roomId, message: "halo" });
    for (const socket of [ana, budi]) {
      expect(await socket.hears("party:new-message")).toMatchObject({ message: "halo" });
    }
    budi.cut();
    expect(await ana.hears("party:user-left")).toMatchObject({ seat: 2 });
  });
});
