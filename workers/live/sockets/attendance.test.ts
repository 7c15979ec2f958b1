import { describe, expect, it } from "vitest";
import type { RoomReply } from "../rooms/ops.ts";
import { Attendance } from "./attendance.ts";
import type { AppSocket, Desk } from "./desk.ts";
import { Marks } from "./marks.ts";
import { userCard } from "./people.ts";

const ROOM = "live:uji";

/** A socket of a user whom the directory has in one room; calls of objects fail as often as told. */
function scene(fails: { home: number; room: number }) {
  const rooms = new Set<string>();
  const left = { ...fails };
  const fail = (what: keyof typeof left) => {
    left[what] -= 1;
    if (left[what] >= 0) throw new Error("the object is being moved");
  };
  const person = userCard(7, { name: "Ana", avatar: null, level: 1, vip: 0 });
  const socket = {
    id: "a",
    rooms,
    data: { person, signIn: null, isBatched: false, isReturning: true, seat: null },
    join: (room: string) => void rooms.add(room),
    leave: (room: string) => void rooms.delete(room),
  } as unknown as AppSocket;
  const desk = {
    shards: 1,
    now: () => 0,
    marks: new Marks(() => null),
    beside: (_: string, work: Promise<unknown>) => void work.catch(() => undefined),
    homes: {
      deliver: async ({ kind }: { kind: string }, op?: { kind: string }) => {
        if ((op ?? { kind }).kind === "recall") fail("home");
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
  return { socket, attendance: new Attendance(desk, [1, 1, 1]) };
}

describe("who comes back while objects are being moved", () => {
  it("is put back into his rooms once they answer", async () => {
    const { socket, attendance } = scene({ home: 2, room: 2 });
    await attendance.restore(socket);
    expect([...socket.rooms]).toEqual([ROOM]);
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
    expect(await attendance.join(socket, ROOM)).toMatchObject({ ok: false, code: "unavailable" });
    expect(socket.rooms.size).toBe(0);
  });
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
