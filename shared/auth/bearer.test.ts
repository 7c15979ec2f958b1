import { expect, it } from "vitest";
import { bearerOf } from "./bearer.ts";

it.each([
  ["Bearer a.b.c", "a.b.c"],
  ["bearer a.b.c", "a.b.c"],
  ["BEARER  a.b.c ", "a.b.c"],
])("takes the token of %s", (header, token) => {
  expect(bearerOf(header)).toBe(token);
});

it.each(["Basic a.b.c", "Bearer a.b.c x", "Bearer", "Bearer ", "a.b.c", "xBearer a.b.c", "", null])(
  "takes nothing of %s",
  (header) => {
    expect(bearerOf(header)).toBeNull();
  },
);
