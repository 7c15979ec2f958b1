import { expect, it } from "vitest";
import { isToken, requestToken } from "./signature.ts";
import { apiKey } from "./testing.ts";

const vectors: [time: string, token: string][] = [
  ["1700000000", "df3637e00d16e973d82f44336a9372e9"],
  ["1767225600", "5942a5900be0103a36ae6cc5b4c6a6ae"],
  ["1700000000000", "3d9afe638080e88d2efd2c477bb43196"],
];

it.each(vectors)("signs %s as the provider's vector", (time, token) => {
  expect(requestToken(apiKey, time)).toBe(token);
  expect(isToken(token, apiKey, time)).toBe(true);
});

it("refuses a token of the plain key, in capitals, and a short one", () => {
  const time = "1700000000";
  expect(isToken("b9fc2ca4fdecf3eac58b503e5ad1aa05", apiKey, time)).toBe(false);
  expect(isToken("DF3637E00D16E973D82F44336A9372E9", apiKey, time)).toBe(false);
  expect(isToken("df36", apiKey, time)).toBe(false);
});
