import { describe, expect, it } from "vitest";
import type { RoomReply } from "../rooms/ops.ts";
import { Attendance } from "./attendance.ts";
import type { AppSocket, Desk } from "./desk.ts";
import type { Marks } from "./marks.ts";
import { userCard } from "./people.ts";
import { NO_ROOM } from "./spots.ts";

const ROOM = "live:uji";

/** A socket of a user whom the directory has in one room; calls of objects fail as often as told. */
function scene(fails: { home: number; room: number }) {
  const rooms = new Set<string>();
  const toldHome: unknown[] = [];
  const left = { ...fails };
  const fail = (what: keyof typeof left) => {
    left[what] -= 1;
    if (left[what] >= 0) throw new Error("the object is being moved");
  };
  const person = userCard(7, { name: "Ana", avatar: null, level: 1, vip: 0 });
  const socket = {
    id: "a",
    connected: true,
    rooms,
    data: { person, signIn: null, isBatched: false, isReturning: true, seat: null },
    join: (room: string) => void rooms.add(room),
    leave: (room: string) => void rooms.delete(room),
  } as unknown as AppSocket;
  const desk = {
    shards: 1,
    now: () => 0,
    marks: { joined: () => undefined, forget: () => undefined } as unknown as Marks,
    engine: { isFollowed: () => false },
    beside: (_: string, work: Promise<unknown>) => void work.catch(() => undefined),
    homes: {
      deliver: async ({ kind }: { kind: string }, op?: { kind: string }) => {
        if ((op ?? { kind }).kind === "recall") fail("home");
        else toldHome.push(op);
        return { rooms: [ROOM] };
      },
    },
    rooms: {
      deliver: async (): Promise<RoomReply> => {
        fail("room");
        return { ok: true, count: 1, isNew: true };
      },
    },
  } as unknown as Desk;
  return { socket, toldHome, attendance: new Attendance(desk, [1, 1, 1]) };
}

describe("who comes back while objects are being moved", () => {
  it("is put back into his rooms once they answer", async () => {
    const { socket, attendance } = scene({ home: 2, room: 2 });
    await attendance.restore(socket);
    expect([...socket.rooms]).toEqual([ROOM]);
  });

  it("is put back at a later round where his home stayed silent, which is never told that he is nowhere", async () => {
    const { socket, attendance, toldHome } = scene({ home: 9, room: 0 });
    await expect(attendance.restore(socket)).rejects.toThrow("being moved");
    await expect
      .poll(() => {
        attendance.renewPlaces([socket]);
        return [...socket.rooms];
      })
      .toEqual([ROOM]);
    expect(toldHome).not.toContainEqual(expect.objectContaining({ room: NO_ROOM }));
  });

  it("is not told to be nowhere while his home is being asked", async () => {
    const { socket, attendance, toldHome } = scene({ home: 2, room: 0 });
    const restored = attendance.restore(socket);
    attendance.renewPlaces([socket]);
    expect(toldHome).toEqual([]);
    await restored;
    expect([...socket.rooms]).toEqual([ROOM]);
    expect(toldHome).not.toContainEqual(expect.objectContaining({ room: NO_ROOM }));
  });

  it("is put nowhere at a later round when he has left by himself meanwhile", async () => {
    const { socket, attendance, toldHome } = scene({ home: 4, room: 0 });
    await expect(attendance.restore(socket)).rejects.toThrow("being moved");
    await attendance.leave(socket, ROOM);
    attendance.renewPlaces([socket]);
    expect(toldHome).toContainEqual(expect.objectContaining({ kind: "place", room: NO_ROOM }));
  });

  it("stays in a room that does not answer at all: it learns of him at the next round", async () => {
    const { socket, attendance } = scene({ home: 0, room: 99 });
    await attendance.restore(socket);
    expect([...socket.rooms]).toEqual([ROOM]);
  });

  it("leaves a room that does not answer, and is told so", async () => {
    const { socket, attendance } = scene({ home: 0, room: 99 });
    await attendance.restore(socket);
    await attendance.leave(socket, ROOM);
    expect(socket.rooms.size).toBe(0);
  });

  it("is not taken in by what he asks for himself and is told to be unavailable", async () => {
    const { socket, attendance } = scene({ home: 0, room: 1 });
    expect(await attendance.join(socket, ROOM, null)).toMatchObject({
      ok: false,
      code: "unavailable",
    });
    expect(socket.rooms.size).toBe(0);
  });
});

