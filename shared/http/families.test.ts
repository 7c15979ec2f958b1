import { describe, expect, it } from "vitest";
import { failureBody } from "../../workers/testing/envelopes.ts";
import { AppError, type ErrorCode, STATUS_OF } from "./errors.ts";
import { type FamilyName, failureOn, familyOf, unknownPath } from "./families.ts";

/** Every path of the five contracts, under the envelope that design §2 gives it. */
const PATHS: Record<FamilyName, string> = {
  hosting: `
    /api/plans /api/payment/create /api/payment/callback /api/payment/channels /api/payment
    /api/orders /api/orders/cm4x1 /api/upload /api/website /api/website/create /api/website/deploy`,
  topup: `
    /api/orders/prepaid /api/orders/social-media /api/orders/game /api/orders/process /api/orders/history
    /api/services /api/services/nickname /api/webhooks/vip-reseller /api/admin/vip-sync
    /api/admin/topup /api/admin/topup/orders/7/refund /api/reseller/keys /api/reseller/keys/7
    /api/reseller/endpoints/7/deliveries`,
  smm: "/api/v2 /api/v2/",
  market: `
    /api/wallet /api/wallet/deposit /api/seller /api/seller/store /api/seller/products
    /api/seller/products/7 /api/seller/products/7/enhance-photo /api/seller/uploads
    /api/seller/marketplace/connect /api/seller/marketplace/sync /api/seller/marketplace/status
    /api/seller/instagram/post /api/seller/promo /api/seller/orders /api/seller/shipping
    /api/buyer/products /api/buyer/categories /api/buyer/areas /api/buyer/shipping /api/buyer/cart
    /api/buyer/orders /api/buyer/orders/7 /api/buyer/orders/7/track /api/admin/dashboard
    /api/admin/stores /api/admin/stores/7/feature /api/admin/stores/7 /api/admin/products/7/feature
    /api/admin/products/7 /api/admin/promo /api/admin/banners /api/admin/feature-flags/7
    /api/ai/chat /api/webhooks/midtrans /api/webhooks/kiriminaja`,
  auth: "/api/auth/register /api/auth/signin /api/auth/login /api/auth/logout",
  panel: `
    /healthz /v1/system/compatibility /v1/auth/login /v1/auth/logout /v1/auth/me
    /v1/auth/change-password /v1/sites /v1/sites/site_7 /v1/jobs /v1/jobs/job_7 /v1/db/databases
    /v1/db/users /v1/backup/run /v1/backup/restore /v1/backup/list /v1/ssl/issue /v1/ssl/renew
    /v1/audit/logs /v1/monitor/host /v1/monitor/services /v1/panel/update /v1/panel/update/check
    /v1/panel/update/status /v1/panel/version /v1/agent /v1 /v1/typo`,
  app: `
    /api/register /api/login /api/profile /api/profile/update /api/profile/avatar /api/auth/profile
    /api/auth/profile/update /api/auth/profile/avatar /uploads/avatars/a.jpg
    /api/ranking/fans/7 /api/ranking/hosts /api/gifts /api/gifts/send /api/contributions/7
    /api/host-income/today/7 /api/host-income/week/7 /api/host-income/month/7
    /api/host-income/category/7 /api/host-income/history/7 /api/live-session/start
    /api/live-session/end /api/live-session/duration/today/7 /api/agency/profile
    /api/agency/7/stats /api/agency/7/hosts /api/agency/7/income /api/agency/7/income/week
    /api/agency/7/live-stats /api/agency/7/live-stats/week /api/agency/7/salary-requests
    /api/agency/salary-request/7/approve /api/agency/salary-request/7/reject
    /api/agency/7/salary-approve /api/agency/7/salary-reject /api/agency/apply /api/hosts/apply
    /api/agency/7/host-applications /api/agency/host-application/7/approve
    /api/agency/host-application/7/reject /api/agency/salary-request /api/hosts/live /api/hosts/hot
    /api/hosts/new /api/hosts/search /api/hosts/followed /api/follows/follow
    /api/follows/unfollow /api/follows/following /api/follows/followers /api/follows/counts
    /api/chat/conversations /api/chat/messages/7 /api/chat/send /api/payment/packages
    /api/payment/create-transaction /api/payment/status/7 /api/payment/check-status/7 /api/payment/history
    /api/payment/user-balance /api/live-messages/room-7
    /socket.io/ /openapi.json /docs / /api /api/typo /api/v2/orders /api/v2x /api/sellers /api/ordersx /v1x /healthzz
    /API/seller/store /api/authx/login /api/auth/typo /api/webhooks /api/webhooks/typo`,
};

