import { describe, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { roundTrips } from "../../testing/round-trips.ts";
import {
  agencyForm,
  createAgency,
  createHost,
  get,
  hostForm,
  joinAgency,
  post,
  refused,
  told,
} from "../testing/people.ts";
import { removeMember } from "./members.ts";

const APPLY = "/api/agency/apply";
const NOT_AGENCY = refused(403, "Not authorized as agency");
const decide = (by: TestUser, id: unknown, decision = "approve") =>
  post(`/api/agency/host-application/${id}/${decision}`, by);

/** Nothing that an agency's routes answer holds an identity number or a password. */
const holdsSecret = (body: unknown) =>
  /3572011504900003|sealed|password|id_number|idNumber/i.test(JSON.stringify(body));

describe("POST /api/hosts/apply", () => {
  it("answers the application, which the agency then sees, without the identity number", async () => {
    const [agency, host] = [await createAgency(), await createUser()];
    const trips = await roundTrips(async () => {
      const answer = await post("/api/hosts/apply", host, hostForm(agency.id));
      expect(told(answer)).toEqual({
        status: 200,
        body: {
          success: true,
          message: "Pengajuan host berhasil dikirim",
          data: {
            id: expect.any(Number),
            host_id: host.userId,
            agency_id: agency.id,
            name: "Rani Uji",
            gender: "perempuan",
            status: "pending",
            created_at: expect.stringMatching(/Z$/),
            approved_at: null,
            ended_at: null,
          },
        },
      });
    });
    expect(trips).toBe(1);
    const listed = await get(`/api/agency/${agency.id}/host-applications`, agency.owner);
    expect(listed.body.data).toMatchObject([
      { host_id: host.userId, host_name: expect.stringContaining("Uji"), status: "pending" },
    ]);
    expect(holdsSecret(listed.body)).toBe(false);
  });

  it("refuses an agency that is missing, pending or one's own, and forms that lack something", async () => {
    const [host, waiting, agency] = [await createUser(), await createUser(), await createAgency()];
    const pending = (await post(APPLY, waiting, agencyForm())).body.data.id;
    for (const id of [pending, 1, 2 ** 50]) {
      expect(told(await post("/api/hosts/apply", host, hostForm(id)))).toEqual(
        refused(404, "Agency tidak ditemukan"),
      );
    }
    expect(told(await post("/api/hosts/apply", agency.owner, hostForm(agency.id)))).toEqual(
      refused(400, "Tidak bisa mendaftar ke agency sendiri"),
    );
    for (const [change, words] of [
      [{ agencyId: undefined }, "agencyId wajib"],
      [{ name: "" }, "Nama wajib diisi"],
      [{ gender: null }, "Jenis kelamin wajib diisi"],
      [{ idNumber: "123" }, "Nomor KTP harus 16 digit"],
    ] as const) {
      expect(told(await post("/api/hosts/apply", host, hostForm(agency.id, change)))).toEqual(
        refused(400, words),
      );
    }
  });

  it("puts a host into one agency at a time, also when he asks two at once", async () => {
    const [a, b] = [await createAgency(), await createAgency()];
    const host = await createUser();
    const answers = await Promise.all(
      [a, b, a, b].map(({ id }) => post("/api/hosts/apply", host, hostForm(id))),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409]);
  });
});

describe("a decision on a host's application", () => {
  it("is the right agency's alone, and made once", async () => {
    const [agency, other] = [await createAgency(), await createAgency()];
    const host = await createUser();
    const { id } = (await post("/api/hosts/apply", host, hostForm(agency.id))).body.data;
    expect(told(await decide(other.owner, id))).toEqual(NOT_AGENCY);
    expect(told(await decide(host, id))).toEqual(NOT_AGENCY);
    const answers = await Promise.all(
      ["approve", "reject", "approve", "reject"].map((what) => decide(agency.owner, id, what)),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(won[0]?.body.message).toMatch(/^Host application (approved|rejected)$/);
    for (const lost of answers.filter((answer) => answer !== won[0])) {
      expect(told(lost)).toEqual(
        refused(409, `Host application already ${won[0]?.body.data.status}`),
      );
    }
    for (const missing of [2 ** 50, "x", -1]) {
      expect(told(await decide(agency.owner, missing))).toEqual(
        refused(404, "Host application not found"),
      );
      expect(told(await decide(host, missing))).toEqual(NOT_AGENCY);
    }
  });
});

describe("the end of a membership", () => {
  const tuesday = new Date("2026-11-24T05:00:00+07:00");
  const monday = new Date("2026-11-23T23:59:00+07:00");
  const remove = (
    agency: { id: number; owner: TestUser },
    host: TestUser,
    now: Date,
    by = agency.owner,
  ) =>
    removeMember(
      { ...testContext(by), now: () => now },
      { agencyId: agency.id, hostId: host.userId },
    );

  it("keeps the history and lets the host go elsewhere", async () => {
    const [a, b] = [await createAgency(), await createAgency()];
    const host = await createHost(a);
    const left = await post("/api/hosts/leave", host);
    expect(told(left)).toEqual({
      status: 200,
      body: {
        success: true,
        message: expect.any(String),
        data: expect.objectContaining({
          status: "approved",
          ended_at: expect.stringMatching(/Z$/),
        }),
      },
    });
    expect(told(await post("/api/hosts/leave", host))).toEqual(
      refused(404, "Anda tidak terdaftar di agency mana pun"),
    );
    await joinAgency(host, b);
    const history = await get(`/api/agency/${a.id}/host-applications?status=all`, a.owner);
    expect(history.body.data).toMatchObject([{ host_id: host.userId, status: "approved" }]);
    expect((await get(`/api/agency/${a.id}/hosts`, a.owner)).body.data).toEqual([]);
    expect((await get(`/api/agency/${b.id}/hosts`, b.owner)).body.data).toMatchObject([
      { id: host.userId },
    ]);
  });

  it("takes back an application that nobody decided, which then cannot be approved", async () => {
    const agency = await createAgency();
    const host = await createUser();
    const { id } = (await post("/api/hosts/apply", host, hostForm(agency.id))).body.data;
    expect((await post("/api/hosts/leave", host)).status).toBe(200);
    expect(told(await decide(agency.owner, id))).toEqual(
      refused(409, "Host application already withdrawn"),
    );
  });

  it("by the agency happens on Jakarta's Tuesday, to its own members, once", async () => {
    const [agency, other] = [await createAgency(), await createAgency()];
    const host = await createHost(agency);
    await expect(remove(agency, host, monday)).rejects.toMatchObject({
      code: "invalid_input",
      message: "Members can only be removed on Tuesday",
    });
    await expect(remove(agency, host, monday, other.owner)).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(remove(agency, host, tuesday, other.owner)).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(remove(other, host, tuesday)).rejects.toMatchObject({ code: "not_found" });
    const [first, ...rest] = (
      await Promise.allSettled([1, 2, 3].map(() => remove(agency, host, tuesday)))
    ).toSorted((a) => (a.status === "fulfilled" ? -1 : 1));
    expect(first).toMatchObject({ status: "fulfilled", value: { host_id: host.userId } });
    expect(rest.every(({ status }) => status === "rejected")).toBe(true);
  });
});
