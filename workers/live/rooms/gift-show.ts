import type { Broadcasts } from "./broadcasts.ts";
import type { Members } from "./members.ts";
import type { GiftNews } from "./news.ts";
import { giftEvent } from "./payloads.ts";
import type { ShownGifts } from "./shown-gifts.ts";

/** As long as an app may take to hear that its gift was given and to send what it draws, 0.6 MB from a phone. */
const HELD_MS = 5_000;
const MAX_HELD = 100;

/** What a socket without a token says of a gift that was given over REST. */
export interface ToldGift {
  socket: string;
  giftId: string;
}

export interface GiftShowParts {
  roomId: string;
  members: Members;
  shownGifts: ShownGifts;
  broadcasts: Broadcasts;
  /** Whether gifts are shown with their senders' drawings. */
  hasDrawings: boolean;
  later?: (ms: number, act: () => void) => void;
}

/**
 * Shows committed gifts to a room, each once. The shipped app gives over REST, and says how its gift is drawn by a socket
 * without a token right after that. Where its sender has such a socket here, of his number and from where he gave, the
 * gift waits for that, a moment, in memory alone; of what comes by it nothing but the drawing is taken.
 */
export class GiftShow {
  readonly #parts: GiftShowParts;
  readonly #later: (ms: number, act: () => void) => void;
  readonly #held = new Set<GiftNews>();

  constructor(parts: GiftShowParts) {
    this.#parts = parts;
    this.#later = parts.later ?? ((ms, act) => void setTimeout(act, ms));
  }

  /** Gifts that were written here. */
  show(gifts: readonly GiftNews[]): void {
    for (const gift of this.#parts.shownGifts.take(gifts)) this.#say(gift);
  }

  /** A gift that was written elsewhere. */
  announce(gift: GiftNews): void {
    if ([...this.#held].some((held) => isSame(held, gift))) return;
    if (this.#isDrawnLater(gift)) this.#hold(gift);
    else this.show([gift]);
  }

  /** Whether a gift waits for what this socket has to say of it. */
  isAwaited(told: ToldGift): boolean {
    return this.#heldFor(told).length > 0;
  }

  /** All such gifts are shown, drawn so; false where none waits. */
  draw(told: ToldGift, drawing: string): boolean {
    const gifts = this.#heldFor(told);
    for (const gift of gifts) this.#release(gift, { ...gift, drawing });
    return gifts.length > 0;
  }

  #isDrawnLater({ from, address, drawing }: GiftNews): boolean {
    const { members, hasDrawings } = this.#parts;
    if (!hasDrawings || drawing !== undefined || !address) return false;
    const guests = members.guestsFrom(address);
    return this.#held.size < MAX_HELD && guests.some(({ line }) => isNumber(line?.number, from));
  }

  #hold(gift: GiftNews): void {
    this.#held.add(gift);
    this.#later(HELD_MS, () => this.#release(gift, gift));
  }

  #heldFor({ socket, giftId }: ToldGift): GiftNews[] {
    const by = this.#parts.members.find(socket);
    return [...this.#held].filter(
      ({ gift, from, address }) =>
        gift.id === giftId && address === by?.address && isNumber(by?.line?.number, from),
    );
  }

  #release(held: GiftNews, gift: GiftNews): void {
    if (this.#held.delete(held)) this.show([gift]);
  }

  #say(gift: GiftNews): void {
    this.#parts.broadcasts.tell(giftEvent(this.#parts.roomId, gift));
  }
}

const isSame = (a: GiftNews, b: GiftNews): boolean =>
  a.giftRowId !== undefined && a.giftRowId === b.giftRowId;

const isNumber = (claimed: string | null | undefined, { userId }: { userId: number }): boolean =>
  claimed === String(userId);
