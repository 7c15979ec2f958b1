import { describe, expect, it } from "vitest";
import { type Action, decide, MAX_MESSAGE } from "./events.ts";
import { cleanText, idOf } from "./text.ts";

const GUEST = { isVerified: false, guestChat: true };
const USER = { isVerified: true, guestChat: true };
const ROOM = { roomId: "chatme-live", userId: 123456, username: "Budi" };
const GIFT = {
  roomId: "chatme-live",
  from: { userId: 1, username: "Palsu", level: 99 },
  to: { userId: "123456", username: "Host" },
  gift: { id: "cupid", name: "Carousel", price: 100, category: "lucky", hostIncome: 999_999 },
  count: 3,
};
const PRIVATE = { toUserId: 123456, fromUserId: 1, message: "halo", username: "Palsu" };

/** Event, payload, what a guest gets, what a verified user gets. */
const RULES: [string, unknown, Action["kind"], Action["kind"]][] = [
  ["user:join", ROOM, "claim", "claim"],
  ["live:join", ROOM, "join", "join"],
  ["live:leave", ROOM, "leave", "leave"],
  ["live:message", { ...ROOM, message: "halo" }, "message", "message"],
  ["live:gift", GIFT, "refuse", "gift"],
  ["party:join", { ...ROOM, seat: 2 }, "refuse", "join"],
  ["party:leave", ROOM, "refuse", "leave"],
  ["party:message", { ...ROOM, message: "halo" }, "refuse", "message"],
  ["chat:send", PRIVATE, "refuse", "private"],
];

const SERVER_ONLY = [
  ...["live:start", "live:started", "live:end", "live:ended", "live:viewer-count"],
  ...[
    "live:user-joined",
    "live:user-left",
    "live:new-message",
    "live:gift-received",
    "live:jp-win",
  ],
  ...["live:batch", "party:user-joined", "party:user-left", "party:new-message", "chat:receive"],
  ...["pk:start", "pk:started", "pk:score-update", "pk:score-updated", "pk:end", "pk:ended"],
  ...["user:online", "error", "connect", "disconnect", "__proto__", "constructor", ""],
];

describe("who may ask for what", () => {
  it.each(RULES)("%s: guests and users get what is theirs", (event, payload, guest, user) => {
    expect(decide(event, payload, GUEST).kind).toBe(guest);
    expect(decide(event, payload, USER).kind).toBe(user);
  });

  it.each(RULES.filter(([, , guest]) => guest === "refuse"))(
    "%s asks a guest to sign in, whoever he claims to be",
    (event, payload) => {
      expect(decide(event, payload, GUEST)).toMatchObject({ code: "unauthenticated" });
    },
  );

  it.each(SERVER_ONLY)("%j from a client is ignored", (event) => {
    for (const payload of [ROOM, GIFT, { count: 9_999 }]) {
      expect(decide(event, payload, USER)).toEqual({ kind: "ignore" });
      expect(decide(event, payload, GUEST)).toEqual({ kind: "ignore" });
    }
  });

  it("lets guests watch but not chat where their chat is off", () => {
    const rules = { isVerified: false, guestChat: false };
    expect(decide("live:join", ROOM, rules).kind).toBe("join");
    expect(decide("live:message", { ...ROOM, message: "halo" }, rules)).toMatchObject({
      code: "unauthenticated",
    });
    expect(
      decide("live:message", { ...ROOM, message: "halo" }, { ...rules, isVerified: true }).kind,
    ).toBe("message");
  });
});

const NASTY: unknown[] = [
  ...[undefined, null, 0, "", "teks", true, [], [[]], {}, new ArrayBuffer(8), new Uint8Array(4)],
  { roomId: null, userId: null, username: null, message: null, to: null, gift: null },
  { roomId: {}, userId: {}, username: [], message: 5, to: [], gift: "cupid", count: {} },
  { roomId: "x".repeat(100_000), message: "x", to: { userId: -1 }, gift: { id: "../x" } },
  { roomId: "a\u0000b", toUserId: "1e5", message: " \u0007 ", count: 1.5 },
  JSON.parse('{"__proto__": {"isVerified": true}, "roomId": "r", "toUserId": "NaN"}'),
];

