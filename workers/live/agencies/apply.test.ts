import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { unseal } from "../../../shared/crypto/seal.ts";
import { testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { roundTrips } from "../../testing/round-trips.ts";
import {
  agencyForm,
  createAgency,
  execute,
  get,
  KTP,
  post,
  query,
  refused,
  told,
} from "../testing/people.ts";

const APPLY = "/api/agency/apply";
const NOT_AGENCY = refused(403, "Not authorized as agency");

/** Nothing that an agency's routes answer holds an identity number or a password. */
const holdsSecret = (body: unknown) =>
  /3572011504900003|sealed|password|id_number|idNumber/i.test(JSON.stringify(body));

describe("POST /api/agency/apply", () => {
  it("answers the pending row without the identity number, which is stored sealed", async () => {
    const user = await createUser();
    const form = agencyForm({ email: "a@b.co", address: "Jl. Merdeka 12" });
    const trips = await roundTrips(async () => {
      const answer = await post(APPLY, user, form);
      expect(told(answer)).toEqual({
        status: 200,
        body: {
          success: true,
          message: "Agency application submitted",
          data: {
            id: expect.any(Number),
            user_id: user.userId,
            family_name: form.family_name,
            region: "Jawa Timur",
            phone: "081234567890",
            email: "a@b.co",
            address: "Jl. Merdeka 12",
            logo_url: null,
            status: "pending",
            created_at: expect.stringMatching(/Z$/),
            approved_at: null,
            updated_at: expect.stringMatching(/Z$/),
          },
        },
      });
      expect(String(answer.body.data.id)).toMatch(/^[1-9]\d{5,6}$/);
    });
    expect(trips).toBe(1);
    const [row] = await query(
      sql`select sealed_id_number as sealed from live_agencies where user_id = ${user.userId}`,
      z.object({ sealed: z.string() }),
    );
    const sealed = row?.sealed ?? "";
    expect(sealed).not.toContain(KTP);
    expect(await unseal(testContext().config, `live/ktp/${user.userId}`, sealed)).toBe(KTP);
  });

  it("takes the app's own spelling of the fields", async () => {
    const user = await createUser();
    const { family_name, id_number, ...rest } = agencyForm();
    const json = {
      ...rest,
      familyName: family_name,
      idNumber: id_number,
      email: "",
      address: null,
    };
    expect((await post(APPLY, user, json)).body.data.family_name).toBe(family_name);
  });

  it.each([
    [{ id_number: "357201150490000" }, "KTP number must be 16 digits"],
    [{ id_number: undefined }, "KTP number must be 16 digits"],
    [{ id_number: "35720115049000x3" }, "KTP number must be 16 digits"],
    [{ family_name: " " }, "Family name is required"],
    [{ family_name: undefined }, "Family name is required"],
    [{ region: null }, "Region is required"],
    [{ phone: "abc" }, "Phone number is required"],
    [{ email: "x" }, "Email is not valid"],
  ])("refuses %j in words", async (change, words) => {
    const user = await createUser();
    expect(told(await post(APPLY, user, agencyForm(change)))).toEqual(refused(400, words));
  });

  it("is one application a person, also of five at once; after a rejection another may follow", async () => {
    const [user, admin] = [await createUser(), await createUser(["admin"])];
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => post(APPLY, user, agencyForm())),
    );
    const [first] = answers.filter(({ status }) => status === 200);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409]);
    expect(told(await post(APPLY, user, agencyForm()))).toEqual(
      refused(409, "You already have an agency or an open application"),
    );
    await post(`/api/agency/${first?.body.data.id}/reject`, admin);
    expect((await post(APPLY, user, agencyForm())).status).toBe(200);
  });
});

