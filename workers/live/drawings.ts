import { z } from "zod";

/** A client's frame has no more (contract §3.1); written anew, a drawing may be longer than it came. */
const MAX_BYTES = 1_000_000;
const MAX_DEPTH = 100;
/** Of one object: an animation's have some dozens, and more are slow to read. */
const MAX_NAMES = 1_000;
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

/** Of a font: players write it into a style sheet as it is. */
const PLAIN = /^[\p{L}\p{N} ,._-]{0,200}$/u;
const PLAIN_PATH = /^(?!\s|\/\/)[\p{L}\p{N} ._/-]{0,500}$/u;

/**
 * What an animation may say under names by which a player for the web runs or loads something. They are looked at wherever
 * they stand: `slots` put anything in the place of anything. `x` is an expression; `u` and `p`, one behind the other, are
 * the address of a picture or sound, though not always of one object, so that no `u` makes another's `p` a machine's name.
 */
const TEXTS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["x", () => false],
  ["u", (text) => isOurs(text) && text !== "/"],
  ["p", isOurs],
  ["fPath", (text) => PLAIN_PATH.test(text)],
  ["fFamily", (text) => PLAIN.test(text)],
]);

/**
 * What a sender's app put into its gift to be drawn (`src`, `lottie`; contract §3.1 and §3.3), as the members of a JSON
 * object; null where that is nothing, or nothing that can be put on everybody's screen. It is shown to people who did not
 * ask for it, so it has nothing that a player would run or load from a stranger's machine.
 */
export function drawingOf(gift: Record<string, unknown>): string | null {
  const members: string[] = [];
  const source = Source.safeParse(gift.src);
  if (source.success) members.push(`"src":${JSON.stringify(source.data)}`);
  const { lottie } = gift;
  const isAnimation = typeof lottie === "object" && lottie !== null && !Array.isArray(lottie);
  if (isAnimation && isHarmless(lottie, MAX_DEPTH))
    members.push(`"lottie":${JSON.stringify(lottie)}`);
  const drawing = members.join(",");
  return drawing === "" || bytesOf(drawing) > MAX_BYTES ? null : drawing;
}

/** False also for what is nested so deep that an app which reads it may fall over. */
function isHarmless(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((part) => isHarmless(part, levels - 1));
  const parts = value as Record<string, unknown>;
  const names = Object.keys(parts);
  if (names.length > MAX_NAMES) return false;
  return names.every((name) => isHarmless(parts[name], levels - 1) && maySay(name, parts[name]));
}

/** A list of texts is a text to who puts it together with another. */
function maySay(name: string, value: unknown): boolean {
  const isFine = TEXTS.get(name);
  if (!isFine) return true;
  const isText = (part: unknown) => typeof part === "string" || Array.isArray(part);
  if (Array.isArray(value)) return !value.flat().some(isText);
  return typeof value !== "string" || isFine(value);
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
