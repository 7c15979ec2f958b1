/** What people and programs send who mean harm, or who do not know better. Every one has something that is refused. */
const FRAGMENTS = [
  ...[
    "'",
    '"',
    "`",
    "\\",
    ";",
    "{",
    "}",
    "$(touch /tmp/owned)",
    "`id`",
    "$\u007bIFS}",
    "$host",
    "|",
    "&&",
    ">",
  ],
  ...[
    "\n",
    "\r\n",
    "\0",
    "\t",
    "\u001b[2J",
    "\u007f",
    " ",
    "\u00a0",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\ud800",
  ],
  ...[
    "../",
    "/../../etc/passwd",
    "/..",
    "//",
    "/./",
    "%2e%2e%2f",
    "..\\",
    "~root/",
    "*",
    "?",
    "[a-z]",
    "#",
  ],
  ...[
    "\n}\nserver { listen 1; }\n",
    ";\ninclude /etc/passwd;\n#",
    "\n[global]\nuser=root\n",
    "\nExecStart=/bin/sh\n",
  ],
  ...[
    "е",
    "ѕ",
    "／",
    "．",
    "ⅰ",
    "ａ",
    "😀",
    "é",
    "e\u0301",
    "\u200b",
    "--help\n",
    "-o\nProxyCommand=x",
    "%s%n",
    "<?php",
  ],
  ...[
    "A".repeat(300).concat("!"),
    "x".repeat(5_000).concat(";"),
    "'; drop table x; --",
    "\u0000.php",
  ],
];

/** The same numbers for the same seed. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A value of a field with something in it, before it, after it, or in its place. */
export function hostileValue(roll: (below: number) => number, good: string): string {
  const fragment = () => FRAGMENTS[roll(FRAGMENTS.length)] ?? ";";
  const at = roll(good.length + 1);
  switch (roll(5)) {
    case 0:
      return fragment() + good;
    case 1:
      return good + fragment();
    case 2:
      return fragment();
    case 3:
      return good.slice(0, at) + fragment() + fragment() + good.slice(at);
    default:
      return good.slice(0, at) + fragment() + good.slice(at);
  }
}

/** The ways to all strings in an input. */
export function stringsIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value === "string") return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => stringsIn(inner, [...path, key]));
}

/** The input with another text at one of these ways. */
export function withAt(value: unknown, [key, ...rest]: string[], put: string): unknown {
  if (key === undefined) return put;
  if (Array.isArray(value)) return value.map((one, at) => (String(at) === key ? put : one));
  const object = value as Record<string, unknown>;
  return { ...object, [key]: withAt(object[key], rest, put) };
}

export const textAt = (value: unknown, path: string[]): string =>
  String(path.reduce((inner, key) => (inner as Record<string, unknown>)[key], value));
