export type RoomKind = "live" | "party";

export const MAX_ROOM_ID = 100;

/** The name of a room's object; a live and a party room of the same id are two rooms. */
export function roomName(kind: RoomKind, roomId: string): string {
  return `${kind}:${roomId}`;
}

/** The parts of a room's name, as `roomName` made it. */
export function partsOf(name: string): { kind: RoomKind; roomId: string } {
  const at = name.indexOf(":");
  return { kind: name.startsWith("party:") ? "party" : "live", roomId: name.slice(at + 1) };
}
