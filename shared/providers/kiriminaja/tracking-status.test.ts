import { expect, test } from "vitest";
import { mapTrackingStatus, type TrackingStatus } from "./tracking-status.ts";

const CODES: Record<TrackingStatus, number[]> = {
  pending: [100, 101, 102, 105, 350],
  picked_up: [103, 104],
  in_transit: [106, 107, 110],
  redelivery: [152],
  delivered: [200],
  cancelled: [300, 302],
  refused: [301, 310, 311],
  returning: [401, 402, 403, 404, 405, 406],
  returned: [400],
  lost: [303, 333, 555, 701, 702, 703, 704],
  // The last two stand for codes that the list does not know.
  problem: [210, 211, 500, 901, 902, 903, 904, 905, 0, 999],
};

const rows = Object.entries(CODES).flatMap(([status, codes]) =>
  codes.map((code) => [code, status] as const),
);

test.each(rows)("code %i is %s", (code, status) => {
  expect(mapTrackingStatus(code)).toBe(status);
});
