interface Absent {
  rooms: readonly string[];
  until: number;
}

/** The lost sockets that may come back, by the rooms that they were in: one look tells whether anybody is awaited there. */
export class Awaited {
  readonly #absent = new Map<string, Absent>();
  readonly #byRoom = new Map<string, Set<string>>();

  add(pid: string, rooms: readonly string[], until: number): void {
    this.remove(pid);
    this.#absent.set(pid, { rooms, until });
    for (const room of rooms) {
      const pids = this.#byRoom.get(room);
      if (pids) pids.add(pid);
      else this.#byRoom.set(room, new Set([pid]));
    }
  }

  remove(pid: string): void {
    for (const room of this.#absent.get(pid)?.rooms ?? []) {
      const pids = this.#byRoom.get(room);
      pids?.delete(pid);
      if (pids?.size === 0) this.#byRoom.delete(room);
    }
    this.#absent.delete(pid);
  }

  has(room: string, now: number): boolean {
    for (const pid of this.#byRoom.get(room) ?? []) {
      if ((this.#absent.get(pid)?.until ?? 0) >= now) return true;
    }
    return false;
  }
}
