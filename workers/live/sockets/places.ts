import type { AppSocket, Desk } from "./desk.ts";
import { homeOf } from "./home.ts";
import { placeKey } from "./people.ts";
import type { HomeReply } from "./spots.ts";
import { stubbornly } from "./stubbornly.ts";

/** The seat that a socket holds in a room. */
export const seatIn = ({ data }: AppSocket, room: string): number | undefined =>
  data?.seat?.room === room ? data.seat.seat : undefined;

function setAdrift(socket: AppSocket, isAdrift: boolean): void {
  const { data } = socket;
  if (data && (data.isAdrift ?? false) !== isAdrift) socket.data = { ...data, isAdrift };
}

/** What the homes of persons know of where they are: for who begins anew, and is to be where he was. */
export class Places {
  readonly #desk: Desk;
  readonly #retriesMs: readonly number[];
  /** Sockets whose homes are being asked. */
  readonly #asked = new Set<string>();

  constructor(desk: Desk, retriesMs: readonly number[]) {
    this.#desk = desk;
    this.#retriesMs = retriesMs;
  }

  /** `seat`: null where it got up; a socket that holds none says nothing of it. */
  tell(
    kind: "place" | "lost" | "unplace",
    socket: AppSocket,
    room: string,
    seat: number | null | undefined = seatIn(socket, room),
  ): void {
    const { data, pid } = socket;
    const person = data && placeKey(data.person, pid);
    if (!person) return;
    const home = homeOf(person, this.#desk.shards);
    const op = { kind, person, room, pid, ...(seat !== undefined && { seat }) };
    this.#desk.beside("place", this.#desk.homes.deliver(home, op));
  }

  /** Its home has not answered yet: it is not known to be nowhere. */
  isAsked(socket: AppSocket): boolean {
    return this.#asked.has(socket.id);
  }

  /** It is in a room, on that seat or on none any more. */
  sits(socket: AppSocket, room: string, seat: number | null): void {
    const { data } = socket;
    const before = seatIn(socket, room);
    if (data && seat !== (before ?? null)) {
      socket.data = { ...data, seat: seat === null ? null : { room, seat } };
    }
    this.tell("place", socket, room, seat ?? (before === undefined ? undefined : null));
  }

  /** The rooms in which its person was before, and the seat that is his there if nobody has taken it. */
  async recall(socket: AppSocket): Promise<HomeReply> {
    const { data, pid } = socket;
    const person = data && placeKey(data.person, data.formerPid);
    if (!person) return { rooms: [] };
    const home = homeOf(person, this.#desk.shards);
    const { isReturning, formerPid } = data;
    const recall = { kind: "recall" as const, person, isReturning, pid, formerPid };
    const ask = () => this.#desk.homes.deliver(home, recall);
    const isDue = () => socket.connected;
    this.#asked.add(socket.id);
    try {
      const reply = await stubbornly(ask, { pausesMs: this.#retriesMs, isDue });
      setAdrift(socket, false);
      return reply;
    } catch (error) {
      setAdrift(socket, isDue());
      throw error;
    } finally {
      this.#asked.delete(socket.id);
    }
  }
}
