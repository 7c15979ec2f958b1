import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { standIns } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { createGiver } from "../test-gifts.ts";
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
