import { isObject, type Json } from "./fields.ts";

/**
 * Faults a twin can be told to make. Of requests: `delayMs` before acting, `refuse` (value: the HTTP
 * status), `rubbish` (200 with HTML), `down` (the socket is destroyed) without acting, unless `acts`;
 * `timeOut` acts and never answers. Of notices: `noticeDelayMs`, `duplicate` (value: extra copies),
 * `reorder` (kept back until the next one of the same subject has gone, or `value` ms), `lose`,
 * `forge` (wrong signature), `retryScale` (of the documented spacing). The rest belong to one twin.
 */
export const dialNames = [
  "delayMs",
  "refuse",
  "rubbish",
  "down",
  "timeOut",
  "noticeDelayMs",
  "duplicate",
  "reorder",
  "lose",
  "forge",
  "retryScale",
  "httpErrors",
  "noQrString",
  "bankConfirmMs",
  "prepaid",
  "repeatOrder",
  "full",
  "awbDelayMs",
  "cancelDelayMs",
  "resend",
  "tooMany",
] as const;
export type DialName = (typeof dialNames)[number];

export interface Dial {
  name: DialName;
  value: number | string | boolean;
  match: string;
  path: string;
  acts: boolean;
  left: number | null;
}

function isDialName(name: string): name is DialName {
  return (dialNames as readonly string[]).includes(name);
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
        throw new Error(`unknown dial ${name}; there are ${dialNames.join(", ")}`);
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
