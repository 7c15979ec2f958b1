import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";

const wished = async (family: "prepaid" | "game" | "social", targets: readonly string[]) => {
  const list = JSON.stringify(targets);
  const found = await testContext().db.run(
    rows(
      sql`select coalesce(topup_wished_target(${family}, t), '') as key
        from jsonb_array_elements_text(${list}::jsonb) with ordinality l(t, n) order by n`,
      z.object({ key: z.string() }),
    ),
  );
  return found.map(({ key }) => key);
};

const spotify = "https://open.spotify.com";
const facebook = "https://www.facebook.com";

describe("whether a like order is meant is asked", () => {
  it.each([
    ["player's name in other letters", ["Pemain#ID1", "pemain#id1", "Pe main #ID1"]],
    ["player's number with zeros", ["12345678", "012345678"]],
  ])("of a %s", async (_, targets) => {
    expect(new Set(await wished("game", targets)).size).toBe(1);
  });

  it.each([
    [
      "song",
      [`${spotify}/track/4uLU`, `${spotify}/track/4uLU?si=a1`, `${spotify}/intl-id/track/4uLU`],
    ],
    [
      "page",
      [
        ...[
          `${facebook}/Toko.Kita`,
          `${facebook}/toko.kita/?mibextid=a1`,
          "https://fb.com/toko.kita",
        ],
        ...[
          "https://id-id.facebook.com/toko.kita",
          "HTTPS://M.FACEBOOK.COM/toko.kita#",
          "@toko.kita",
        ],
      ],
    ],
    [
      "profile by its number",
      [`${facebook}/profile.php?id=7`, "https://m.facebook.com/profile.php?mibextid=a1&id=7"],
    ],
    [
      "channel",
      ["https://t.me/kabar", "https://telegram.me/Kabar", "https://t.me/kabar/", "@kabar"],
    ],
    [
      "video",
      [
        ...["https://www.tiktok.com/@toko/video/73", "https://tiktok.com/@TOKO/video/73?_r=1"],
        "https://www.tiktok.com/@/video/73/",
      ],
    ],
    ["word", ["https://x.com/toko/status/5", "https://twitter.com/Toko/status/5?s=20"]],
    ["account", ["https://instagram.com/toko", "HTTPS://WWW.INSTAGRAM.COM/Toko/?igsh=a1", "@TOKO"]],
  ])("of a %s however its link was copied", async (_, targets) => {
    expect(new Set(await wished("social", targets)).size).toBe(1);
  });
});

it("targets that differ are not asked about", async () => {
  const links = [
    ...[`${facebook}/profile.php?id=7`, `${facebook}/profile.php?id=8`, `${facebook}/profile.php`],
    ...["https://t.me/+AbC", "https://t.me/+aBc", "https://t.me/kabar/5", "https://t.me/kabar/6"],
    ...[`${spotify}/track/4uLU`, `${spotify}/track/4ulu`, `${spotify}/album/4uLU`],
    ...["https://x.com/toko/status/5", "https://x.com/toko/status/6", "https://x.com/toko"],
    ...["https://youtube.com/channel/UCa", "https://youtube.com/channel/UCA"],
    ...[
      "https://toko.example/?utm=1",
      "https://toko.example/?utm=2",
      "https://toko.example/?asi=2",
    ],
  ];
  expect(new Set(await wished("social", links)).size).toBe(links.length);
  const players = ["Pemain#ID1", "Pemain#ID2", "12345678", "1234567", "10"];
  expect(new Set(await wished("game", players)).size).toBe(players.length);
  expect(await wished("prepaid", ["012345678901", "12345678901"])).toEqual([
    "012345678901",
    "12345678901",
  ]);
});
