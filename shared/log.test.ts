import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { createLog, describeError } from "./log.ts";

afterEach(() => vi.restoreAllMocks());

describe("the log", () => {
  it("writes one JSON line per event with its level and the request's id", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    createLog("req-1").warn("baris\nbaru", { order: "o-1", ms: 3, last: null });
    const [line] = warn.mock.calls[0] ?? [];
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toEqual({
      level: "warn",
      message: "baris\nbaru",
      requestId: "req-1",
      order: "o-1",
      ms: 3,
      last: null,
    });
  });
});

describe("describeError", () => {
  it("tells kind, code and calls, not the words", () => {
    const error = Object.assign(new TypeError("ana@contoh.co is wrong"), { code: "23505" });
    const told = describeError(error);
    expect(told).toMatchObject({ error: "TypeError", code: "23505" });
    expect(told.stack).toMatch(/^at /);
    expect(JSON.stringify(told)).not.toContain("ana@contoh.co");
  });

  it("tells nothing of a message of many lines, even one that looks like calls", () => {
    const message =
      "select *\nfrom identity_users\n    at ana@contoh.co (rahasia)\nwhere phone = '0812'";
    const told = JSON.stringify(describeError(new Error(message)));
    for (const word of ["select", "identity_users", "ana@", "rahasia", "0812"]) {
      expect(told).not.toContain(word);
    }
  });

  it("tells nothing of what a zod error quotes", () => {
    const { error } = z.object({ kind: z.enum(["a"]) }).safeParse({ kind: "rahasia", more: 1 });
    const told = JSON.stringify(describeError(error));
    expect(told).toContain("ZodError");
    expect(told).not.toMatch(/rahasia|kind|Invalid|path/);
  });

  it.each([
    ["a text", "rahasia"],
    ["null", null],
    ["an object", { password: "rahasia" }],
  ])("tells only the type of %s that was thrown", (_, thrown) => {
    expect(JSON.stringify(describeError(thrown))).not.toContain("rahasia");
  });
});
