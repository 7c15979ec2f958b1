import { LiveSocket } from "../live-socket.ts";
import { eventually, type Platform } from "../platform.ts";
import { killRuntime } from "./runtime.ts";

export interface RoomOptions {
  viewers: number;
  givers: number;
  /** How long the database is away. */
  lastsMs: number;
}

export interface RoomReport {
  viewers: number;
  gifts: number;
  /** Gifts that were given only at a second try or later, under their key. */
  triedAgain: number;
  refusedCalls: number;
  /** From the database's return until every socket heard the room again. */
  backAfterMs: number;
  /** Of what all viewers should have seen of the gifts, what they missed while they were away. */
  unseenPercent: number;
}

export interface Giver {
  userId: number;
  socket: LiveSocket;
  /** How often each gift was tried; the n-th gift is n pieces, which tells them apart. */
  tries: number[];
}

const PRICE = 100;
const PURSE = 60_000_000;
const PAUSE_MS = 800;
const GIFT_PATIENCE_MS = 3_000;
const CALM_MS = 3_000;
const BACK_MS = 120_000;

/**
 * A room full of viewers, some of whom give without a pause; the Worker's process is killed (all objects are evicted, as
 * a deploy does), the database goes away, and the process is killed once more meanwhile. Throws unless every gift that
 * was given is in the books once, was seen at most once by everybody, and all sockets are back by themselves.
 */
export async function roomBreaks(
  platform: Platform,
  { viewers, givers, lastsMs }: RoomOptions,
): Promise<RoomReport> {
  const roomId = `rapuh-${viewers}-${Date.now()}`;
  const host = await signUp(platform);
  const crowd = await gather(platform, roomId, viewers);
  const people = await Promise.all(
    Array.from({ length: givers }, () => openGiver(platform, roomId)),
  );
  try {
    const giving = { isOver: false };
    const work = Promise.all(people.map((giver) => give(giver, roomId, host.userId, giving)));
    await pause(CALM_MS);
    await killRuntime(platform);
    await pause(CALM_MS);
    const { endpoint } = platform.database;
    const refused = endpoint.counts().refused;
    endpoint.setOutage({ on: true, mode: "503" });
    try {
      const back = Date.now() + lastsMs;
      await eventually("a gift in vain", async () => endpoint.counts().refused > refused);
      await killRuntime(platform);
      await pause(Math.max(0, back - Date.now()));
    } finally {
      endpoint.setOutage({ on: false });
    }
    const backAt = Date.now();
    await hearAgain(platform, roomId, [...crowd, ...people]);
    const backAfterMs = Date.now() - backAt;
    await pause(CALM_MS);
    giving.isOver = true;
    await work;
    const refusedCalls = endpoint.counts().refused - refused;
    await booksAreRight(platform, host.userId, people);
    const unseenPercent = seenOnce(crowd, people);
    const tries = people.flatMap((giver) => giver.tries);
    const triedAgain = tries.filter((times) => times > 1).length;
    return { viewers, gifts: tries.length, triedAgain, refusedCalls, backAfterMs, unseenPercent };
  } finally {
    for (const { socket } of [...crowd, ...people]) socket.close();
  }
}

export interface Viewer {
  socket: LiveSocket;
  heard: Set<string>;
  /** How often each gift was seen. */
  seen: Map<string, number>;
}

const OPENING = 25;

/** Guests who join once, and after a lost connection only say again who they are, as the app does. */
export async function gather(
  platform: Platform,
  roomId: string,
  viewers: number,
): Promise<Viewer[]> {
  const crowd: Viewer[] = [];
  while (crowd.length < viewers) {
    const count = Math.min(OPENING, viewers - crowd.length);
    const from = crowd.length;
    const group = Array.from({ length: count }, (_, i) => openViewer(platform, roomId, from + i));
    crowd.push(...(await Promise.all(group)));
  }
  return crowd;
}

async function openViewer(
  { port }: Platform,
  roomId: string,
  number: number,
  auth: Record<string, unknown> = {},
): Promise<Viewer> {
  const heard = new Set<string>();
  const seen = new Map<string, number>();
  const claim = { userId: 300_000 + number, username: `Penonton ${number}` };
  const socket = new LiveSocket({
    ...{ url: `ws://127.0.0.1:${port}`, claim, auth },
    hear: (event, payload) => {
      if (event === "live:new-message") heard.add(String(payload.message));
      if (event !== "live:gift-received") return;
      const gift = `${(payload.from as { userId: number }).userId}:${payload.count}`;
      seen.set(gift, (seen.get(gift) ?? 0) + 1);
    },
  });
  await socket.opened();
  const joined = await socket.ask("live:join", { roomId, ...claim }, 30_000);
  if (joined?.success !== true) throw new Error(`viewer ${number} could not join`);
  return { socket, heard, seen };
}

let people = 0;

