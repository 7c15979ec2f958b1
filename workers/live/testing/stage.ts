import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { unique } from "../../testing/factories.ts";
import { Drawings } from "../drawings.ts";
import { ObjectTables } from "../object-tables.ts";
import { Broadcasts } from "../rooms/broadcasts.ts";
import { GiftQueue, type WaitingGift } from "../rooms/gift-queue.ts";
import { GiftShow } from "../rooms/gift-show.ts";
import { GiftWindow } from "../rooms/gift-window.ts";
import { Hosting } from "../rooms/hosting.ts";
import { LiveRoom } from "../rooms/live-room.ts";
import { Members } from "../rooms/members.ts";
import { Messages } from "../rooms/messages.ts";
import { partsOf } from "../rooms/names.ts";
import type { Delivery, Frame, PersonCard, RoomOp } from "../rooms/ops.ts";
import { ShownGifts } from "../rooms/shown-gifts.ts";
import { ROOM_TABLES } from "../rooms/tables.ts";
import { Turnout } from "../rooms/turnout.ts";

export const START = 1_800_000_000_000;

/** A room on real storage with a clock of its own, whose shards write down what they are given. */
export class Stage {
  now = START;
  heard: { shard: string; frame: Frame }[] = [];
  wanted = true;
  /** What waits for its time; dropped with the memory. */
  #waiting: (() => void)[] = [];
  readonly #storage: DurableObjectStorage;
  readonly name: string;
  room: LiveRoom;
  members: Members;
  hosting: Hosting;
  turnout: Turnout;
  giftShow: GiftShow;

  constructor(storage: DurableObjectStorage, name: string) {
    this.#storage = storage;
    this.name = name;
    const parts = this.#build();
    this.room = parts.room;
    this.members = parts.members;
    this.hosting = parts.hosting;
    this.turnout = parts.turnout;
    this.giftShow = parts.giftShow;
  }

  /** What an eviction leaves: the storage alone. */
  evict(): void {
    this.#waiting = [];
    Object.assign(this, this.#build());
  }

  /** The time comes of everything that waits. */
  timeComes(): void {
    for (const act of this.#waiting.splice(0)) act();
  }

  #build() {
    const tables = new ObjectTables(this.#storage, ROOM_TABLES);
    tables.open();
    const clock = () => this.now;
    const members = new Members(tables);
    const hosting = new Hosting(tables);
    const turnout = new Turnout({ tables, members, hosting });
    const callShard = async (shard: string, deliveries: Delivery[]) => {
      for (const one of deliveries) {
        if (one.kind === "frame") this.heard.push({ shard, frame: one.frame });
      }
      return { wanted: this.wanted };
    };
    const failed = (error: unknown) => {
      throw error;
    };
    const broadcasts = new Broadcasts({
      ...{ tables, members, callShard, now: clock, failed },
      later: (_, act) => this.#waiting.push(act),
    });
    const gifts = new GiftWindow<never>({
      queue: new GiftQueue(tables),
      now: clock,
      send: async (_: WaitingGift[]) => [],
      decided: () => undefined,
      failed,
      dueChanged: () => undefined,
    });
    const messages = new Messages(tables, clock, (_, act) => this.#waiting.push(act));
    const giftShow = new GiftShow({
      ...{ roomId: partsOf(this.name).roomId, members, broadcasts, hasDrawings: true },
      shownGifts: new ShownGifts(tables),
      later: (_, act) => this.#waiting.push(act),
    });
    const room = new LiveRoom({
      ...{ name: this.name, members, messages, hosting, turnout, gifts, broadcasts },
      ...{ drawings: new Drawings(), giftShow },
      now: clock,
    });
    return { room, members, hosting, turnout, giftShow };
  }

  async do(shard: string, ...ops: RoomOp[]) {
    const replies = this.room.apply(shard, ops);
    await this.settle();
    return replies;
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 20; i += 1) await Promise.resolve();
  }

  /** What was said since it was last asked, as name, payload and shard. */
  said(event?: string) {
    const all = this.heard.splice(0).map(({ shard, frame }) => {
      const [name, payload] = JSON.parse(frame.event.body);
      return { shard, name, payload, except: frame.except };
    });
    return event === undefined ? all : all.filter(({ name }) => name === event);
  }
}

export async function onStage(kind: "live" | "party", play: (stage: Stage) => Promise<void>) {
  const name = `${kind}:${unique()}`;
  await runInDurableObject(env.ROOM.getByName(name), (_, state) =>
    play(new Stage(state.storage, name)),
  );
}

export const user = (id: number, name = `U${id}`): PersonCard => ({
  ...{
    key: `u:${id}`,
    userId: id,
    name,
    avatar: null,
    level: 7,
    vip: 1,
    address: null,
    line: null,
  },
});
export const guest = (name: string): PersonCard => ({
  ...{
    key: `g:${name}`,
    userId: null,
    name,
    avatar: null,
    level: 1,
    vip: 0,
    address: null,
    line: null,
  },
});
export const join = (socket: string, person: PersonCard, more: Partial<RoomOp> = {}) =>
  ({ kind: "join", socket, person, seat: null, quiet: false, ...more }) as RoomOp;
export const leave = (socket: string): RoomOp => ({ kind: "leave", socket });
export const say = (socket: string, person: PersonCard, text: string): RoomOp => ({
  ...{ kind: "message", socket, person, text },
});
