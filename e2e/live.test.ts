import { io, type Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { killRuntime } from "./faults/runtime.ts";
import { eventually, type Platform, startPlatform } from "./platform.ts";

/** The stock Socket.IO client against the production bundle, as the app uses it. */
let platform: Platform;
const sockets: Socket[] = [];

beforeAll(async () => {
  platform = await startPlatform();
}, 240_000);

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect();
});

afterAll(async () => {
  await platform?.stop();
});

/** The app's own options (contract §3.1), but for the time it waits before it tries again. */
function open(options: Parameters<typeof io>[1] = {}): Socket {
  const socket = io(`http://127.0.0.1:${platform.port}`, {
    transports: ["websocket"],
    reconnection: true,
    reconnectionDelay: 200,
    forceNew: true,
    ...options,
  });
  sockets.push(socket);
  return socket;
}

interface Watcher {
  socket: Socket;
  messages: string[];
}

/** As the app does: says who it is at every connect, and joins once. */
async function watch(
  roomId: string,
  name: string,
  options: Parameters<typeof open>[0] = {},
): Promise<Watcher> {
  const socket = open(options);
  const claim = { userId: 200_000 + sockets.length, username: name };
  const messages: string[] = [];
  socket.on("connect", () => socket.emit("user:join", claim));
  socket.on("live:new-message", ({ message }: { message: string }) => messages.push(message));
  await new Promise<void>((done, fail) => {
    socket.once("connect", done);
    socket.once("connect_error", fail);
  });
  const joined = await socket.timeout(10_000).emitWithAck("live:join", { roomId, ...claim });
  expect(joined).toMatchObject({ success: true });
  return { socket, messages };
}

let phones = 0;

async function signUp(): Promise<{ token: string; userId: number }> {
  phones += 1;
  const json = { phone: `0812${String(Date.now()).slice(-6)}${phones}`, password: "rahasia-123" };
  const send = async (path: string) => {
    const response = await fetch(`${platform.app}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(json),
    });
    return (await response.json()) as { token: string; user: { id: number } };
  };
  await send("/api/register");
  const { token, user } = await send("/api/login");
  return { token, userId: user.id };
}

async function giveCoins(userId: number, amount: number): Promise<void> {
  const line = {
    ...{ reference: `uji/${userId}`, debit_kind: "gateway", debit_owner: "coins", amount },
    ...{ credit_kind: "wallet", credit_owner: String(userId), reason: "uji", currency: "COIN" },
  };
  await platform.sql("select ledger_post($1)", [JSON.stringify([line])]);
}

const says = (socket: Socket, roomId: string, message: string) =>
  socket.timeout(10_000).emitWithAck("live:message", { roomId, message });

function tellOnFailure(): void {
  onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
}

describe("a stock client", () => {
  test.each([
    ["websocket", ["websocket"]],
    ["polling", ["polling"]],
    ["polling that upgrades", ["polling", "websocket"]],
  ])("over %s joins, chats and hears the others", async (name, transports) => {
    tellOnFailure();
    const roomId = `ruang-${name}`;
    const host = await watch(roomId, "Host");
    const guest = await watch(roomId, "Tamu", { transports });
    expect(await says(guest.socket, roomId, "halo")).toEqual({ success: true });
    await eventually("the host hears the guest", async () => host.messages.includes("halo"));
    await says(host.socket, roomId, "selamat datang");
    await eventually("the guest hears the host", async () =>
      guest.messages.includes("selamat datang"),
    );
    expect(guest.messages).not.toContain("halo");
  });

  test("that connects again by itself is back in its room without asking", async () => {
    tellOnFailure();
    const roomId = "ruang-kembali";
    const host = await watch(roomId, "Host");
    const guest = await watch(roomId, "Tamu");
    const back = new Promise<void>((done) => guest.socket.once("connect", done));
    guest.socket.io.engine.close();
    await back;
    await eventually("the guest hears the room again", async () => {
      await says(host.socket, roomId, "masih di sini?");
      return guest.messages.length > 0;
    });
  });
});

describe("the Worker's process killed and the database away in the middle of a room", () => {
  const ROOM = "ruang-rapuh";
  const VIEWERS = 60;
  const GIVERS = 4;
  const GIFTS = 40;

  test("loses no gift, doubles none, and all clients are back in the room by themselves", async () => {
    tellOnFailure();
    const host = await signUp();
    const givers = await Promise.all(Array.from({ length: GIVERS }, signUp));
    for (const { userId } of givers) await giveCoins(userId, GIFTS * 100);
    const crowd = await Promise.all(
      Array.from({ length: VIEWERS }, (_, i) => watch(ROOM, `Penonton ${i}`)),
    );
    const senders = await Promise.all(
      givers.map(({ token }) => watch(ROOM, "Pemberi", { auth: { token } })),
    );
    const giving = Promise.all(
      senders.map(({ socket }) => giveStubbornly(socket, host.userId, GIFTS)),
    );
    const { endpoint } = platform.database;
    await killRuntime(platform);
    endpoint.setOutage({ on: true, mode: "503" });
    const refused = endpoint.counts().refused;
    await eventually("a gift was tried in vain", async () => endpoint.counts().refused > refused);
    await killRuntime(platform);
    endpoint.setOutage({ on: false });
    const tries = (await giving).flat();
    expect(tries.some((times) => times > 1)).toBe(true);

    const [books] = await platform.sql<{ gifts: number; keys: number; left: number }>(
      `select count(*)::int as gifts, count(distinct (sender_id, key))::int as keys,
        (select coalesce(sum(balance), 0)::int from ledger_accounts
          where kind = 'wallet' and currency = 'COIN' and owner_id = any($2)) as left
        from live_gifts where receiver_id = $1`,
      [host.userId, givers.map(({ userId }) => String(userId))],
    );
    expect(books).toEqual({ gifts: GIVERS * GIFTS, keys: GIVERS * GIFTS, left: 0 });
    const speaker = await watch(ROOM, "Pembicara");
    await eventually("everybody hears the room again", async () => {
      await says(speaker.socket, ROOM, "semua kembali?");
      return crowd.every(({ messages }) => messages.includes("semua kembali?"));
    });
  }, 180_000);

  /**
   * Gives until each gift is answered, under a key of its own, as an app that loses its network would; answers how often
   * each was tried.
   */
  async function giveStubbornly(socket: Socket, hostId: number, gifts: number): Promise<number[]> {
    const tries: number[] = [];
    for (let n = 0; n < gifts; n += 1) {
      const gift = { roomId: ROOM, to: { userId: hostId }, gift: { id: "cupid" }, count: 1 };
      let times = 0;
      const given = async () => {
        times += 1;
        const asked = socket.timeout(2_000).emitWithAck("live:gift", { ...gift, key: `g${n}` });
        const answer: { success: boolean } | null = await asked.catch(() => null);
        return answer?.success === true;
      };
      await eventually(`gift ${n}`, given, 90_000);
      tries.push(times);
    }
    return tries;
  }
});
