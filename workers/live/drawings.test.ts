import { describe, expect, it } from "vitest";
import { Drawings, drawingOf } from "./drawings.ts";

const drawn = (gift: Record<string, unknown>) => {
  const drawing = drawingOf(gift);
  return drawing === null ? null : JSON.parse(`{${drawing}}`);
};

const lottie = (part: object) => ({ lottie: { v: "5.7.4", layers: [], ...part } });

const layer = (o: object) => lottie({ layers: [{ ks: { o } }] });
const slot = (p: object) => lottie({ slots: { a: { p } } });
const font = (part: object) => lottie({ fonts: { list: [{ fName: "A", origin: 3, ...part }] } });

describe("a gift's drawing", () => {
  it("is its animation and its picture, and nothing else that the payload says", () => {
    const gift = { ...lottie({ w: 300 }), src: "gifts/burger.png", price: 1, hostIncome: 9 };
    expect(drawn(gift)).toEqual({ ...lottie({ w: 300 }), src: "gifts/burger.png" });
  });

  it.each([17, "burger.webp", "/uploads/burger.webp", { uri: "gifts/burger.json" }])(
    "may be the app's own picture %j",
    (src) => expect(drawn({ src })).toEqual({ src }),
  );

  it("may be as large as the app's largest, 0.6 MB, and no larger than a frame", () => {
    const large = lottie({ nm: "x".repeat(600_000) });
    expect(drawn(large)).toEqual(large);
    expect(drawn(lottie({ nm: "é".repeat(600_000) }))).toBeNull();
    expect(drawn(lottie({ k: Array.from({ length: 60_000 }, () => 1e20) }))).toBeNull();
  });

  it("may bring its pictures and fonts along, or name them as parts of the app", () => {
    const own = lottie({
      assets: [
        { id: "a", u: "", p: "data:image/png;base64,iVBORw0KGgo=", e: 1 },
        { id: "b", u: "images/", p: "img_0.png" },
        { id: "c", layers: [] },
      ],
      fonts: { list: [{ fName: "Inter", fFamily: "Inter Tight", fPath: "" }] },
      slots: { colour: { p: { a: 0, k: [1, 0, 0] } } },
      layers: [
        { ks: { p: { s: true, x: { a: 0, k: 3 } }, o: { k: [{ i: { x: [0.8], y: [1] } }] } } },
      ],
    });
    expect(drawn(own)).toEqual(own);
  });

  it.each([
    ["an address elsewhere", { src: "https://orang.example/pelacak.png" }],
    ["an address without a scheme", { src: "//orang.example/p.png" }],
    ["an address that a browser reads as one", { src: "/\t/orang.example/p.png" }],
    ["an address in backslashes", { src: "\\\\orang.example\\p.png" }],
    ["a script", { src: "javascript:alert(1)" }],
    ["a component's address elsewhere", { src: { uri: "https://orang.example/p.png" } }],
    ["a component's address with more", { src: { uri: "a.png", headers: { cookie: "x" } } }],
    ["an asset from elsewhere", lottie({ assets: [{ u: "https://orang.example/", p: "p.png" }] })],
    ["an asset put together", lottie({ assets: [{ u: "/", p: "/orang.example/p.png" }] })],
    ["an asset that is no text", lottie({ assets: [{ u: ["//orang.example/"], p: "p.png" }] })],
    ["a font from elsewhere", lottie({ fonts: { list: [{ fPath: "//orang.example/f.css" }] } })],
    ["an expression", lottie({ layers: [{ ks: { o: { k: 1, x: "alert(1)" } } }] })],
    ["an expression in a list", layer({ k: 1, x: ["alert(1)"] })],
    ["an expression behind numbers", layer({ k: 1, x: [0, [[0.5, "alert(1)"]]] })],
    ["a picture in a slot", slot({ p: "https://orang.example/p.png" })],
    ["a picture in a slot, in a list", slot({ p: ["//orang.example/p.png"] })],
    [
      "one whose slot ends it",
      { lottie: { assets: [{ u: "/", sid: "a" }], ...slot({ p: "/b" }).lottie } },
    ],
    [
      "a style sheet for a font's name",
      font({ fFamily: "a} body{background:url(//orang.example/)" }),
    ],
    ["a style sheet for a font's file", font({ fPath: "a'),url('//orang.example/f.woff" })],
    [
      "an object of thousands of members",
      lottie({ k: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`k${i}`, 1])) }),
    ],
    ["no object", { lottie: "https://orang.example/a.json" }],
    ["a list", { lottie: [1, 2] }],
    ["nothing", {}],
    ["null", { lottie: null, src: null }],
    ["numbers that are none", { src: -1 }],
  ])("is not handed on with %s", (_, gift) => expect(drawn(gift)).toBeNull());

  it("is left out where it is nested so deep that it could fell an app", () => {
    let deep: unknown = 0;
    for (let i = 0; i < 100; i += 1) deep = [deep];
    expect(drawn(lottie({ deep }))).toBeNull();
    expect(drawn({ ...lottie({ deep }), src: 3 })).toEqual({ src: 3 });
  });
});

describe("drawings on their way", () => {
  it("are kept until they are taken, the first under a key, and no more than there is room for", () => {
    const drawings = new Drawings();
    const large = "x".repeat(1_000_000);
    expect(drawings.keep("a", "1")).toBe(true);
    expect(drawings.keep("a", "2")).toBe(true);
    for (let i = 0; i < 7; i += 1) expect(drawings.keep(`k${i}`, large)).toBe(true);
    expect(drawings.keep("one more", large)).toBe(false);
    expect(drawings.take("a")).toBe("1");
    expect(drawings.take("a")).toBeUndefined();
    expect(drawings.keep("one more", large)).toBe(true);
    expect(drawings.keep("too much", "x")).toBe(false);
  });
});
