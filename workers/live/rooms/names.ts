export type RoomKind = "live" | "party";

export const MAX_ROOM_ID = 100;

/** The name of a room's object; a live and a party room of the same id are two rooms. */
export function roomName(kind: RoomKind, roomId: string): string {
  return `${kind}:${roomId}`;
}

/** Whose own room it is, by the name that a host's room has who names none; null for a room of anybody. */
export function ownerOf(roomId: string): number | null {
  const [, id] = /^room_([1-9]\d{0,14})$/.exec(roomId) ?? [];
  return id === undefined ? null : Number(id);
}

/** The parts of a room's name, as `roomName` made it. */
export function partsOf(name: string): { kind: RoomKind; roomId: string } {
  const at = name.indexOf(":");
  return { kind: name.startsWith("party:") ? "party" : "live", roomId: name.slice(at + 1) };
}
