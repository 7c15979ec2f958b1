import { describe, expect, it } from "vitest";
import { api, fetchWorker } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser } from "../../testing/factories.ts";
import { createOperator, trailOf } from "../testing/operators.ts";
import { headerOf, nextVersion, publish, signRelease } from "../testing/releases.ts";

const refused = (status: number, words: string) => ({
  status,
  body: failureBody("panel", status, words),
});

describe("PUT /v1/panel/releases/{version}", () => {
  it("takes a signed release once, gives its file to anybody, and tells of it", async () => {
    const { token, ...operator } = await createOperator();
    const release = await signRelease();
    const { version } = release.facts;
    expect(await publish(token, release)).toMatchObject({
      status: 201,
      body: { version, made: true },
    });
    expect(await publish(token, release)).toMatchObject({
      status: 201,
      body: { version, made: false },
    });
    const file = await fetchWorker(`/v1/agent/releases/${version}/nusantarad.mjs`);
    expect([file.status, await file.text()]).toEqual([200, release.file]);
    const latest = await fetchWorker("/v1/agent/releases/latest/nusantarad.mjs");
    expect(latest.status).toBe(200);
    const { body } = await api("/v1/panel/releases?limit=500", { token });
    expect(body.items).toContainEqual(
      expect.objectContaining({ version, size: release.file.length }),
    );
    const trail = await trailOf({ ...operator, token }, { target_id: version });
    expect(trail.map(({ action }) => action)).toContain("panel.release.add");
  });

  it("refuses another release under a name that was given out", async () => {
    const { token } = await createOperator();
    const release = await signRelease();
    await publish(token, release);
    const other = await signRelease({ version: release.facts.version }, { file: "// lain" });
    expect(await publish(token, other)).toMatchObject(refused(409, "release already exists"));
  });

  it.each<[string, string, () => Promise<Parameters<typeof publish>[1]>]>([
    [
      "another key's signature",
      "invalid release signature",
      async () => {
        const release = await signRelease();
        const signature = `${"A".repeat(85)}Q`;
        return { ...release, header: headerOf({ ...release, signature }) };
      },
    ],
    [
      "a signature for another purpose",
      "invalid release signature",
      async () => await signRelease({}, { context: "" }),
    ],
    [
      "a changed manifest",
      "invalid release signature",
      async () => {
        const release = await signRelease();
        const manifest = release.manifest.replace('"min_protocol":1', '"min_protocol":2');
        return { ...release, header: headerOf({ ...release, manifest }) };
      },
    ],
    [
      "a truncated file",
      "release file does not match its manifest",
      async () => {
        const release = await signRelease();
        return { ...release, file: release.file.slice(0, -1) };
      },
    ],
    [
      "a longer file",
      "release file does not match its manifest",
      async () => {
        const release = await signRelease();
        return { ...release, file: `${release.file} ` };
      },
    ],
    [
      "an altered file",
      "release file does not match its manifest",
      async () => {
        const release = await signRelease();
        return { ...release, file: release.file.replace("//", "/*") };
      },
    ],
    [
      "a manifest of another version",
      "invalid release version",
      async () => {
        const release = await signRelease();
        return { ...release, facts: { ...release.facts, version: nextVersion() } };
      },
    ],
    [
      "no release at all",
      "invalid release",
      async () => ({ ...(await signRelease()), header: "x" }),
    ],
  ])("refuses %s: %s", async (_, words, make) => {
    const { token } = await createOperator();
    const release = await make();
    expect(await publish(token, release)).toMatchObject(refused(400, words));
    const file = await api(`/v1/agent/releases/${release.facts.version}/nusantarad.mjs`);
    expect(file).toMatchObject(refused(404, "release not found"));
  });

  it("is the operator's alone", async () => {
    const admin = await createUser(["admin"]);
    const release = await signRelease();
    expect(await publish("bukan-token", release)).toMatchObject(refused(401, "unauthorized"));
    expect(await publish(admin.token, release)).toMatchObject(refused(403, "forbidden"));
    expect(await api("/v1/panel/releases", { token: admin.token })).toMatchObject(
      refused(403, "forbidden"),
    );
  });
});
