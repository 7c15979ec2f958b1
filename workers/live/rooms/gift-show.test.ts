import { describe, expect, it } from "vitest";
import { guest, join, onStage, type Stage } from "../testing/stage.ts";
import type { GiftNews } from "./news.ts";
import type { PersonCard, RoomOp } from "./ops.ts";

const HOME = "rumah";

/** Who watches without a token under a number, as a viewer of the shipped app does. */
const numbered = (number: number, address: string | null = HOME): PersonCard => {
  const pid = `pid-${number}`;
  const line = { pid, formerPid: null, at: 0, number: String(number), visitor: null };
  return { ...guest(`${number}:Budi`), address, line };
};

let lastGift = 0;

/** A gift over REST, of user 7. */
function given(fields: Partial<GiftNews> = {}): GiftNews {
  lastGift += 1;
  return {
    ...{ giftRowId: lastGift, repeated: false, count: 2, address: HOME },
    from: { userId: 7, username: "Budi", avatar: "", level: 1, vip: 0 },
    to: { userId: 9, username: "Host" },
    gift: {
      ...{ id: "burger", name: "Burger", price: 2_999 },
      ...{ category: "luxury", hostShare: 0.5, hostIncome: 2_999 },
    },
    ...fields,
  };
}

const told = (socket: string, more: { giftId?: string; drawing?: string } = {}): RoomOp => ({
  ...{ kind: "drawing", socket, giftId: "burger", ...more },
});
const DRAWN = { drawing: '"src":7' };

/** What the room was shown since, as how it was drawn. */
async function shown(stage: Stage): Promise<unknown[]> {
  await stage.settle();
  return stage.said("live:gift-received").map(({ payload }) => payload.gift.src ?? null);
}

describe("a gift over REST whose sender watches without a token", () => {
  it("is shown once, as soon as his socket has said how it is drawn", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", numbered(7)));
      const gift = given();
      stage.giftShow.announce(gift);
      stage.giftShow.announce({ ...gift, repeated: true });
      expect(await shown(stage)).toEqual([]);
      expect(await stage.do("s1", told("his"))).toMatchObject([{ ok: true }]);
      expect(await shown(stage)).toEqual([]);
      expect(await stage.do("s1", told("his", DRAWN))).toMatchObject([{ ok: true }]);
      expect(await shown(stage)).toEqual([7]);
      expect(await stage.do("s1", told("his", DRAWN))).toMatchObject([{ code: "not_found" }]);
      stage.timeComes();
      expect(await shown(stage)).toEqual([]);
    }));

  it("is shown without a drawing where none comes in time", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", numbered(7)));
      stage.giftShow.announce(given());
      stage.timeComes();
      expect(await shown(stage)).toEqual([null]);
      expect(await stage.do("s1", told("his", DRAWN))).toMatchObject([{ code: "not_found" }]);
      expect(await shown(stage)).toEqual([]);
    }));

  it("counts as shown when it is: told again after a crash that took it, it is shown, once", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", numbered(7)));
      const gift = given();
      stage.giftShow.announce(gift);
      stage.evict();
      for (let i = 0; i < 2; i += 1) stage.giftShow.announce({ ...gift, repeated: true });
      stage.timeComes();
      stage.giftShow.announce({ ...gift, repeated: true });
      stage.timeComes();
      expect(await shown(stage)).toEqual([null]);
    }));

  it("is drawn alike however often it was given just now", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", numbered(7)));
      for (let i = 0; i < 3; i += 1) stage.giftShow.announce(given());
      await stage.do("s1", told("his", DRAWN));
      expect(await shown(stage)).toEqual([7, 7, 7]);
    }));

  it.each<[string, PersonCard, { giftId?: string }]>([
    ["somebody under another number", numbered(8), {}],
    ["somebody under his number elsewhere", numbered(7, "jauh"), {}],
    ["somebody under his number from nowhere", numbered(7, null), {}],
    ["a guest without a number", { ...guest("Ana"), address: HOME }, {}],
    ["himself, of another gift", numbered(7), { giftId: "rose" }],
  ])("is not drawn by %s", (_, person, gift) =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", numbered(7)), join("other", person));
      stage.giftShow.announce(given());
      for (const more of [gift, { ...gift, ...DRAWN }]) {
        expect(await stage.do("s1", told("other", more))).toMatchObject([{ code: "not_found" }]);
      }
      expect(await shown(stage)).toEqual([]);
      stage.timeComes();
      expect(await shown(stage)).toEqual([null]);
    }),
  );

  it("of a socket that is not in the room is nothing known", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", numbered(7)));
      stage.giftShow.announce(given());
      expect(await stage.do("s1", told("nobody", DRAWN))).toMatchObject([{ code: "not_found" }]);
    }));
});

describe("a gift that nobody has more to say of", () => {
  it.each<[string, GiftNews, PersonCard]>([
    ["whose sender has no such socket here", given(), numbered(8)],
    ["whose sender's number is claimed elsewhere", given(), numbered(7, "jauh")],
    ["from an unknown address", given({ address: null }), numbered(7, null)],
    ["of the release before", given({ address: undefined as never }), numbered(7)],
  ])("%s is shown at once", (_, gift, person) =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", person));
      stage.giftShow.announce(gift);
      expect(await shown(stage)).toEqual([null]);
    }),
  );

  it("because it is drawn is shown at once", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", numbered(7)));
      stage.giftShow.announce(given({ drawing: '"src":3' }));
      expect(await shown(stage)).toEqual([3]);
    }));

  it("is shown at once where a hundred wait", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", numbered(7)));
      for (let i = 0; i < 101; i += 1) stage.giftShow.announce(given());
      expect(await shown(stage)).toEqual([null]);
      stage.timeComes();
      expect(await shown(stage)).toHaveLength(100);
    }));
});

describe("large drawings", () => {
  const drawing = `"lottie":{"nm":"${"x".repeat(900_000)}"}`;
  const gifts = (count: number) => Array.from({ length: count }, () => given({ drawing }));
  const charsOf = (stage: Stage, shard: string) =>
    stage.heard
      .splice(0)
      .flatMap((one) => (one.shard === shard ? one.frame.event.body.length : []));

  it("that gather for a shard are fewer than a call takes: the other gifts go without", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("his", numbered(7)));
      stage.heard.splice(0);
      stage.giftShow.show(gifts(20));
      await stage.settle();
      const chars = charsOf(stage, "s1");
      expect(chars).toHaveLength(20);
      expect(chars.filter((length) => length > 900_000)).toHaveLength(6);
      stage.giftShow.show(gifts(1));
      await stage.settle();
      expect(charsOf(stage, "s1")[0]).toBeGreaterThan(900_000);
    }));
});