describe("a platform admin", () => {
  it("sees who waits, decides once, and nobody else does", async () => {
    const [user, admin] = [await createUser(), await createUser(["admin"])];
    const { id } = (await post(APPLY, user, agencyForm())).body.data;
    const waiting = await get("/api/agency/applications?limit=200", admin);
    expect(waiting.body.data.map((row: { id: number }) => row.id)).toContain(id);
    expect(holdsSecret(waiting.body)).toBe(false);
    expect(told(await post(`/api/agency/${id}/approve`, user))).toEqual(NOT_AGENCY);
    expect(told(await get("/api/agency/applications", user))).toEqual(NOT_AGENCY);
    const answers = await Promise.all(
      ["approve", "reject", "approve", "reject"].map((what) =>
        post(`/api/agency/${id}/${what}`, admin),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const lost of answers.filter(({ status }) => status !== 200)) {
      expect(told(lost)).toEqual(
        refused(409, expect.stringMatching(/^Agency application already /)),
      );
    }
    expect(told(await post("/api/agency/9999998/approve", admin))).toEqual(
      refused(404, "Agency not found"),
    );
    expect(told(await post("/api/agency/x/approve", admin))).toEqual(
      refused(404, "Agency not found"),
    );
  });
});

describe("the words of an agency's refusals", () => {
  it.each([
    "/api/agency/profile",
    "/api/agency/1/stats",
    "/api/agency/1/hosts",
    "/api/agency/1/income",
    "/api/agency/1/income/daily",
    "/api/agency/1/live-stats",
    "/api/agency/1/live-stats/daily",
    "/api/agency/1/salary-requests",
    "/api/agency/1/host-applications",
  ])("%s: no token, a bad one, and somebody without an agency", async (path) => {
    expect(told(await get(path))).toEqual(refused(401, "No token provided"));
    const bad = { ...(await createUser()), token: "null" };
    expect(told(await get(path, bad))).toEqual(refused(403, "Invalid token"));
    expect(told(await get(path, await createUser()))).toEqual(NOT_AGENCY);
  });
});

describe("an agency's own paths", () => {
  const paths = [
    "stats",
    "hosts",
    "income",
    "income/weekly",
    "live-stats",
    "live-stats/daily",
    "salary-requests",
    "host-applications",
  ];

  it("are closed to the owner of another agency, of a pending and of a rejected one", async () => {
    const [agency, other] = [await createAgency(), await createAgency()];
    for (const path of paths) {
      expect(told(await get(`/api/agency/${agency.id}/${path}`, other.owner)), path).toEqual(
        NOT_AGENCY,
      );
      expect((await get(`/api/agency/${agency.id}/${path}`, agency.owner)).status, path).toBe(200);
      for (const id of ["x", "-1", "9".repeat(40), "1e3"]) {
        expect(told(await get(`/api/agency/${id}/${path}`, agency.owner)), path).toEqual(
          NOT_AGENCY,
        );
      }
    }
    const [waiting, admin] = [await createUser(), await createUser(["admin"])];
    const { id } = (await post(APPLY, waiting, agencyForm())).body.data;
    expect(told(await get(`/api/agency/${id}/stats`, waiting))).toEqual(NOT_AGENCY);
    expect(told(await get("/api/agency/profile", waiting))).toEqual(NOT_AGENCY);
    await post(`/api/agency/${id}/reject`, admin);
    expect(told(await get(`/api/agency/${id}/stats`, waiting))).toEqual(NOT_AGENCY);
  });

  it("take one round trip each, the check of the owner included", async () => {
    const agency = await createAgency();
    await get("/api/agency/profile", agency.owner);
    for (const path of [...paths.map((path) => `${agency.id}/${path}`), "profile"]) {
      const trips = await roundTrips(() => get(`/api/agency/${path}`, agency.owner));
      expect(trips, path).toBe(1);
    }
  });

  it("show the profile with an absolute logo and without secrets", async () => {
    const agency = await createAgency();
    await execute(
      sql`update live_agencies set logo_url = '/uploads/agency-logos/a.jpg' where id = ${agency.id}`,
    );
    const { body } = await get("/api/agency/profile", agency.owner);
    expect(body.data).toMatchObject({
      id: agency.id,
      user_id: agency.owner.userId,
      status: "approved",
      logo_url: "http://localhost:8787/uploads/agency-logos/a.jpg",
      approved_at: expect.stringMatching(/Z$/),
    });
    expect(holdsSecret(body)).toBe(false);
  });
});
