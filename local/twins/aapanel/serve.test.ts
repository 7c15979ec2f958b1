import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../testing/call.ts";
import { bytes, withMode, zip } from "./test-archives.ts";
import { type Hosting, newDomain, startHosting } from "./testing.ts";

let panel: Hosting;

beforeAll(async () => {
  panel = await startHosting();
});
afterAll(() => panel.stop());

/** A visit by the host's name, which `fetch` cannot send. */
function visit(host: string, path = "/"): Promise<{ status: number; text: string; type: string }> {
  return new Promise((resolve, reject) => {
    const headers = { host };
    request({ port: panel.twin.port, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      const { statusCode = 0, headers: got } = response;
      const type = got["content-type"] ?? "";
      response.on("end", () => resolve({ status: statusCode, text, type }));
    })
      .on("error", reject)
      .end();
  });
}

async function deployed(files: Record<string, string>) {
  const { id, domain } = await panel.site();
  for (const [name, text] of Object.entries(files)) {
    await panel.put(`/www/wwwroot/${domain}/${name}`, bytes(text));
  }
  return { id, domain };
}

describe("a visitor sees a deployed site", () => {
  it("by host, with a port, in capitals, at .localhost and by path", async () => {
    const { domain } = await deployed({ "index.html": "<h1>Kopi</h1>" });
    for (const host of [domain, `${domain}:80`, domain.toUpperCase(), `${domain}.localhost:8793`]) {
      expect(await visit(host)).toMatchObject({ status: 200, text: "<h1>Kopi</h1>" });
    }
    expect((await panel.look(domain)).text).toBe("<h1>Kopi</h1>");
  });

  it("with types, folders and its own 404", async () => {
    const { domain } = await deployed({
      "css/a b.css": "b{}",
      "css/index.html": "css",
      "404.html": "tak ada",
    });
    expect(await visit(domain, "/css/a%20b.css")).toMatchObject({
      text: "b{}",
      type: expect.stringMatching(/css/),
    });
    expect((await visit(domain, "/css")).status).toBe(301);
    expect((await visit(domain, "/css/")).text).toBe("css");
    expect(await visit(domain, "/nope")).toMatchObject({ status: 404, text: "tak ada" });
  });

  it("not what is hidden, nor what lies outside of the root", async () => {
    const { domain } = await deployed({ ".env": "KEY=1" });
    const other = await deployed({ "secret.txt": "rahasia" });
    for (const path of ["/.env", "/.user.ini", "/.git/config", "/%2e%2e/x", "/%zz"]) {
      expect((await visit(domain, path)).status).toBeGreaterThanOrEqual(400);
    }
    const climbing = await visit(domain, `/..%2f${other.domain}%2fsecret.txt`);
    expect(climbing.status).toBe(404);
  });

  it("from the run directory, once it is switched", async () => {
    const { id, domain } = await deployed({
      "releases/1/index.html": "satu",
      "releases/2/index.html": "dua",
    });
    const run = (runPath: string) => panel.ask("site", "SetSiteRunPath", { id, runPath });
    expect((await run("/releases/2")).body.status).toBe(true);
    expect((await visit(domain)).text).toBe("dua");
    await run("/releases/1");
    expect((await visit(domain)).text).toBe("satu");
    for (const path of ["/..", "/../x", "releases/../../x"]) {
      expect((await run(path)).body.status).toBe(false);
    }
    await run("/releases/3");
    expect((await visit(domain)).status).toBe(404);
  });

  it("only what the web server's user may read", async () => {
    const { domain } = await panel.site();
    const home = `/www/wwwroot/${domain}`;
    await panel.put(`${home}/a.zip`, withMode(zip({ "a.txt": "a" }), 0o100600));
    await panel.ask("files", "UnZip", { sfile: `${home}/a.zip`, dfile: `${home}/r` });
    expect((await visit(domain, "/r/a.txt")).status).toBe(403);
    const www = { filename: `${home}/r`, user: "www", access: "755", all: "True" };
    await panel.ask("files", "SetFileAccess", www);
    expect(await visit(domain, "/r/a.txt")).toMatchObject({ status: 200, text: "a" });
    await panel.ask("files", "SetFileAccess", { ...www, access: "000", all: "False" });
    expect((await visit(domain, "/r/a.txt")).status).toBe(403);
  });
});

describe("in place of a site", () => {
  it("the stop page, 200 at the root and 404 elsewhere, until it is started again", async () => {
    const { domain } = await deployed({ "index.html": "hidup", "a.txt": "a" });
    await panel.hand(`stop/${domain}`);
    expect(await visit(domain)).toMatchObject({
      status: 200,
      text: expect.stringMatching(/Site stopped/),
    });
    expect((await visit(domain, "/a.txt")).status).toBe(404);
    await panel.hand(`start/${domain}`);
    expect((await visit(domain)).text).toBe("hidup");
  });

  it("the default page for a host that nobody has", async () => {
    expect(await visit(newDomain())).toMatchObject({
      status: 200,
      text: expect.stringMatching(/No site here/),
    });
  });

  it("a redirect, where HTTPS is forced", async () => {
    const { id, domain } = await deployed({ "index.html": "aman" });
    const apply = {
      domains: JSON.stringify([domain]),
      id,
      auth_type: "http",
      auth_to: id,
      auto_wildcard: "0",
    };
    const { body } = await panel.ask("acme", "apply_cert_api", apply);
    const state = async () => (await panel.ask("site", "GetSSL", { siteName: domain })).body.status;
    expect(await state()).toBe(false);
    const pair = { siteName: domain, key: body.private_key, csr: body.cert + body.root, type: "1" };
    const wrong = await panel.ask("site", "SetSSL", { ...pair, csr: body.root });
    expect(wrong.body.status).toBe(false);
    expect((await panel.ask("site", "SetSSL", pair)).body.status).toBe(true);
    expect(await state()).toBe(true);
    await panel.ask("site", "HttpToHttps", { siteName: domain });
    expect((await visit(domain)).status).toBe(301);
    expect((await panel.look(domain)).text).toBe("aman");
    await panel.ask("site", "CloseToHttps", { siteName: domain });
    expect((await visit(domain)).status).toBe(200);
  });
});

it("shows people the sites, and deletes one by hand", async () => {
  const { domain } = await deployed({ "index.html": "x" });
  const page = async () => (await call("GET", panel.twin.url)).text;
  expect(await page()).toContain(`<h2>${domain}</h2>`);
  await panel.hand(`delete/${domain}`);
  expect(await page()).not.toContain(`<h2>${domain}</h2>`);
  expect((await visit(domain)).text).toContain("No site here");
});
