import { z } from "zod";

/** A client's frame has no more (contract §3.1); written anew, a drawing may be longer than it came. */
const MAX_BYTES = 1_000_000;
const MAX_DEPTH = 100;
/** Drawings that wait somewhere, all together. */
const MAX_WAITING_CHARS = 8_000_000;

/** A file of the app or of this service: it names no scheme and no machine, in any way that a browser would read as one. */
const LOCAL = /^(?!\s|\/\/)[^:\\\p{Cc}]{0,500}$/u;
const isLocal = (address: string) => LOCAL.test(address);
const isOurs = (address: string) => address.startsWith("data:") || isLocal(address);

/** An app's picture: its number in the app's bundle, its name, or an address as its image component takes it. */
const Source = z.union([
  z.int().min(0),
  z.string().min(1).refine(isLocal),
  z.strictObject({ uri: z.string().min(1).refine(isLocal) }),
]);

/** What a player loads for an animation: pictures, sounds and fonts. */
const Asset = z
  .looseObject({ u: z.string().default(""), p: z.string().default("") })
  .refine(({ u, p }) => isOurs(u) && isOurs(p) && isOurs(u + p));
const Font = z.looseObject({ fPath: z.string().refine(isLocal).optional() });
const Lottie = z.looseObject({
  assets: z.array(Asset).optional(),
  fonts: z.looseObject({ list: z.array(Font).optional() }).optional(),
});

/** An expression: players for the web run it as a program. */
const EXPRESSION = /"x":"/;

/**
 * What a sender's app put into its gift to be drawn (`src`, `lottie`; contract §3.1 and §3.3), as the members of a JSON
 * object; null where that is nothing, or nothing that can be put on everybody's screen. It is shown to people who did not
 * ask for it, so it has nothing that a player would run or load from a stranger's machine.
 */
export function drawingOf(gift: Record<string, unknown>): string | null {
  const members: string[] = [];
  const source = Source.safeParse(gift.src);
  if (source.success) members.push(`"src":${JSON.stringify(source.data)}`);
  const lottie = Lottie.safeParse(gift.lottie).success ? jsonOf(gift.lottie) : null;
  if (lottie !== null && !EXPRESSION.test(lottie)) members.push(`"lottie":${lottie}`);
  const drawing = members.join(",");
  return drawing === "" || bytesOf(drawing) > MAX_BYTES ? null : drawing;
}

/** Null for what is nested so deep that an app which reads it may fall over. */
const jsonOf = (value: unknown) => (isFlat(value, MAX_DEPTH) ? JSON.stringify(value) : null);

function isFlat(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((part) => isFlat(part, levels - 1));
}

const bytesOf = (text: string) => new TextEncoder().encode(text).byteLength;

/** Drawings on their way, by a key: in memory alone, and no more than it can hold. A gift that lost its own is shown without. */
export class Drawings {
  readonly #waiting = new Map<string, string>();
  #chars = 0;

  /** Keeps a drawing until it is taken; false where there is no room for it. The first under a key stays. */
  keep(key: string, drawing: string): boolean {
    if (this.#waiting.has(key)) return true;
    if (this.#chars + drawing.length > MAX_WAITING_CHARS) return false;
    this.#waiting.set(key, drawing);
    this.#chars += drawing.length;
    return true;
  }

  take(key: string): string | undefined {
    const drawing = this.#waiting.get(key);
    if (this.#waiting.delete(key)) this.#chars -= drawing?.length ?? 0;
    return drawing;
  }
}
