const toEscape = (character: string) =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** JSON in the letters of PHP's `json_encode`: `/` escaped and, unless `rawUnicode`, all that is not ASCII. */
export function phpJson(value: unknown, { rawUnicode }: { rawUnicode: boolean }): string {
  const text = (JSON.stringify(value) ?? "null").replaceAll("/", "\\/");
  return text.replace(rawUnicode ? /[\u2028\u2029]/g : /[\u0080-\uffff]/g, toEscape);
}

/** The same for the fields of an object, sorted by byte like PHP's `ksort`. */
export function phpJsonSorted(
  fields: readonly (readonly [string, unknown])[],
  options: { rawUnicode: boolean },
): string {
  // Joined by hand: an object of JavaScript would put keys that look like numbers first.
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  const pairs = sorted.map(([key, value]) => `${phpJson(key, options)}:${phpJson(value, options)}`);
  return `{${pairs.join(",")}}`;
}
