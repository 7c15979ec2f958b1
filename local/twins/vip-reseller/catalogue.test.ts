import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../testing/call.ts";
import { type Reseller, startReseller } from "./testing.ts";

let reseller: Reseller;

beforeAll(async () => {
  reseller = await startReseller();
});
afterAll(() => reseller.stop());

describe("the catalogue", () => {
  const services = async (endpoint: string, fields: Record<string, string> = {}) =>
    (await reseller.ask(endpoint, { type: "services", ...fields })).body.data;

  it("has some hundred services in the documented shapes", async () => {
    const [prepaid, games, social] = await Promise.all(
      ["prepaid", "game-feature", "social-media"].map((endpoint) => services(endpoint)),
    );
    expect(prepaid.length + games.length + social.length).toBeGreaterThan(300);
    const price = { basic: 10_764, premium: 10_557, special: 10_350 };
    expect(prepaid.find((one: Record<string, unknown>) => one.code === "S10")).toEqual({
      brand: "TELKOMSEL",
      code: "S10",
      name: "TELKOMSEL 10.000",
      note: expect.any(String),
      price,
      status: "available",
      multi_trx: true,
      maintenace: "00:00 - 00:00",
      category: "Pulsa Reguler",
      prepost: "prepaid",
      type: "pulsa-reguler",
    });
    expect(games.find((one: Record<string, unknown>) => one.code === "ML86-S1")).toEqual({
      code: "ML86-S1",
      game: "Mobile Legends",
      name: "86 Diamonds",
      price: expect.any(Object),
      server: "1",
      status: "available",
    });
    expect(social[0]).toEqual({
      category: "Instagram Followers",
      id: 1001,
      min: 50,
      max: 10_000,
      name: "Instagram Followers Indonesia",
      note: expect.any(String),
      price: expect.any(Object),
      status: "available",
    });
  });

  it("filters as documented, and knows no filter_game", async () => {
    const brand = await services("prepaid", { filter_type: "brand", filter_value: "PLN" });
    expect(brand).toHaveLength(6);
    const type = await services("prepaid", { filter_type: "type", filter_value: "saldo-emoney" });
    expect(type).toHaveLength(40);
    const game = { filter_type: "game", filter_value: "Valorant" };
    expect(await services("game-feature", game)).toHaveLength(9);
    const gone = await services("game-feature", { filter_status: "empty" });
    expect(gone).toMatchObject([{ code: "ML13-S1", status: "empty" }]);
    const all = await services("game-feature");
    expect(await services("game-feature", { filter_game: "Valorant" })).toHaveLength(all.length);
  });

  it("grows to 30,000 services on request, each under its own code", async () => {
    const large = await startReseller({ services: 30_000 });
    const count = async (endpoint: string) =>
      (await large.ask(endpoint, { type: "services" })).body.data.length as number;
    const counts = [
      await count("prepaid"),
      await count("game-feature"),
      await count("social-media"),
    ];
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(30_000);
    expect((await large.buy({ service: "G500X3" })).body.result).toBe(true);
    await large.stop();
  });

  it("changes by hand", async () => {
    const path = `${reseller.twin.url}/_services/X100`;
    await call("POST", path, { price: 90_000, status: "empty", maintenance: "01:00 - 02:00" });
    const found = (await services("prepaid", { filter_type: "brand", filter_value: "XL" })).find(
      (one: Record<string, unknown>) => one.code === "X100",
    );
    expect(found).toMatchObject({
      status: "empty",
      price: { special: 90_000 },
      maintenace: "01:00 - 02:00",
    });
    expect((await reseller.buy({ service: "X100" })).body.result).toBe(false);
  });
});

describe("nicknames", () => {
  const ask = async (code: string, target: string, additional_target?: string) =>
    (await reseller.ask("game-feature", { type: "get-nickname", code, target, additional_target }))
      .body;

  it("are texts, the same each time", async () => {
    const first = await ask("mobile-legends", "12345678", "2001");
    expect(first).toEqual({ result: true, data: expect.any(String), message: "Success." });
    expect(await ask("mobile-legends", "12345678", "2001")).toEqual(first);
    expect((await ask("free-fire", "123456789", "")).result).toBe(true);
    expect((await ask("valorant", "Budi#ID1")).result).toBe(true);
    expect((await ask("genshin-impact", "812345678", "os_asia")).result).toBe(true);
  });

  it("come with a country where the region is asked for", async () => {
    const answer = await ask("mobile-legends-region", "12345678", "2001");
    expect(answer).toMatchObject({
      data: expect.any(String),
      country: { code: expect.any(String) },
    });
  });

  it("have a list of their games", async () => {
    const { text } = await call("GET", `${reseller.twin.url}/api/nickname-game-code.txt`);
    expect(text.split("\n")).toContain("honkai-star-rail");
  });
});
