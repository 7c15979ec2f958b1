import { type Frame, openEvent, type PreparedEvent } from "./packets.ts";

/** One of several events that go out as one packet; it has no attachments. */
export interface Part {
  event: PreparedEvent;
  /** The socket that does not get it. */
  except: string | null;
  /** Not kept for replay. */
  isVolatile: boolean;
}

/** `["batch", [["chat", …], …]]`: the events are JSON already, so they are only put side by side. */
export function together(name: string, events: readonly PreparedEvent[]): PreparedEvent {
  const list = events.map(({ body }) => body).join(",");
  return { body: `[${JSON.stringify(name)},[${list}]]`, attachments: [] };
}

/**
 * One packet of many events. Whoever is excepted from none gets the same string as all others; of it, what is left for
 * the others is cut out: where everybody speaks at once, most get a text of their own.
 */
export class Bundle {
  readonly #open: string;
  readonly #close: string;
  readonly #list: string;
  /** Where each event begins in the list; the one behind the last would begin at the end of it. */
  readonly #starts: number[] = [0];
  /** The places of the events that a socket does not get. */
  readonly #withheld = new Map<string, number[]>();
  readonly #all: readonly Frame[];

  constructor(
    name: string,
    parts: readonly Part[],
    { namespace, offset }: { namespace: string; offset: string | undefined },
  ) {
    this.#open = `${openEvent(namespace)}[${JSON.stringify(name)},[`;
    this.#close = offset === undefined ? "]]" : `],${JSON.stringify(offset)}]`;
    this.#list = parts.map(({ event }) => event.body).join(",");
    let end = 0;
    parts.forEach(({ event, except }, place) => {
      end += event.body.length + 1;
      this.#starts.push(end);
      if (except === null) return;
      const places = this.#withheld.get(except);
      if (places) places.push(place);
      else this.#withheld.set(except, [place]);
    });
    this.#all = [this.#frame(this.#list)];
  }

  /** What a socket gets; nothing where none of the events is for it. */
  framesFor(socket: string): readonly Frame[] {
    const withheld = this.#withheld.get(socket);
    if (!withheld) return this.#all;
    const pieces: string[] = [];
    let from = 0;
    for (const place of [...withheld, this.#starts.length - 1]) {
      if (place > from) pieces.push(this.#piece(from, place));
      from = place + 1;
    }
    return pieces.length === 0 ? [] : [this.#frame(pieces.join(","))];
  }

  /** The events from one place to before another. */
  #piece(from: number, to: number): string {
    return this.#list.slice(this.#starts[from], (this.#starts[to] ?? 0) - 1);
  }

  #frame(list: string): string {
    return `${this.#open}${list}${this.#close}`;
  }
}
