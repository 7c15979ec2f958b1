/** Control characters and what turns the direction of text around: they hide what a line says. */
const INVISIBLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu;

/** One line of text that rooms may show: no control characters, no half characters, at most so long. */
export function cleanText(value: unknown, most: number): string {
  if (typeof value !== "string") return "";
  return cut(oneLine(start(value, most)), most);
}

/** The same of several lines, for talks of two: a line break of any kind stays, as "\n". */
export function cleanLines(value: unknown, most: number): string {
  if (typeof value !== "string") return "";
  const lines = start(value, most).split(/\r\n|[\n\r\u2028\u2029]/u);
  return cut(lines.map(oneLine).join("\n").trim(), most);
}

/** What is far too long is cut first, so that a megabyte is not searched. */
const start = (value: string, most: number) => value.slice(0, most * 2).toWellFormed();
const oneLine = (text: string) => text.replace(INVISIBLE, " ").trim();
const cut = (text: string, most: number) => [...text].slice(0, most).join("");

/** A number of ours in a payload: the app sends ids as numbers or as digits. Null for anything else. */
export function idOf(value: unknown): number | null {
  const text = typeof value === "number" || typeof value === "string" ? String(value) : "";
  if (!/^[1-9]\d{0,15}$/.test(text)) return null;
  const id = Number(text);
  return Number.isSafeInteger(id) ? id : null;
}
