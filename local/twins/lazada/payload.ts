import { isObject, type Json, parseJson } from "../common/fields.ts";
import { readXml } from "./xml.ts";

/** What `Request` holds, from JSON text or XML; null when it is neither. */
export function readPayload(text: string): Json | null {
  const whole = text.trimStart().startsWith("<") ? readXml(text) : parseJson(text);
  const inner = isObject(whole) ? whole.Request : null;
  return isObject(inner) ? inner : null;
}

/** In JSON a list must be one even with a single element; XML cannot say. */
export function listOf(value: unknown, isXml: boolean): unknown[] | null {
  if (Array.isArray(value)) return value;
  return isXml && value !== undefined ? [value] : null;
}
