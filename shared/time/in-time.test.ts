import { expect, it } from "vitest";
import { inTime } from "./in-time.ts";

it("what answers in time is answered, also with its failure", async () => {
  expect(await inTime(1_000, Promise.resolve("here"))).toBe("here");
  await expect(inTime(1_000, Promise.reject(new Error("broken")))).rejects.toThrow("broken");
});

it("what does not is unavailable, and its own late failure is nobody's", async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  await expect(inTime(5, promise)).rejects.toMatchObject({ code: "unavailable" });
  reject(new Error("too late to matter"));
  await expect(promise).rejects.toThrow("too late");
});
