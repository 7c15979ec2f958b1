import { isObject, type Json } from "./fields.ts";

/**
 * What a twin can be told to do wrong, or otherwise. `PUT /_dials` takes
 * `{match?, path?, <dial>: value | {value?, count?, match?, path?, acts?}, ...}`: `match` is a text that
 * the request, the notice or what is known about their order, parcel or mail must hold.
 */
const meanings = {
  delayMs: "a request waits so long before it acts",
  refuse: "a request is answered with this HTTP status (503) and does not act, unless acts is true",
  rubbish: "a request is answered 200 with HTML and does not act, unless acts is true",
  down: "a request's socket is destroyed; it does not act, unless acts is true",
  timeOut: "a request acts and is never answered",
  noticeDelayMs: "a notice waits so long",
  duplicate: "a notice is sent this many times more (1)",
  reorder: "a notice is kept until the next one of its subject has gone, or so many ms (3000)",
  lose: "a notice is never sent",
  forge: "a notice has a wrong signature or key",
  retryScale: "the documented waits between repeats are multiplied by this (1/60)",
  httpErrors: "Midtrans, KiriminAja: errors have an HTTP status of their own instead of 200",
  noQrString: "Midtrans: a charge has no qr_string",
  bankConfirmMs: "Midtrans: the wait before the second notice of a refund (500)",
  prepaid: "KiriminAja: the pickup must be paid before there is an AWB",
  repeatOrder: "KiriminAja: a used order_id is taken again, as another parcel",
  full: "KiriminAja: callbacks come in the full form",
  awbDelayMs: "KiriminAja: the wait before the AWB (300)",
  cancelDelayMs: "KiriminAja: the wait before a non-COD cancel is final (500)",
  resend: "KiriminAja: a failed callback is repeated so many times (0)",
  tooMany: "Resend: 429, with this error name (rate_limit_exceeded)",
} as const;

export type DialName = keyof typeof meanings;
export const dialMeanings: Readonly<Record<string, string>> = meanings;

export interface Dial {
  name: DialName;
  value: number | string | boolean;
  match: string;
  path: string;
  acts: boolean;
  left: number | null;
}

function isDialName(name: string): name is DialName {
  return Object.hasOwn(meanings, name);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function readDial(name: DialName, given: unknown, scope: { match: string; path: string }): Dial {
  const rule: Json = isObject(given) ? given : { value: given };
  const value = rule.value ?? true;
  if (!["number", "string", "boolean"].includes(typeof value)) {
    throw new Error(`dial ${name}: value must be a number, a string or a boolean`);
  }
  const count = rule.count;
  if (count !== undefined && (!Number.isInteger(count) || Number(count) < 1)) {
    throw new Error(`dial ${name}: count must be a whole number above 0`);
  }
  return {
    name,
    value: value as number | string | boolean,
    match: textOf(rule.match) || scope.match,
    path: textOf(rule.path) || scope.path,
    acts: rule.acts === true,
    left: typeof count === "number" ? count : null,
  };
}

/** The faults asked for, each of which may be limited to a count, a path and to texts that hold `match`. */
export class Dials {
  private rules: Dial[] = [];

  /**
   * Replaces the dials of one scope (`match`, `path`) and leaves every other scope as it is; a body
   * with nothing but a scope clears it.
   */
  put(body: unknown): Dial[] {
    if (!isObject(body)) throw new Error("the dials must be a JSON object");
    const scope = { match: textOf(body.match), path: textOf(body.path) };
    const added: Dial[] = [];
    for (const [name, value] of Object.entries(body)) {
      if (name === "match" || name === "path") continue;
      if (!isDialName(name)) {
        throw new Error(`unknown dial ${name}; there are ${Object.keys(meanings).join(", ")}`);
      }
      if (value === false || value === null) continue;
      added.push(readDial(name, value, scope));
    }
    const touched = added.length > 0 ? added : [scope];
    this.rules = this.rules.filter(
      (rule) => !touched.some((one) => one.match === rule.match && one.path === rule.path),
    );
    this.rules.push(...added);
    return added;
  }

  clear(match?: string): void {
    this.rules = match === undefined ? [] : this.rules.filter((rule) => rule.match !== match);
  }

  list(): readonly Dial[] {
    return this.rules;
  }

  get any(): boolean {
    return this.rules.length > 0;
  }

  /** The first matching dial of this name, one use of it spent. The most recent and narrowest wins. */
  take(name: DialName, text: string, path = ""): Dial | undefined {
    if (this.rules.length === 0) return undefined;
    let found: Dial | undefined;
    for (const rule of this.rules) {
      if (rule.name !== name || !text.includes(rule.match) || !path.includes(rule.path)) continue;
      if (!found || rule.match.length >= found.match.length) found = rule;
    }
    if (!found || found.left === null) return found;
    found.left -= 1;
    if (found.left === 0) this.rules = this.rules.filter((rule) => rule !== found);
    return found;
  }

  number(name: DialName, text: string, otherwise: number, path = ""): number {
    const dial = this.take(name, text, path);
    return typeof dial?.value === "number" ? dial.value : otherwise;
  }
}