/** A lost socket of a room, whose shard has heard 5 there; what the room does when it is asked. */
function lost(
  answer: (enter: (isWhole: boolean) => void) => Promise<RoomReply>,
  { pending, isHere = false }: { pending?: Record<string, number>; isHere?: boolean } = {},
) {
  const asked: unknown[] = [];
  const rooms = new Set(pending ? [] : [ROOM]);
  const socket = {
    ...{ id: "a", connected: false, rooms, join: (room: string) => void rooms.add(room) },
    data: { person: userCard(7, null), signIn: null, isBatched: false, seat: null, pending },
  } as unknown as AppSocket;
  const desk = {
    ...{ shards: 1, now: () => 0, marks: { of: () => 5, forget: () => undefined } },
    engine: {
      ...{ socket: () => (isHere ? {} : null), isFollowed: () => false },
    },
    beside: (_: string, work: Promise<unknown>) => void work.catch(() => undefined),
    homes: { deliver: async () => ({ rooms: [] }) },
    rooms: {
      deliver: (room: string, op: unknown) => {
        asked.push(op);
        return answer((isWhole) => attendance.entered(room, { socket: "a", frames: [], isWhole }));
      },
    },
  } as unknown as Desk;
  const attendance: Attendance = new Attendance(desk, [1, 1], 20);
  return { socket, asked, attendance };
}

const LET_IN: RoomReply = { ok: true, count: 1, isNew: true };
const away = () => Promise.reject(new Error("the object is being moved"));

describe("a lost socket that is about to go on", () => {
  it.each([
    [true, "lets it in with all that it missed"],
    [false, "has forgotten a part of what it missed"],
  ])("does so: %s, where its room %s", async (isWhole) => {
    const { socket, asked, attendance } = lost(async (enter) => {
      queueMicrotask(() => enter(isWhole));
      return LET_IN;
    });
    expect(await attendance.resume(socket)).toBe(isWhole);
    expect(asked).toMatchObject([{ kind: "join", socket: "a", since: 5 }]);
  });

  it("does not where its room does not answer, however often it is asked", async () => {
    const { socket, asked, attendance } = lost(away);
    expect(await attendance.resume(socket)).toBe(false);
    expect(asked).toHaveLength(3);
  });

  it("does not at its next attempt either where a part was missing: its client may be gone before it is told", async () => {
    const { socket, asked, attendance } = lost(
      async (enter) => {
        queueMicrotask(() => enter(false));
        return LET_IN;
      },
      { pending: { [ROOM]: 3 } },
    );
    for (let n = 0; n < 2; n += 1) expect(await attendance.resume(socket)).toBe(false);
    expect(asked).toMatchObject([{ since: 3 }, { since: 3 }]);
  });

  it("is on its way into no room any more when it has waited long enough, nor asks again", async () => {
    const { socket, asked, attendance } = lost(async () => {
      await scheduler.wait(30);
      throw new Error("the object is being moved");
    });
    expect(await attendance.resume(socket)).toBe(false);
    expect(attendance.isWanted(ROOM)).toBe(false);
    await scheduler.wait(60);
    expect(asked).toHaveLength(1);
  });

  it("does not leave its rooms where it is here again: its leaving may be told late", () => {
    const { socket, asked, attendance } = lost(async () => LET_IN, { isHere: true });
    attendance.lose(socket, "transport close");
    expect(asked).toEqual([]);
  });

  it("leaves its rooms when it does not, and is told so again to one that does not answer", async () => {
    let fails = 2;
    const { socket, asked, attendance } = lost(async () => {
      fails -= 1;
      return fails >= 0 ? await away() : LET_IN;
    });
    attendance.lose(socket, "transport close");
    await expect.poll(() => asked.length).toBe(3);
    expect(asked.at(-1)).toEqual({ kind: "leave", socket: "a" });
  });
});

it("a join is not tried again once its socket is gone: it would be in the room with nobody behind it", async () => {
  const { socket, asked, attendance } = lost(away);
  await attendance.joinQuietly(
    Object.assign(socket, { rooms: new Set(), join: () => undefined, leave: () => undefined }),
    ROOM,
  );
  expect(asked).toHaveLength(1);
});

it("a room is told of who is on his way into it too: the round does not take out whom it has let in already", () => {
  const socket = {
    ...{ id: "a", rooms: new Set(["live:lain"]) },
    data: { isBatched: false, pending: { [ROOM]: 5 } },
  } as unknown as AppSocket;
  const desk = { engine: { sockets: () => [socket] } } as unknown as Desk;
  expect([...new Attendance(desk).sheets()]).toEqual([
    ["live:lain", ["a"]],
    [ROOM, ["a"]],
  ]);
});
