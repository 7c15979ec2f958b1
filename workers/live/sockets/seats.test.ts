import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../shared/config/config.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { shardStub } from "../testing/rounds.ts";
import { connectSocket, type SocketClient } from "../testing/socket-client.ts";
import { homeOf, userKey } from "./home.ts";

/** Of a user, as the app comes back: with what it knows of its last socket, which is not always enough to go on. */
const comesBack = ({ token }: TestUser, past: Record<string, unknown> = {}) =>
  connectSocket({ auth: { token, ...past } });

/** Ana sits, and Budi looks on. */
async function scene() {
  const roomId = unique();
  const [ana, budi] = [await createUser(), await createUser()];
  const sitter = await comesBack(ana);
  expect(await sitter.ask("party:join", { roomId, seat: 1 })).toMatchObject({ success: true });
  const watcher = await comesBack(budi);
  expect(await watcher.ask("party:join", { roomId })).toMatchObject({ success: true });
  await watcher.hears("party:user-joined");
  return { roomId, ana, sitter, watcher };
}

const seatOf = async (by: SocketClient, { userId }: TestUser, event: "joined" | "left") => {
  const told = await by.hears(`party:user-${event}`);
  expect(told).toMatchObject({ userId });
  return told.seat;
};

/** Loses a user's socket, and waits until the others and his home know it. */
async function lose(socket: SocketClient, user: TestUser, watcher: SocketClient) {
  socket.cut();
  const seat = await seatOf(watcher, user, "left");
  const person = userKey(user.userId);
  const home = shardStub(homeOf(person, loadConfig(env).LIVE_SHARDS));
  const recalled = async () => {
    const [reply] = await home.applyHome([{ kind: "recall", person, isReturning: false }]);
    return reply?.rooms;
  };
  await expect.poll(recalled).toHaveLength(1);
  return seat;
}

describe("a party seat", () => {
  it("is its owner's again when he begins anew, and everybody is told that it was left and taken", async () => {
    const { roomId, ana, sitter, watcher } = await scene();
    expect(await lose(sitter, ana, watcher)).toBe(1);
    const after = await comesBack(ana);
    expect(await seatOf(watcher, ana, "joined")).toBe(1);
    expect(await seatOf(after, ana, "joined")).toBe(1);
    const other = await watcher.ask("party:join", { roomId, seat: 1 });
    expect(other).toMatchObject({ success: false, code: "conflict" });
  });

  it("is its owner's again when he goes on as the same socket, and everybody is told", async () => {
    const { ana, sitter, watcher } = await scene();
    const { pid = "", offset = "", id } = sitter;
    expect(await lose(sitter, ana, watcher)).toBe(1);
    const after = await comesBack(ana, { pid, offset });
    expect(after.id).toBe(id);
    expect(await seatOf(watcher, ana, "joined")).toBe(1);
  });

  it("that somebody else has taken meanwhile stays his: who comes back stands, and is shown so", async () => {
    const { roomId, ana, sitter, watcher } = await scene();
    expect(await lose(sitter, ana, watcher)).toBe(1);
    expect(await watcher.ask("party:join", { roomId, seat: 1 })).toMatchObject({ success: true });
    await watcher.hears("party:user-joined");
    const after = await comesBack(ana);
    expect(await seatOf(watcher, ana, "joined")).toBeNull();
    expect(await after.ask("party:message", { roomId, message: "halo" })).toEqual({
      success: true,
    });
  });

  it("that its owner got up from is not his when he comes back", async () => {
    const { roomId, ana, sitter, watcher } = await scene();
    expect(await sitter.ask("party:join", { roomId })).toMatchObject({ success: true });
    expect(await seatOf(watcher, ana, "joined")).toBeNull();
    expect(await lose(sitter, ana, watcher)).toBeNull();
    await comesBack(ana);
    expect(await seatOf(watcher, ana, "joined")).toBeNull();
  });
});
