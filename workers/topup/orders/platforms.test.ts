import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { testContext } from "../../testing/api.ts";

/** The platform by which a service's targets are judged. */
async function platformOf(brand: string, name = ""): Promise<string | null> {
  const [found] = await testContext().db.run(
    rows(
      sql`select platform from topup_platform_of(${brand}, ${name})`,
      z.object({ platform: z.string().nullable() }),
    ),
  );
  return found?.platform ?? null;
}

/** What an order of the brand's service for that target is refused with, or "taken". */
async function judged(brand: string, target: string): Promise<string> {
  const service = JSON.stringify({ family: "social", brand, name: brand, target_kind: "link" });
  const judge = rows(
    sql`select topup_require_target(jsonb_populate_record(null::topup_services,
      ${service}::jsonb || '{"needs_zone": false}'), ${target}, null)::text as nothing`,
    z.unknown(),
  );
  return await testContext()
    .db.run(judge)
    .then(
      () => "taken",
      (error: unknown) => {
        if (!(error instanceof AppError) || error.code !== "invalid_input") throw error;
        return error.message;
      },
    );
}

const refusal = (platform: string, host: string) =>
  `Target must be a link or a username on ${platform} (${host})`;

describe("the platform of a service", () => {
  it.each([
    ["Instagram Followers", "Instagram"],
    ["🇮🇩 INSTAGRAM Likes", "Instagram"],
    ["𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 Views", "Instagram"],
    ["IG Story", "Instagram"],
    ["Tik Tok Views", "TikTok"],
    ["Youtube Views [Google Ads]", "YouTube"],
    ["FB Page Likes", "Facebook"],
    ["X / Twitter Followers", "X"],
    ["X (Twitter)", "X"],
    ["X Followers", "X"],
    ["Retweets", "X"],
    ["Threads Followers", "Threads"],
    ["Google Maps Reviews", "Google"],
    ["Google My Business", "Google"],
    ["Linkedin", "LinkedIn"],
    ["Snack Video Followers", "SnackVideo"],
  ])("is the one that its brand names: %s is for %s", async (brand, platform) => {
    expect(await platformOf(brand)).toBe(platform);
  });

  it("is the brand's whatever the name says, and the name's where the brand names none", async () => {
    expect(await platformOf("Instagram Likes", "TikTok Likes")).toBe("Instagram");
    expect(await platformOf("Promo", "🔥 TikTok Likes 100 x 5")).toBe("TikTok");
    expect(await platformOf("", "Spotify Plays")).toBe("Spotify");
  });

  it.each([
    ["Website Traffic", "Traffic from Instagram"],
    ["Website Traffic from Instagram", ""],
    ["Web Traffic", "YouTube visitors"],
    ["Google SEO", ""],
    ["Google", "Google Ads"],
    ["Instagram Threads", "Threads Followers"],
    ["Facebook / Instagram", "Instagram Likes"],
    ["Promo", "Instagram & TikTok Likes"],
    ["Layanan 7", "Layanan 7 100007"],
    ["Xbox", "Mix 100 x"],
    ["", ""],
  ])("is none where none or several are named: %s, %s", async (brand, name) => {
    expect(await platformOf(brand, name)).toBeNull();
  });
});

