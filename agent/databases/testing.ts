const PIECES = [
  ...[
    "'",
    '"',
    "`",
    "``",
    "\\",
    "\\'",
    "\\\\",
    "\n",
    "\r\n",
    "\t",
    "\0",
    ";",
    "--",
    "-- ",
    "#",
    "/*",
    "*/",
  ],
  ...[
    "%",
    "_",
    "\\_",
    ".",
    "..",
    "@",
    "(",
    ")",
    ",",
    "=",
    "{",
    "}",
    "$()",
    "?",
    ":name",
    "@name",
    "\u001a",
  ],
  ...[
    "' OR 1=1 -- ",
    "`; DROP DATABASE mysql; -- ",
    "x'@'%' IDENTIFIED BY 'y",
    "\\'; SHUTDOWN; #",
    "\u00bf'",
  ],
  ...[
    "ᴀdmin",
    "rооt",
    "ſys",
    "mуsql",
    "\u212aey",
    "ﬁ",
    "\u202e",
    "\u200b",
    "ａｐｐ",
    "😀",
    "é",
    "e\u0301",
  ],
  ...[
    "a",
    "B",
    "7",
    "app",
    "root",
    "mysql",
    "sys",
    "nusantarad",
    "localhost",
    "NULL",
    "DEFAULT",
    "../../etc",
  ],
  "a".repeat(64),
  "x".repeat(300),
];

/** Values that have broken programs before, the same in every run. */
export function hostileValues(count: number, seed = 1): string[] {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const made = new Set(PIECES);
  made.add("").add(" ").add("x".repeat(70_000));
  while (made.size < count) {
    const parts = Array.from({ length: 1 + next(5) }, () => PIECES[next(PIECES.length)] ?? "");
    made.add(parts.join(""));
  }
  return [...made].slice(0, count);
}