describe("a malformed payload", () => {
  it.each(RULES.map(([event]) => event))(
    "of %s is refused or made harmless, and never throws",
    (event) => {
      for (const payload of NASTY) {
        const { kind } = decide(event, payload, USER);
        expect(["refuse", "claim", ...(isHarmless(payload) ? ["join", "leave"] : [])]).toContain(
          kind,
        );
      }
    },
  );

  const isHarmless = (payload: unknown) =>
    typeof payload === "object" &&
    payload !== null &&
    "roomId" in payload &&
    payload.roomId === "r";

  it("with null ids, as the app's host screen sends them, is a guest without an id", () => {
    const action = decide(
      "live:join",
      { roomId: "chatme-live", userId: null, username: "Loading..." },
      GUEST,
    );
    expect(action).toEqual({
      ...{ kind: "join", room: "live:chatme-live", seat: null },
      claim: { name: "Loading...", id: null },
    });
  });
});

describe("what is taken from a payload", () => {
  it("of a gift are ids, a count and how it is drawn, whatever else it brings", () => {
    const lottie = { layers: "x".repeat(600_000) };
    const gift = { ...GIFT.gift, lottie };
    const action = decide("live:gift", { ...GIFT, gift }, USER);
    expect(action).toEqual({
      kind: "gift",
      room: "live:chatme-live",
      gift: {
        ...{ receiverId: 123456, giftId: "cupid", count: 3, coinValue: 100, key: null },
        drawn: gift,
      },
    });
  });

  it.each([0, -1, 1.5, 1_000, "3", 1e300, null, Number.NaN])(
    "of a gift is no count of %j",
    (count) => {
      const gift = { ...GIFT.gift };
      const expected = count === null ? "gift" : "refuse";
      expect(decide("live:gift", { ...GIFT, gift, count }, USER).kind).toBe(expected);
    },
  );

  it.each([0, -100, 99.5, 1e300, "100", "1", true, {}, []])(
    "of a gift is no price of %j: its client's price was passed over and the catalogue's paid",
    (price) => {
      const gift = { ...GIFT.gift, price };
      expect(decide("live:gift", { ...GIFT, gift }, USER)).toMatchObject({ code: "invalid_input" });
    },
  );

  it("of a gift is a key as REST takes it, and none that would be passed over: its repeat was paid again", () => {
    const keyed = (key: unknown) => decide("live:gift", { ...GIFT, key }, USER);
    for (const key of ["k-1", "x".repeat(255), "aGFsbw==", "a/b c"]) {
      expect(keyed(key)).toMatchObject({ gift: { key } });
    }
    for (const key of [null, undefined]) expect(keyed(key)).toMatchObject({ gift: { key: null } });
    for (const key of ["", 12_345, {}, "x".repeat(256), "a\u0000b", "a\ud800"]) {
      expect(keyed(key)).toMatchObject({ code: "invalid_input" });
    }
  });

  it("of a message is one line without control characters, at most 500 characters long", () => {
    const text = `  a\u0000b\u202ec\nd${"😀".repeat(600)}`;
    const action = decide("live:message", { ...ROOM, message: text }, USER);
    if (action.kind !== "message") throw new Error(action.kind);
    expect(action.text.startsWith("a b c d😀")).toBe(true);
    expect([...action.text]).toHaveLength(MAX_MESSAGE);
    expect(action.text.isWellFormed()).toBe(true);
  });

  it("tells a live room from a party room of the same name", () => {
    const [live, party] = ["live:join", "party:join"].map((event) => decide(event, ROOM, USER));
    expect([live, party]).toMatchObject([
      { room: "live:chatme-live" },
      { room: "party:chatme-live" },
    ]);
  });

  it.each([
    ["260125", 260125],
    [260125, 260125],
    [" 5", null],
    ["05", null],
    [5.5, null],
    [Number.MAX_SAFE_INTEGER + 2, null],
    ["99999999999999999999", null],
    [{ id: 5 }, null],
  ])("reads %j as the id %j", (value, id) => {
    expect(idOf(value)).toBe(id);
  });

  it("cuts a text by whole characters and mends half ones", () => {
    expect(cleanText("😀😀😀", 2)).toBe("😀😀");
    expect(cleanText("a\ud800b", 5)).toBe("a\ufffdb");
    expect(cleanText(5, 5)).toBe("");
  });
});