/** By brand: the platform as its buyers read it, the host that they are told, and links that lead there. */
const LINKS: [brand: string, platform: string, host: string, links: string[]][] = [
  [
    "Instagram Followers",
    "Instagram",
    "instagram.com",
    [
      ...["https://instagram.com/toko", "http://www.instagram.com/p/CAbC_1-x/?igsh=a%3D%3D"],
      ...["HTTPS://Instagram.COM:443/reel/X", "https://instagr.am/p/X", "https://ig.me/m/toko"],
      ...["https://l.instagram.com/?u=https://toko.example", "www.instagram.com"],
    ],
  ],
  [
    "TikTok Views",
    "TikTok",
    "tiktok.com",
    [
      ...["https://www.tiktok.com/@toko/video/73?_r=1", "https://vt.tiktok.com/ZS8abc/"],
      ...["https://vm.tiktok.com/ZM8abc", "https://m.tiktok.com/v/73.html"],
      ...["https://lite.tiktok.com/t/ZS8", "https://tiktok.app.link/x"],
      "https://vt.tokopedia.com/t/ZS8",
    ],
  ],
  [
    "Youtube Subscribers",
    "YouTube",
    "youtube.com",
    [
      ...["https://youtu.be/dQw4w9WgXcQ?si=x", "https://m.youtube.com/watch?v=dQw4w9WgXcQ"],
      ...["https://music.youtube.com/watch?v=x", "https://www.youtube-nocookie.com/embed/x"],
    ],
  ],
  [
    "Facebook Page",
    "Facebook",
    "facebook.com",
    [
      ...["https://m.facebook.com/story.php?id=7", "https://web.facebook.com/toko"],
      ...["https://fb.watch/abc/", "https://fb.me/toko", "https://fb.com/toko"],
      ...["https://l.facebook.com/l.php?u=x", "https://id-id.facebook.com/toko"],
    ],
  ],
  [
    "Twitter Followers",
    "X",
    "x.com",
    [...["https://x.com/toko", "https://mobile.twitter.com/toko", "https://t.co/abc"]],
  ],
  [
    "Threads Likes",
    "Threads",
    "threads.com",
    ["https://www.threads.net/@a", "https://threads.com/@a"],
  ],
  [
    "Telegram Members",
    "Telegram",
    "t.me",
    [
      ...["https://t.me/+AbC", "https://telegram.me/kabar", "https://telegram.dog/kabar"],
      ...["https://web.telegram.org/k/#@kabar", "https://toko.t.me"],
    ],
  ],
  [
    "Spotify Plays",
    "Spotify",
    "spotify.com",
    ["https://open.spotify.com/intl-id/track/4uLU", "https://spotify.link/a", "https://spoti.fi/a"],
  ],
  [
    "SoundCloud",
    "SoundCloud",
    "soundcloud.com",
    ["https://on.soundcloud.com/a", "https://m.soundcloud.com/a"],
  ],
  [
    "Shopee Followers",
    "Shopee",
    "shopee.co.id",
    [
      ...["https://shopee.co.id/toko", "https://s.shopee.co.id/a", "https://shopee.com.my/toko"],
      ...[
        "https://shopee.sg/toko",
        "https://id.shp.ee/a",
        "https://shope.ee/a",
        "https://shopee.com/a",
      ],
    ],
  ],
  [
    "Tokopedia",
    "Tokopedia",
    "tokopedia.com",
    [
      ...["https://www.tokopedia.com/toko", "https://tokopedia.link/a"],
      "https://tokopedia.app.link/a",
    ],
  ],
  [
    "LinkedIn Followers",
    "LinkedIn",
    "linkedin.com",
    ["https://id.linkedin.com/in/a", "https://lnkd.in/a"],
  ],
  [
    "Discord Members",
    "Discord",
    "discord.com",
    ["https://discord.gg/a", "https://discordapp.com/invite/a"],
  ],
  ["Twitch Followers", "Twitch", "twitch.tv", ["https://clips.twitch.tv/a"]],
  [
    "Whatsapp Channel",
    "WhatsApp",
    "whatsapp.com",
    [
      "https://chat.whatsapp.com/a",
      "https://wa.me/628123",
      "https://www.whatsapp.com/channel/0029",
    ],
  ],
  [
    "Pinterest",
    "Pinterest",
    "pinterest.com",
    ["https://pin.it/a", "https://id.pinterest.com/a", "https://pinterest.co.uk/a"],
  ],
  ["Snapchat", "Snapchat", "snapchat.com", ["https://t.snapchat.com/a"]],
  ["Likee", "Likee", "likee.video", ["https://l.likee.video/v/a"]],
  ["Kwai", "Kwai", "kwai.com", ["https://s.kw.ai/p/a"]],
  ["SnackVideo", "SnackVideo", "snackvideo.com", ["https://sck.io/p/a"]],
  [
    "Google Reviews",
    "Google",
    "google.com",
    [
      ...[
        "https://maps.app.goo.gl/a",
        "https://g.page/r/a",
        "https://www.google.co.id/maps/place/a",
      ],
      ...["https://maps.google.com/?cid=7", "https://goo.gl/maps/a"],
    ],
  ],
  ["Bigo Live", "Bigo", "bigo.tv", ["https://www.bigo.tv/7", "https://slink.bigovideo.tv/a"]],
  ["Clubhouse", "Clubhouse", "clubhouse.com", ["https://www.joinclubhouse.com/@a"]],
];

describe.each(LINKS)("a service of %s", (brand, platform, host, links) => {
  it("takes the links of its platform", async () => {
    for (const link of links) expect(await judged(brand, link), link).toBe("taken");
  });

  it("takes links that cannot be judged, and names of any form", async () => {
    const open = ["https://bit.ly/a", "https://s.id/a", "https://linktr.ee/a", "HTTP://GOO.GL/a"];
    const names = ["@toko", "toko.blitar", "tiktok.com", "@www.toko.id", "www.toko"];
    for (const one of [...open, ...names]) expect(await judged(brand, one), one).toBe("taken");
  });

  it("refuses links to anywhere else, with the words to put it right", async () => {
    const others = LINKS.filter(([, other]) => other !== platform).map(([, , site]) => site);
    const sites = [
      ...others,
      "toko.example",
      `${host}.evil.example`,
      `evil${host}`,
      "xn--a-ecp.com",
    ];
    for (const site of sites) {
      for (const link of [
        `https://${site}/a`,
        `HTTP://WWW.${site.toUpperCase()}:443`,
        `www.${site}`,
      ]) {
        expect(await judged(brand, link), link).toBe(refusal(platform, host));
      }
    }
  });
});

it("a link to anywhere is taken where a service names no platform", async () => {
  for (const link of ["https://toko.example/a", "https://tiktok.com/@x", "www.toko.example"]) {
    expect(await judged("Website Traffic", link), link).toBe("taken");
  }
});

it.each([
  "https://instagram.com@evil.example/",
  "https://instagram.com:a@evil.example/",
  "https://evil.example\\@instagram.com/",
  "https://instаgram.com/toko",
  "https://instagram.com\u3002evil.example/",
  "https://[::1]/instagram.com",
  "https://%69nstagram.com/a",
  "https://",
])("%s, which is written to be misread, is refused in words", async (target) => {
  expect(await judged("Instagram Likes", target)).toMatch(/^Target must be a link or a username/);
});

it("a link leads where a browser would go with it", async () => {
  const links = [
    ...["https://instagram.com/@evil.example", "https://evil.example/@instagram.com"],
    ...["HTTPS://Evil.Example:8443/https://instagram.com/", "https://instagram.com/\\evil.example"],
    ...["http://a.b-c.instagram.com", "https://instagram.com:80/?u=//evil.example#@evil.example"],
  ];
  for (const link of links) {
    const [found] = await testContext().db.run(
      rows(sql`select topup_link_host(${link}) as host`, z.object({ host: z.string() })),
    );
    expect(found?.host, link).toBe(new URL(link).hostname);
  }
});
