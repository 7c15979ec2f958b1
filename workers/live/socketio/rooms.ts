import type { LiveSocket } from "./live-socket.ts";

type Sockets<Data> = Set<LiveSocket<Data>>;

/** Who is in which room of which namespace, in memory; built from what connections keep. A socket's id is a room of it. */
export class RoomIndex<Data> {
  readonly #byId = new Map<string, LiveSocket<Data>>();
  readonly #namespaces = new Map<string, Sockets<Data>>();
  readonly #rooms = new Map<string, Sockets<Data>>();

  add(socket: LiveSocket<Data>): void {
    this.#byId.set(socket.id, socket);
    enter(this.#namespaces, socket.namespace, socket);
    for (const room of socket.rooms) this.join(socket, room);
  }

  remove(socket: LiveSocket<Data>): void {
    if (this.#byId.get(socket.id) === socket) this.#byId.delete(socket.id);
    leave(this.#namespaces, socket.namespace, socket);
    for (const room of socket.rooms) this.leave(socket, room);
  }

  join(socket: LiveSocket<Data>, room: string): void {
    enter(this.#rooms, keyOf(socket.namespace, room), socket);
  }

  leave(socket: LiveSocket<Data>, room: string): void {
    leave(this.#rooms, keyOf(socket.namespace, room), socket);
  }

  socket(id: string): LiveSocket<Data> | null {
    return this.#byId.get(id) ?? null;
  }

  /** The sockets of a room, or of the whole namespace for null. */
  members(namespace: string, room: string | null): Iterable<LiveSocket<Data>> {
    if (room === null) return this.#namespaces.get(namespace) ?? [];
    const named = this.#byId.get(room);
    if (named?.namespace === namespace) return [named];
    return this.#rooms.get(keyOf(namespace, room)) ?? [];
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  all(): Iterable<LiveSocket<Data>> {
    return this.#byId.values();
  }
}

/** Namespaces hold no line break: the names cannot run into each other. */
const keyOf = (namespace: string, room: string) => `${namespace}\n${room}`;

function enter<T>(index: Map<string, Set<T>>, key: string, member: T): void {
  const members = index.get(key);
  if (members) members.add(member);
  else index.set(key, new Set([member]));
}

function leave<T>(index: Map<string, Set<T>>, key: string, member: T): void {
  const members = index.get(key);
  if (!members?.delete(member)) return;
  if (members.size === 0) index.delete(key);
}
