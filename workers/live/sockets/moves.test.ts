import { expect, it } from "vitest";
import { Moves } from "./moves.ts";

const USER = 7;

it("a socket that moves on takes along which events it has, and none that only others had where it was", () => {
  const moves = new Moves(() => 0);
  moves.direct("before", USER);
  moves.came("a", USER, ["taken along"]);
  moves.direct("since", USER);
  moves.passedOn("another's", { socket: "b", userId: USER });
  expect(moves.latest(USER, "a")).toEqual(["taken along", "since"]);
  expect(moves.passedOn("before", { socket: "a", userId: USER })).toBe(true);
  for (const event of ["before", "taken along", "since"]) {
    expect(moves.passedOn(event, { socket: "a", userId: USER })).toBe(false);
  }
  expect(moves.latest(USER, "a")).toEqual(["before", "taken along", "since"]);
});
