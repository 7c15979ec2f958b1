import { NeonDbError } from "@neondatabase/serverless";
import { describe, expect, it } from "vitest";
import { AppError } from "../http/errors.ts";
import { toAppError } from "./errors.ts";

function failure(fields: Partial<NeonDbError>): NeonDbError {
  return Object.assign(new NeonDbError("duplicate key value (email)=(ana@contoh.co)"), fields);
}

describe("a failure of the database", () => {
  it.each([
    ["the endpoint that cannot be reached", {}],
    ["a lost connection", { code: "08006" }],
    ["too many connections", { code: "53300" }],
    ["a shutdown", { code: "57P01" }],
    ["a serialisation failure", { code: "40001" }],
    ["a deadlock", { code: "40P01" }],
  ])("that is %s is 503 and can be tried again", (_, fields) => {
    expect(toAppError(failure(fields))).toMatchObject({ code: "unavailable", status: 503 });
  });

  it.each([
    ["text with NUL", "22021"],
    ["JSON with NUL", "22P05"],
  ])("that is %s is its sender's mistake", (_, code) => {
    expect(toAppError(failure({ code }))).toMatchObject({ code: "invalid_input", status: 400 });
  });

  it("that breaks a named constraint says what the caller of that write mapped it to", () => {
    const taken = { email_key: () => new AppError("conflict", "Email sudah terdaftar") };
    const broken = failure({ code: "23505", constraint: "email_key" });
    expect(toAppError(broken, taken)).toMatchObject({ code: "conflict" });
    expect(toAppError(broken, {})).toBe(broken);
    expect(
      toAppError(failure({ code: "23505", constraint: "other_key" }), taken),
    ).not.toBeInstanceOf(AppError);
  });

  it("that is our own bug stays one", () => {
    for (const code of ["42601", "42P01", "22P02", "22003", "23503"]) {
      expect(toAppError(failure({ code }))).not.toBeInstanceOf(AppError);
    }
    const other = new Error("x");
    expect(toAppError(other)).toBe(other);
  });

  it("that SQL raised has the raised code, words and keys; an unknown code is ours to mend", () => {
    const fields = { code: "LB001", hint: "sold_out", detail: '{"left":2}' };
    expect(toAppError(failure(fields))).toMatchObject({ code: "sold_out", meta: { left: 2 } });
    expect(toAppError(failure({ ...fields, hint: "typo" }))).toMatchObject({ code: "internal" });
    expect(toAppError(failure({ code: "LB001", hint: "toString" }))).toMatchObject({
      code: "internal",
    });
  });
});
