import { expect, it } from "vitest";
import { isReadable } from "./readable.ts";

it.each([
  ["zero-width characters", "\u200b\u200c\u200d\u2060\ufeff"],
  ["changes of direction", "\u202e\u202d\u2066\u2069\u200f"],
  ["soft hyphens and spaces", "\u00ad \u00a0\u3000\u2003"],
  ["blank letters", "\u115f\u1160\u3164\uffa0\u2800"],
  ["marks on nothing", "\u034f\ufe0f\u{e0100}"],
  ["nothing", ""],
])("a name of %s shows nothing", (_, name) => {
  expect(isReadable(name)).toBe(false);
});

it.each(["Kopi Blitar", "5", "🍪", "👨\u200d🍳", "قهوة", "वाफर", "가게", "¿?"])(
  "%s can be read",
  (name) => {
    expect(isReadable(name)).toBe(true);
  },
);
