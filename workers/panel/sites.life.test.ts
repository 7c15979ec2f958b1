import { beforeAll, describe, expect, it } from "vitest";
import { api, type TestAnswer } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { enrolledServer, type TestServer } from "./testing/agents.ts";
import { eventually, trailOf } from "./testing/operators.ts";
import { failure, getOf, goodAnswer, newSiteBody, ran, scripted } from "./testing/scripted.ts";

let operator: TestUser;
/** Nobody is connected to it, so that what is asked of it stays where it is. */
let away: TestServer;
beforeAll(async () => {
  operator = await createUser(["operator"]);
  away = await enrolledServer(operator);
});

const post = async (json: unknown, server = away) =>
  await api(`/v1/sites?server=${server.id}`, { method: "POST", token: operator.token, json });
const change = async (method: string, path: string, json?: unknown) =>
  await api(path, { method, token: operator.token, ...(json === undefined ? {} : { json }) });

const statusOf = async (id: string) => {
  const { status, body } = await getOf(operator, `/v1/sites/${id}`);
  return status === 404 ? "gone" : body.status;
};

async function activeSite(server: TestServer) {
  const { site, job } = (await post(newSiteBody(), server)).body;
  expect((await ran(job.id)).status).toBe("success");
  expect(await statusOf(site.id)).toBe("active");
  return site;
}

/** What an accepted change came to. */
const carriedOut = async ({ status, body }: TestAnswer) => {
  expect(status).toBe(202);
  return (await ran(body.job.id)).status;
};

describe("a site's life", () => {
  it("goes from provisioning to active, suspended, served again, and to gone", async () => {
    const server = await enrolledServer(operator);
    const agent = await scripted(server);
    const site = await activeSite(server);
    const path = `/v1/sites/${site.id}`;
    expect(agent.given("site.provision")[0]?.input).toMatchObject({
      ...{ siteId: site.id, domain: site.domain, rootPath: site.root_path },
      unixUser: `site_${site.id.slice(-12)}`,
    });
    for (const [word, suspended] of [
      ["suspend", true],
      ["resume", false],
    ] as const) {
      expect(await carriedOut(await change("POST", `${path}/${word}`))).toBe("success");
      expect((await getOf(operator, path)).body.suspended).toBe(suspended);
    }
    const root = await change("PUT", `${path}/document-root`, { document_root: "public" });
    expect(root.body.job.type).toBe("set_document_root");
    expect(await carriedOut(root)).toBe("success");
    expect((await getOf(operator, path)).body.document_root).toBe("public");
    const gone = await change("DELETE", `${path}?remove_files=true`);
    expect(gone).toMatchObject({ status: 202, body: { status: "deprovisioning" } });
    expect(JSON.parse(gone.body.job.payload)).toEqual({ site_id: site.id });
    expect(await carriedOut(gone)).toBe("success");
    expect(await statusOf(site.id)).toBe("gone");
    expect(agent.given("site.deprovision")[0]?.input).toMatchObject({ removeFiles: true });
    expect((await getOf(operator, path)).body.error).toBe("site not found");
    expect((await change("DELETE", path)).status).toBe(404);
    const trail = () => trailOf(operator, { target_id: site.id });
    const entries = await eventually(trail, "site.delete.refused");
    expect(entries.map(({ action }) => action)).toEqual([
      ...[
        "site.delete.refused",
        "site.delete.requested",
        "site.set_document_root",
        "site.resume",
        "site.suspend",
      ],
      "site.create",
    ]);
    expect((await post({ ...newSiteBody(), domain: site.domain })).status).toBe(201);
    agent.stop();
  });

  it("fails with the server's words, and can be tried again or deleted", async () => {
    const server = await enrolledServer(operator);
    let broken = true;
    const agent = await scripted(server, (command) =>
      broken ? failure("broken_config", "nginx refuses its configuration") : goodAnswer(command),
    );
    const { site, job } = (await post(newSiteBody(), server)).body;
    expect((await ran(job.id)).status).toBe("failed");
    expect(await statusOf(site.id)).toBe("failed");
    expect((await getOf(operator, `/v1/jobs/${job.id}`)).body).toMatchObject({
      ...{ status: "failed", error: "nginx refuses its configuration" },
      finished_at: expect.any(String),
    });
    expect((await getOf(operator, `/v1/sites/${site.id}`)).body.error).toBe(
      "nginx refuses its configuration",
    );
    expect((await change("POST", `/v1/sites/${site.id}/suspend`)).status).toBe(409);
    broken = false;
    const again = await change("POST", `/v1/sites/${site.id}/retry`);
    expect(again.body.job.type).toBe("provision_site");
    expect(await carriedOut(again)).toBe("success");
    expect(await statusOf(site.id)).toBe("active");
    expect(await change("POST", `/v1/sites/${site.id}/retry`)).toMatchObject({
      ...{ status: 409, body: { error: "site is active" } },
    });
    broken = true;
    expect(await carriedOut(await change("DELETE", `/v1/sites/${site.id}`))).toBe("failed");
    expect(await statusOf(site.id)).toBe("failed");
    broken = false;
    expect(await carriedOut(await change("DELETE", `/v1/sites/${site.id}`))).toBe("success");
    expect(await statusOf(site.id)).toBe("gone");
    agent.stop();
  });

  it("deleted twice, and thirty times at once, is taken down by one job", async () => {
    const { site } = (await post(newSiteBody())).body;
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => change("DELETE", `/v1/sites/${site.id}`)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.job.id)).size).toBe(1);
    expect(await statusOf(site.id)).toBe("deleting");
    const jobs = await getOf(operator, `/v1/jobs?site=${site.id}&type=deprovision_site`);
    expect(jobs.body.items).toHaveLength(1);
  });
});
