/** What is put into texts to break out of them. */
const FRAGMENTS = [
  ...["'", '"', "`", "\\", "\\'", "''", ";", "; rm -rf /", "{", "}", "};", "{{7*7}}", "$(id)"],
  ...[
    "$HOME",
    "$" + "{IFS}",
    "|",
    "||",
    "&&",
    "&",
    ">",
    "<",
    "<!--",
    "<?php",
    "#",
    "\n",
    "\r\n",
    "\t",
  ],
  ...["\u0000", "\u0001", "\u001b[31m", "\u007f", "\u0085", "\u2028", "\u00a0", "\ufeff", "\u200b"],
  ...["\u202e", "\ud800", "\udc00", "\uff0e", "\u2024", "\u3002", "\uff0f", "\u2215", "\u212a"],
  ...["\u017f", "а", "ο", "é", "ß", "İ", "🌾", "../", "..\\", "/../", "/..", "/./", "//", "/", "."],
  ...[
    "..",
    "...",
    "%00",
    "%2e%2e%2f",
    "%0a",
    "-",
    "--",
    "-rf",
    "--config=/etc/passwd",
    "~",
    "~root",
  ],
  ...[
    "*",
    "?",
    "[a-z]",
    "!",
    "@",
    "=",
    ":",
    ",",
    " ",
    "  ",
    "+",
    "^",
    "(",
    ")",
    "file:///etc/passwd",
  ],
  ...[
    "' or 1=1; --",
    "'); drop table panel_sites; --",
    "root",
    "mysql",
    "/etc/passwd",
    "/proc/self",
  ],
  ...["server_name _;", "return 301 http://x;", "include /etc/shadow;", "null", "undefined", "NaN"],
  ...["__proto__", "constructor", "true", "0", "-1", "1e9", "a".repeat(300), "9".repeat(70)],
  ...["x".repeat(5_000), "/a".repeat(400), "a.".repeat(200), "\n".repeat(50), "%".repeat(100)],
];

/** What is not a text at all. */
export const ODD: unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e308, [], {}, ["a"], [[]], { a: 1 }],
  JSON.parse('{"__proto__": {"a": 1}}'),
];

/** The same numbers for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A text that was good, with one to three fragments in it, in front of it, behind it or in its stead. */
export function hostileText(good: string, random: () => number): string {
  const pick = () => FRAGMENTS[Math.floor(random() * FRAGMENTS.length)] ?? "";
  let text = random() < 0.1 ? "" : good;
  for (let n = 1 + Math.floor(random() * 3); n > 0; n -= 1) {
    const at = Math.floor(random() * (text.length + 1));
    text = text.slice(0, at) + pick() + text.slice(at);
  }
  return text;
}