export async function signUp({ app, sql }: Platform): Promise<{ token: string; userId: number }> {
  people += 1;
  const json = { phone: `0813${String(Date.now()).slice(-6)}${people}`, password: "rahasia-123" };
  const send = async (path: string) => {
    const response = await fetch(`${app}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(json),
    });
    return (await response.json()) as { token: string; user: { id: number } };
  };
  await send("/api/register");
  const { token, user } = await send("/api/login");
  const line = {
    ...{ reference: `uji/${user.id}`, debit_kind: "gateway", debit_owner: "coins" },
    ...{ credit_kind: "wallet", credit_owner: String(user.id), reason: "uji", currency: "COIN" },
    amount: PURSE,
  };
  await sql("select ledger_post($1)", [JSON.stringify([line])]);
  return { token, userId: user.id };
}

export async function openGiver(platform: Platform, roomId: string): Promise<Giver & Viewer> {
  const { token, userId } = await signUp(platform);
  const viewer = await openViewer(platform, roomId, userId, { token });
  return { ...viewer, userId, tries: [] };
}

/** Gives until it is over, each gift until it is answered and under its own key, as one does whose network is bad. */
export async function give(
  giver: Giver,
  roomId: string,
  hostId: number,
  giving: { isOver: boolean },
) {
  const gift = { roomId, to: { userId: hostId }, gift: { id: "cupid" } };
  while (!giving.isOver) {
    const n = giver.tries.length + 1;
    let tries = 0;
    const isGiven = async () => {
      tries += 1;
      const order = { ...gift, count: n, key: `g${n}` };
      const answer = await giver.socket.ask("live:gift", order, GIFT_PATIENCE_MS);
      return answer?.success === true;
    };
    await eventually(`gift ${n} of ${giver.userId}`, isGiven, BACK_MS);
    giver.tries.push(tries);
    await pause(PAUSE_MS);
  }
}

/** Speaks until everybody has heard it: who hears the room is in it. */
export async function hearAgain(
  platform: Platform,
  roomId: string,
  crowd: Viewer[],
): Promise<void> {
  const word = `semua kembali ${Date.now()}`;
  const speaker = await openViewer(platform, roomId, 99_999);
  const areBack = async () => {
    await speaker.socket.ask("live:message", { roomId, message: word }, 2_000);
    return crowd.every(({ heard }) => heard.has(word));
  };
  try {
    await eventually("everybody to hear the room again", areBack, BACK_MS);
    const answer = await speaker.socket.ask("live:join", { roomId });
    const expected = crowd.length + 1;
    if (answer?.count !== expected) {
      throw new Error(`the room counts ${answer?.count} viewers, there are ${expected}`);
    }
  } catch (error) {
    const silent = crowd.filter(({ heard }) => !heard.has(word));
    const why = new Set(silent.map(({ socket }) => socket.ended ?? `open: ${socket.isOpen}`));
    const more = silent.length > 0 ? `; ${silent.length} are silent: ${[...why].join(", ")}` : "";
    throw new Error(`${error instanceof Error ? error.message : error}${more}`);
  } finally {
    speaker.socket.close();
  }
}

/** Every gift that was answered is written once, no other is, and the coins say the same. */
export async function booksAreRight(
  { sql }: Platform,
  hostId: number,
  givers: Giver[],
): Promise<void> {
  for (const { userId, tries } of givers) {
    const rows = await sql<{ quantity: number }>(
      "select quantity from live_gifts where sender_id = $1 and receiver_id = $2 order by quantity",
      [userId, hostId],
    );
    const written = rows.map(({ quantity }) => quantity).join();
    const answered = tries.map((_, i) => i + 1).join();
    if (written !== answered) {
      throw new Error(`user ${userId} gave gifts ${answered}; written are ${written}`);
    }
    const spent = (PRICE * tries.length * (tries.length + 1)) / 2;
    const [purse] = await sql<{ balance: number }>(
      `select balance::float8 from ledger_accounts
        where kind = 'wallet' and currency = 'COIN' and owner_id = $1`,
      [String(userId)],
    );
    if (purse?.balance !== PURSE - spent) {
      throw new Error(`user ${userId} has ${purse?.balance} coins left, not ${PURSE - spent}`);
    }
  }
  const wrong = await sql(
    `select currency, sum(balance) from ledger_accounts group by 1 having sum(balance) <> 0`,
  );
  if (wrong.length > 0) throw new Error("the ledger does not sum up to zero");
}

/** Nobody saw a gift twice; answers how many of a hundred were not seen. */
export function seenOnce(crowd: Viewer[], givers: Giver[]): number {
  const given = givers.reduce((sum, { tries }) => sum + tries.length, 0);
  let total = 0;
  for (const { seen } of crowd) {
    for (const [gift, times] of seen) {
      if (times > 1) throw new Error(`gift ${gift} was shown ${times} times to one viewer`);
    }
    total += seen.size;
  }
  return Math.round(1_000 * (1 - total / (given * crowd.length))) / 10;
}

export const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));