const cases = Object.entries(PATHS).flatMap(([family, paths]) =>
  paths
    .trim()
    .split(/\s+/)
    .map((path): [string, string] => [path, family]),
);

describe("the family of a path", () => {
  it.each(cases)("%s speaks as %s", (path, family) => {
    expect(familyOf(path).name).toBe(family);
  });
});

/** One path of each family. */
const SAMPLE: Record<FamilyName, string> = {
  hosting: "/api/orders/7",
  topup: "/api/orders/prepaid",
  smm: "/api/v2",
  market: "/api/seller/store",
  auth: "/api/auth/login",
  panel: "/v1/sites",
  app: "/api/gifts/send",
};
const families: FamilyName[] = ["hosting", "topup", "smm", "market", "auth", "panel", "app"];
const codes = Object.keys(STATUS_OF) as ErrorCode[];

describe("a failure", () => {
  it.each(families)("of any code has nothing but the keys of the %s envelope", (family) => {
    for (const code of codes) {
      const failure = failureOn(SAMPLE[family], new AppError(code, "kata"));
      expect(failure.body, code).toEqual(failureBody(family, failure.status));
    }
  });

  it("never tells the words of an internal error", () => {
    for (const family of families) {
      const failure = failureOn(SAMPLE[family], new AppError("internal", "select * from users"));
      expect(failure.status).toBe(500);
      expect(JSON.stringify(failure.body)).not.toContain("select");
    }
  });

  it.each<[FamilyName, number, string, number, string, string]>([
    ["hosting", 401, "Unauthorized", 401, "Unauthorized", "Forbidden"],
    ["topup", 401, "Unauthorized", 401, "Unauthorized", "Insufficient privileges"],
    ["smm", 200, "Invalid API key", 200, "Invalid API key", "Forbidden"],
    ["market", 401, "Unauthorized", 401, "Unauthorized", "Forbidden"],
    ["auth", 401, "Unauthorized", 401, "Unauthorized", "Forbidden"],
    ["panel", 401, "unauthorized", 401, "unauthorized", "forbidden"],
    ["app", 401, "Token tidak ditemukan", 403, "Token tidak valid", "Akses ditolak"],
  ])(
    "of access has the %s contract's own status and words",
    (family, missing, noToken, invalid, badToken, role) => {
      const told = (code: ErrorCode) => failureOn(SAMPLE[family], new AppError(code, ""));
      const body = (status: number, words: string) => ({
        status,
        body: failureBody(family, status, words),
      });
      expect(told("unauthenticated")).toEqual(body(missing, noToken));
      expect(told("bad_token")).toEqual(body(invalid, badToken));
      expect(told("forbidden")).toEqual(body(family === "smm" ? 200 : 403, role));
    },
  );

  it("that the caller made is 200 in the panel dialect, ours and his haste are not", () => {
    const statusOf = (code: ErrorCode) => failureOn(SAMPLE.smm, new AppError(code, "kata")).status;
    expect(codes.filter((code) => statusOf(code) !== 200).map(statusOf)).toEqual(
      expect.arrayContaining([405, 413, 429, 500, 503]),
    );
    for (const code of ["bad_token", "invalid_input", "not_found", "forbidden"] as const) {
      expect(statusOf(code)).toBe(200);
    }
  });

  it("keeps the extra keys of the app beside its message", () => {
    const meta = { needed: 500, current: 20 };
    const error = new AppError("insufficient_balance", "Saldo tidak cukup", { meta });
    expect(failureOn("/api/gifts/send", error)).toEqual({
      status: 400,
      body: { success: false, message: "Saldo tidak cukup", needed: 500, current: 20 },
    });
  });
});

describe("an unknown path", () => {
  it("is told in the app's words with the address as it was written", () => {
    const error = unknownPath("/api/typo", "/api/typo?x=%41");
    expect(failureOn("/api/typo", error).body).toEqual({
      success: false,
      message: "Endpoint /api/typo?x=%41 tidak ditemukan.",
    });
  });

  it("is told in the family's words even when only a query follows the family's first word", () => {
    const error = unknownPath("/api/seller", "/api/seller?x=1");
    expect(failureOn("/api/seller", error).body).toEqual(failureBody("market", 404, "Not found"));
  });
});
