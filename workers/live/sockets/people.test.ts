import { expect, it } from "vitest";
import { tokenOf } from "./people.ts";

const REQUEST = { headers: {}, query: {}, address: "" };

it.each<{ token: unknown }>([
  { token: { toString: 1, valueOf: 1 } },
  { token: {} },
  { token: [] },
  { token: 12 },
])(
  "what is no text ($token) is some token, and none of ours: its client is refused, not met with an error",
  ({ token }) => {
    expect(tokenOf(REQUEST, { token })).toEqual(expect.any(String));
  },
);

it.each([undefined, null, "", "null", "undefined"])("%j is no token: a guest's", (token) => {
  expect(tokenOf(REQUEST, { token })).toBeNull();
});
