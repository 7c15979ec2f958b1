import { strToU8, zipSync } from "fflate";
import { until } from "../http.ts";
import { check, type Tell } from "../narrator.ts";
import { ask, type Caller, hand } from "./calls.ts";

export interface Website {
  id: string;
  domain: string;
  status: string;
  ftpHost: string;
  ftpUsername: string;
  ftpPassword: string | null;
}

export async function websiteOf(tell: Tell, caller: Caller, id: string): Promise<Website> {
  return (await ask<{ website: Website }>(tell, `/api/website/${id}`, caller)).website;
}

interface Credentials {
  ftpUsername: string;
  ftpPassword: string;
}

/** The website of a subscription, and an FTP client that is let in with what its owner was told. */
export async function createSite(
  tell: Tell,
  caller: Caller,
  subscriptionId: string,
  domain: string,
): Promise<Website> {
  const json = { subscriptionId, domain };
  const made = await ask<{ website: Website }>(tell, "/api/website/create", caller, { json });
  const website = await until(
    `${domain} is active`,
    () => websiteOf(tell, caller, made.website.id),
    ({ status }) => status === "ACTIVE",
  );
  const { credentials } = await ask<{ credentials: Credentials }>(
    tell,
    `/api/website/${website.id}/credentials`,
    caller,
    { json: {} },
  );
  if (made.website.ftpPassword) {
    check("the password on request", credentials.ftpPassword, made.website.ftpPassword);
  }
  const { ftpUsername: username, ftpPassword: password } = credentials;
  const login = await hand<{ ok: boolean; path?: string }>(`${tell.aapanel}/_ftp-login`, {
    username,
    password,
  });
  check("the FTP login", login.ok, true);
  tell.step(
    `Website ${domain} is ${website.status} on the panel; FTP lets ${username} in`,
    `${login.path}, password of ${password.length} characters, shown to its owner`,
  );
  return website;
}

/** A small site as a person packs it. */
function packSite(title: string): Blob {
  const style = "body { font-family: sans-serif; margin: 4rem auto; max-width: 40rem }";
  const page = `<!doctype html><html lang="id"><head><meta charset="utf-8"><title>${title}</title>
<link rel="stylesheet" href="gaya.css"></head><body><h1>${title}</h1><p>Kopi robusta dari lereng Kelud.</p></body></html>`;
  const files = { "index.html": page, "gaya.css": style, "menu/index.html": `<h1>Menu</h1>` };
  const entries = Object.entries(files).map(([name, text]) => [name, strToU8(text)]);
  return new Blob([zipSync(Object.fromEntries(entries))], { type: "application/zip" });
}

export async function uploadSite(
  tell: Tell,
  caller: Caller,
  website: Website,
  title: string,
): Promise<string> {
  const form = new FormData();
  form.set("file", packSite(title), "situs.zip");
  form.set("websiteId", website.id);
  const { file } = await ask<{ file: { id: string; size: number } }>(tell, "/api/upload", caller, {
    form,
  });
  tell.step(`Uploaded a site "${title}"`, `situs.zip, ${file.size} bytes, checked entry by entry`);
  return file.id;
}

interface Deploy {
  id: string;
  status: string;
  step: string;
  progress: number;
  error: string | null;
}

const listDeploys = (tell: Tell, caller: Caller, website: Website) =>
  ask<{ deploys: Deploy[] }>(tell, `/api/website/${website.id}/deploys`, caller);

/** Asks for a deploy and waits for its end; answers with what its owner saw meanwhile. */
async function follow(
  tell: Tell,
  caller: Caller,
  website: Website,
  asking: Promise<{ deploy: Deploy }>,
): Promise<string> {
  const seen = new Set<string>();
  let id: string | undefined;
  const told = asking.then(({ deploy }) => {
    id = deploy.id;
  });
  // Its failure is thrown below; until then nothing waits for it.
  told.catch(() => undefined);
  const isOver = ({ status }: Deploy) => !["QUEUED", "RUNNING"].includes(status);
  const look = async () => {
    const { deploys } = await listDeploys(tell, caller, website);
    const newest = deploys.find((one) => (id === undefined ? !isOver(one) : one.id === id));
    if (newest) seen.add(`${newest.progress}% ${newest.step}`);
    return newest;
  };
  const soon = until("a deploy is over", look, (one) => id !== undefined && !!one && isOver(one));
  const [deploy] = await Promise.all([soon, told]);
  if (deploy?.status !== "SUCCESS") {
    throw new Error(`the deploy ended ${deploy?.status}: ${deploy?.error}`);
  }
  return [...seen].join(", ");
}

/** Uploads a site with that title and makes it live. */
export async function deploySite(
  tell: Tell,
  caller: Caller,
  website: Website,
  title: string,
): Promise<void> {
  const fileUploadId = await uploadSite(tell, caller, website, title);
  const asking = ask<{ deploy: Deploy }>(tell, "/api/website/deploy", caller, {
    json: { websiteId: website.id, fileUploadId },
  });
  const progress = await follow(tell, caller, website, asking);
  check("the site", await titleOf(tell, website), title);
  tell.step(`Deployed and seen over HTTP: "${title}"`, progress);
}

export async function rollBack(
  tell: Tell,
  caller: Caller,
  website: Website,
  title: string,
): Promise<void> {
  const path = `/api/website/${website.id}/rollback`;
  const asking = ask<{ deploy: Deploy }>(tell, path, caller, { json: {} });
  const progress = await follow(tell, caller, website, asking);
  check("the site", await titleOf(tell, website), title);
  tell.step(`Rolled back and seen over HTTP: "${title}"`, progress);
}

/** A visitor's first page. */
export async function visit({ aapanel }: Tell, { domain }: Website): Promise<string> {
  return await (await fetch(`${aapanel}/_site/${domain}/`)).text();
}

/** The title that a visitor sees. */
export async function titleOf(tell: Tell, website: Website): Promise<string> {
  return /<title>(.*?)<\/title>/s.exec(await visit(tell, website))?.[1] ?? "no title";
}
