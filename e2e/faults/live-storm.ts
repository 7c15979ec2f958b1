import { setTimeout } from "node:timers/promises";
import { WebSocket } from "ws";
import { LiveSocket } from "../live-socket.ts";
import { eventually, type Platform } from "../platform.ts";

export interface StormReport {
  joins: number;
  /** From the first join until the last was answered. */
  tookMs: number;
  /** Sockets that were told to go slower when all asked on. */
  slowed: number;
  viewers: number;
}

/** A socket may ask for this much in one burst. */
const BURST = 50;
/** A socket's last answer comes after all of the storm: 15 s on two cores of its own, minutes where they are shared. */
const PATIENCE_MS = 180_000;
/** Events that cost nothing are a flood where so many are read at once. */
const TOO_MUCH = 200;
/** And where they are read slowly, so many each second on top: four times what a socket may. */
const ON_TOP = 60;
const ROUNDS = 60;

/**
 * Few sockets join and leave a room thousands of times at once, each waiting for its own, and then send what only a
 * server may until they are told to go slower. Throws unless every join was answered, the flood was refused to each, and
 * the room counts right after both.
 */
export async function joinStorm(
  platform: Platform,
  { sockets: size }: { sockets: number },
): Promise<StormReport> {
  const roomId = `badai-${Date.now()}`;
  const slowed = new Set<number>();
  const sockets = await openAll(platform, size, (number) => slowed.add(number));
  try {
    const began = Date.now();
    const answers = await Promise.all(sockets.map((socket) => joinMadly(socket, roomId)));
    const tookMs = Date.now() - began;
    const silent = answers.filter((answer) => answer === null).length;
    const refused = answers.filter((answer) => answer?.success === false);
    if (silent + refused.length > 0) {
      const open = sockets.filter(({ isOpen, connects }) => isOpen && connects === 1).length;
      const why = `${refused.length} refused (${JSON.stringify(refused[0])}), ${open} of ${size} still connected`;
      throw new Error(`${silent} joins were not answered in ${tookMs} ms, ${why}`);
    }
    await counts(platform, roomId, size);
    await flood(sockets, roomId, slowed);
    if (slowed.size < size) {
      throw new Error(`${slowed.size} of ${size} sockets were told to go slower`);
    }
    const half = sockets.slice(0, Math.floor(size / 2));
    await Promise.all(half.map((socket) => leaves(socket, roomId)));
    await counts(platform, roomId, size - half.length);
    return { joins: size * BURST, tookMs, slowed: slowed.size, viewers: size - half.length };
  } finally {
    for (const socket of sockets) socket.close();
  }
}

/** Each socket asks on until it is told to go slower: on a busy machine the server reads slower than a socket may ask. */
async function flood(sockets: LiveSocket[], roomId: string, slowed: Set<number>): Promise<void> {
  for (let round = 0; round < ROUNDS && slowed.size < sockets.length; round += 1) {
    for (const [number, socket] of sockets.entries()) {
      if (slowed.has(number)) continue;
      for (let i = 0; i < (round === 0 ? TOO_MUCH : ON_TOP); i += 1) {
        socket.emit("live:viewer-count", { roomId, count: i });
      }
    }
    await setTimeout(1_000);
  }
}

const OPENING = 25;

async function openAll(
  { port }: Platform,
  size: number,
  slowed: (number: number) => void,
): Promise<LiveSocket[]> {
  const open = (number: number) =>
    new LiveSocket({
      url: `ws://127.0.0.1:${port}`,
      claim: { userId: 400_000 + number, username: `Badai ${number}` },
      hear: (event, { code }) => {
        if (event === "error" && code === "flood") slowed(number);
      },
    }).opened();
  const sockets: LiveSocket[] = [];
  while (sockets.length < size) {
    const from = sockets.length;
    const count = Math.min(OPENING, size - from);
    sockets.push(...(await Promise.all(Array.from({ length: count }, (_, i) => open(from + i)))));
  }
  return sockets;
}

/** In and out as often as one burst allows, in at the end; the answer to the last. */
function joinMadly(socket: LiveSocket, roomId: string) {
  for (let i = 0; i < BURST - 1; i += 1) {
    socket.emit(i % 2 === 0 ? "live:join" : "live:leave", { roomId });
  }
  return socket.ask("live:join", { roomId }, PATIENCE_MS);
}

/** Asks until it is heard again: what was too much is dropped, and the limit gives way with time. */
async function leaves(socket: LiveSocket, roomId: string): Promise<void> {
  const hasLeft = async () => (await socket.ask("live:leave", { roomId }, 2_000))?.success === true;
  await eventually("a socket to leave once it is calm", hasLeft);
}

/** The number that a newcomer is told: all who are there, and himself. */
async function counts({ port }: Platform, roomId: string, expected: number): Promise<void> {
  const claim = { userId: 499_999, username: "Penghitung" };
  const probe = await new LiveSocket({ url: `ws://127.0.0.1:${port}`, claim }).opened();
  try {
    let told: unknown;
    const isRight = async () => {
      told = (await probe.ask("live:join", { roomId }))?.count;
      return told === expected + 1;
    };
    await eventually(`${expected} viewers`, isRight).catch(() => {
      throw new Error(`the room counts ${told}, there are ${expected + 1}`);
    });
    await probe.ask("live:leave", { roomId });
  } finally {
    probe.close();
  }
}

/** Session ids that nobody was given, in all the shapes that a stranger may think of. */
const FORGED = [
  ...["s0", "s0.", "s1.AAAAAAAAAAAAAAAAAAAA", "s9999.AAAAAAAAAAAAAAAAAAAA", "s-1.x", "undefined"],
  ...["../s1", "' or 1=1 --", "%00", "💥", "x".repeat(6_000)],
];

/** What each forged session id is answered, by polling and by WebSocket. */
export async function tryForgedSessions({ port }: Platform): Promise<Map<string, unknown[]>> {
  const found = new Map<string, unknown[]>();
  for (const sid of FORGED) {
    const query = `EIO=4&transport=polling&sid=${encodeURIComponent(sid)}`;
    const polled = await fetch(`http://127.0.0.1:${port}/socket.io/?${query}`);
    const answer = (await polled.json()) as { code?: number };
    const posted = await fetch(`http://127.0.0.1:${port}/socket.io/?${query}`, {
      method: "POST",
      body: '42["live:join",{"roomId":"x"}]',
    });
    await posted.body?.cancel();
    found.set(sid, [polled.status, answer.code, posted.status, await upgraded(port, sid)]);
  }
  return found;
}

/** The status with which an upgrade is refused; 101 when it was not. */
async function upgraded(port: number, sid: string): Promise<number> {
  const query = `EIO=4&transport=websocket&sid=${encodeURIComponent(sid)}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?${query}`);
  return await new Promise((done) => {
    socket.on("error", () => undefined);
    socket.once("open", () => {
      socket.terminate();
      done(101);
    });
    socket.once("unexpected-response", (request, response) => {
      request.destroy();
      done(response.statusCode ?? 0);
    });
  });
}
