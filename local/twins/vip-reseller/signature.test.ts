import { expect, it } from "vitest";
import { accountSign } from "./signature.ts";
import { startVipResellerTwin } from "./twin.ts";

it("signs as the documented vectors", () => {
  expect(accountSign("APIID123", "APIKEY456")).toBe("7001b3a1c7c69e3d198daf27a69f477a");
  expect(accountSign("AbCdEf12", "A".repeat(64))).toBe("3981b143017f9e432c3ae5720c2b9a70");
  expect(accountSign("APIKEY456", "APIID123")).toBe("984564a04cec8d2364899912912d4854");
});

it("does not start without an id and a key, whose sign everybody knows", async () => {
  expect(accountSign("", "")).toBe("d41d8cd98f00b204e9800998ecf8427e");
  await expect(startVipResellerTwin({ apiId: "", apiKey: "" })).rejects.toThrow("id and a key");
});
