import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { testContext } from "../../workers/testing/api.ts";
import { rows } from "../db/statement.ts";
import { dayBounds, formatJakarta, formatJakartaDay, jakartaDay } from "./jakarta.ts";

describe("Jakarta's clock", () => {
  test("people read day, month, hour and minute as Indonesians write them", () => {
    expect(formatJakarta(new Date("2026-11-21T07:05:59Z"))).toBe("21 Nov 2026 14.05 WIB");
    expect(formatJakartaDay(new Date("2026-08-01T00:00:00Z"))).toBe("1 Agu 2026");
  });

  test("the day changes at 17.00 UTC, also over the end of a year", () => {
    expect(jakartaDay(new Date("2026-12-31T16:59:59.999Z"))).toBe("2026-12-31");
    expect(jakartaDay(new Date("2026-12-31T17:00:00Z"))).toBe("2027-01-01");
    expect(formatJakarta(new Date("2026-12-31T17:00:00Z"))).toBe("1 Jan 2027 00.00 WIB");
  });

  test.each(["2026-11-20T17:00:00Z", "2026-11-21T16:59:59.999Z"])(
    "%s lies in 21 November",
    (at) => {
      expect(dayBounds(new Date(at))).toEqual({
        start: new Date("2026-11-20T17:00:00Z"),
        end: new Date("2026-11-21T17:00:00Z"),
      });
    },
  );

  test.each([
    "2026-11-20T17:00:00Z",
    "2026-11-21T00:00:00Z",
    "2026-11-21T07:00:00Z",
    "2026-11-21T16:59:59.999Z",
  ])("Postgres counts %s to the same day, in whichever zone its session is", async (at) => {
    const statements = ["UTC", "Asia/Jakarta", "America/New_York"].flatMap((zone) => [
      rows(sql`select set_config('timezone', ${zone}, true)`, z.unknown()),
      rows(
        sql`select extract(epoch from jakarta_midnight(${at}))::float8 * 1000 as began`,
        z.object({ began: z.number() }),
      ),
    ]);
    const found = (await testContext().db.batch(statements)).filter((_, n) => n % 2 === 1);
    const began = dayBounds(new Date(at)).start.getTime();
    expect(found).toEqual([[{ began }], [{ began }], [{ began }]]);
  });
});
