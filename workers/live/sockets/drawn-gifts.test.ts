import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { api, standIns } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { coinsOf, createGiver } from "../test-gifts.ts";
import { post } from "../testing/people.ts";
import { roomStub } from "../testing/rounds.ts";
import { connectSocket, inLive } from "../testing/socket-client.ts";

const bearer = ({ token }: { token: string }) => ({
  headers: { authorization: `Bearer ${token}` },
});

async function databaseAway(on: boolean): Promise<void> {
  const body = JSON.stringify({ on, mode: "503" });
  await fetch(`${standIns().databaseHttpUrl}/_outage`, { method: "PUT", body });
}
afterEach(() => databaseAway(false));

/** A cupid with what its app draws. */
const drawn = (roomId: string, host: TestUser, gift: object) => ({
  ...{ roomId, to: { userId: host.userId }, count: 3 },
  gift: { id: "cupid", price: 100, ...gift },
});

const LARGE = { v: "5.7.4", layers: [{ nm: "x".repeat(600_000) }] };

/** Host and giver in one room. */
async function scene() {
  const roomId = unique();
  const [host, giver] = [await createUser(), await createGiver(1_000)];
  const hostSocket = await inLive(roomId, bearer(host));
  const socket = await inLive(roomId, bearer(giver));
  return { roomId, host, hostSocket, socket };
}

describe("a gift over the socket", () => {
  it("is shown with what its sender's app draws, up to its largest, to single and batched sockets", async () => {
    const { roomId, host, hostSocket, socket } = await scene();
    const batched = await inLive(roomId, { auth: { batch: true } });
    const gift = { lottie: LARGE, src: "cupid.json", hostIncome: 5_000 };
    socket.emit("live:gift", drawn(roomId, host, gift));
    const shown = await hostSocket.hears("live:gift-received");
    expect(shown.gift).toMatchObject({ ...gift, hostIncome: 30, count: 3, name: "Carousel" });
    const heard: unknown[] = [];
    while (heard.length === 0) {
      const events: [string, unknown][] = await batched.hears("live:batch");
      heard.push(...events.filter(([name]) => name === "live:gift-received"));
    }
    expect(heard).toEqual([["live:gift-received", shown]]);
  });

  it("is shown to who comes back, without its large drawing", async () => {
    const { roomId, host, hostSocket, socket } = await scene();
    await socket.ask("live:message", { roomId, message: "sebelum" });
    await hostSocket.hears("live:new-message");
    const { pid, offset } = hostSocket;
    hostSocket.cut();
    await socket.ask("live:gift", drawn(roomId, host, { lottie: LARGE, src: 7 }));
    expect((await socket.hears("live:gift-received")).gift).toMatchObject({ lottie: LARGE });
    const back = await connectSocket({ ...bearer(host), auth: { pid, offset } });
    const { gift: missed } = await back.hears("live:gift-received");
    expect(missed).toMatchObject({ id: "cupid", name: "Carousel", hostIncome: 30, count: 3 });
    expect(missed).not.toHaveProperty("lottie");
  });

  it("is shown without its drawing where its room forgot that while Postgres was away", async () => {
    const { roomId, host, hostSocket, socket } = await scene();
    await databaseAway(true);
    const answer = socket.ask("live:gift", drawn(roomId, host, { src: 7 }));
    await socket.ask("live:message", { roomId, message: "sesudah" });
    await evictDurableObject(roomStub(roomId));
    await databaseAway(false);
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await answer).toMatchObject({ success: true });
    const { gift } = await hostSocket.hears("live:gift-received");
    expect(gift).toMatchObject({ id: "cupid", hostIncome: 30 });
    expect(gift).not.toHaveProperty("src");
  });

  it("that is refused is not drawn either, nor is the next under its key with that drawing", async () => {
    const { roomId, host, hostSocket, socket } = await scene();
    const key = unique("k");
    const dear = { ...drawn(roomId, host, { src: 1 }), key, count: 99 };
    expect(await socket.ask("live:gift", dear)).toMatchObject({ code: "insufficient_balance" });
    const next = { ...drawn(roomId, host, { src: 2 }), key };
    expect(await socket.ask("live:gift", next)).toMatchObject({ success: true });
    expect((await hostSocket.hears("live:gift-received")).gift).toMatchObject({ src: 2, count: 3 });
  });
});

describe("the shipped app, whose socket has no token and which gives over REST", () => {
  const address = "203.0.113.77";

  /** A live with a viewer, and a giver whose app joins as it does. */
  async function live() {
    const roomId = unique();
    const [host, giver] = [await createUser(), await createGiver(1_000)];
    const hostSocket = await inLive(roomId, bearer(host));
    await post("/api/live-session/start", host, { hostId: host.userId, roomId });
    const claim = { name: "Pemberi", userId: giver.userId };
    const app = await inLive(roomId, { address, ...claim });
    const give = (from = address) =>
      api("/api/gifts/send", {
        ...{ method: "POST", token: giver.token, address: from },
        json: { receiverId: host.userId, giftId: "cupid", coinValue: 100, quantity: 3 },
      });
    return { roomId, host, giver, hostSocket, app, give };
  }

  it("is seen to give what it draws, in our own figures, and its number is believed nothing else", async () => {
    const { roomId, host, giver, hostSocket, app, give } = await live();
    expect((await give()).status).toBe(200);
    const gift = { lottie: LARGE, hostIncome: 1_000_000, price: 1, name: "Palsu" };
    const payload = { ...drawn(roomId, host, gift), from: { userId: 1 }, count: 99 };
    // The gift is told to its room beside the answer.
    await expect.poll(() => app.ask("live:gift", payload)).toEqual({ success: true });
    const shown = await hostSocket.hears("live:gift-received");
    expect(shown).toMatchObject({ from: { userId: giver.userId }, count: 3 });
    expect(shown.gift).toMatchObject({ lottie: LARGE, hostIncome: 30, price: 100 });
    expect(shown.gift.name).toBe("Carousel");
    expect(shown).not.toHaveProperty("address");
    expect(await app.ask("live:gift", payload)).toMatchObject({ code: "unauthenticated" });
    expect(await coinsOf(giver.userId)).toBe(700);
  });

  it("is refused a gift that was not given, whatever it claims", async () => {
    const { roomId, host, giver, hostSocket, app } = await live();
    const answer = await app.ask("live:gift", drawn(roomId, host, { src: 7 }));
    expect(answer).toMatchObject({ success: false, code: "unauthenticated" });
    await app.ask("live:message", { roomId, message: "sesudah" });
    await hostSocket.hears("live:new-message");
    expect(hostSocket.heard.filter(({ name }) => /gift/.test(name))).toEqual([]);
    expect(await coinsOf(giver.userId)).toBe(1_000);
  });

  it("does not hold up a gift that was given from elsewhere", async () => {
    const { hostSocket, give } = await live();
    expect((await give("198.51.100.9")).status).toBe(200);
    const { gift } = await hostSocket.hears("live:gift-received");
    expect(gift).not.toHaveProperty("lottie");
  });
});
