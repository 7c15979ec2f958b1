import { describe, expect, it } from "vitest";
import { z } from "zod";
import { likePattern, pagingQuery } from "./answers.ts";

const Paging = z.object(pagingQuery);

describe("paging (TB-15)", () => {
  it.each([
    [{}, 1, 20],
    [{ page: "3", limit: "50" }, 3, 50],
    [{ page: "0", limit: "0" }, 1, 20],
    [{ page: "-7", limit: "-1" }, 1, 20],
    [{ page: "NaN", limit: "abc" }, 1, 20],
    [{ page: "", limit: "" }, 1, 20],
    [{ page: "2.9", limit: "1e1" }, 2, 10],
    [{ page: "1e308", limit: "999999999" }, 10_000, 100],
    [{ page: "Infinity", limit: "-Infinity" }, 1, 20],
    [{ page: ["1", "2"], limit: null }, 1, 20],
  ])("reads %j as page %i of %i", (query, page, limit) => {
    expect(Paging.parse(query)).toEqual({ page, limit });
  });
});

describe("a search", () => {
  it("takes wildcards for letters", () => {
    expect(likePattern("100%_a\\b")).toBe("%100\\%\\_a\\\\b%");
  });
});
