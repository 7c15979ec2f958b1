import { gameService, gameServices } from "./games.ts";
import { prepaid, prepaidServices } from "./prepaid.ts";
import type { Family, Service } from "./services.ts";
import { socialService, socialServices } from "./social.ts";

/** Generated services, six in ten of them data plans, to try what a long price list does. */
function generated(index: number): Service {
  const group = Math.floor(index / 10);
  const kind = index % 10;
  if (kind < 6) {
    const brand = `OPERATOR ${group % 40}`;
    const line = { brand, prefix: `G${group}X`, category: "Paket Data", type: "paket-internet" };
    const name = `${brand} Data ${kind + 1} GB ${group} Hari`;
    return prepaid(line, kind, name, 5000 + (index % 997) * 150);
  }
  if (kind < 9) {
    const game = `Game ${group % 250}`;
    const line = { game, prefix: `GM${group}`, unit: "Gems", needsZone: false, each: 140 };
    return gameService(line, (kind - 5) * 100, 1);
  }
  const category = `Layanan ${group % 60}`;
  const bounds = { min: 10, max: 100_000 };
  return socialService(100_000 + group, category, `${category} ${group}`, 900 + group, bounds);
}

/** Some hundred services that are always the same, and as many more as make up `count`. */
export function makeCatalogue(count = 0): Map<Family, Map<string, Service>> {
  const services: Service[] = [...prepaidServices(), ...gameServices(), ...socialServices()];
  for (let index = 0; services.length < count; index += 1) services.push(generated(index));
  const families: Family[] = ["prepaid", "game-feature", "social-media"];
  return new Map(
    families.map((family) => [
      family,
      new Map(
        services.filter((one) => one.family === family).map((one) => [one.code, one] as const),
      ),
    ]),
  );
}
