import { readdir } from "node:fs/promises";
import { posix } from "node:path";
import { wib } from "../common/clock.ts";
import { button, type Html, html, page } from "../common/html.ts";
import { type Handler, htmlAnswer } from "../common/server.ts";
import type { Panel } from "./engine.ts";
import type { Site } from "./state.ts";

const mostFiles = 200;

/** The files of a site with owner and mode, as far as they fit on a page. */
async function fileList(panel: Panel, site: Site): Promise<Html> {
  const folder = await panel.area.real(site.path);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const lines = entries
    .filter((entry) => entry.isFile())
    .slice(0, mostFiles)
    .map((entry) => {
      const name = posix.relative(folder, posix.join(entry.parentPath, entry.name));
      const { access, owner } = panel.area.modeOf(posix.join(site.path, name), "file");
      return `${access} ${owner} ${name}`;
    })
    .sort();
  return html`<details><summary>${lines.length} berkas</summary><pre>${lines.join("\n")}</pre></details>`;
}

function links(panel: Panel, site: Site): Html[] {
  const port = new URL(panel.url).port;
  return site.domains.map(({ name }) => {
    const host = name.endsWith(".localhost") ? name : `${name}.localhost`;
    return html`<a href="http://${host}:${port}/">${name}</a> `;
  });
}

async function card(panel: Panel, site: Site): Promise<Html> {
  const { ftps, databases } = panel.state;
  const ftp = [...ftps.values()].filter((one) => one.pid === site.id || one.path === site.path);
  const database = [...databases.values()].filter((one) => one.pid === site.id);
  const accounts = [
    ...ftp.map((one) => html`FTP ${one.name}${one.enabled ? "" : " (mati)"}<br>`),
    ...database.map((one) => html`Basis data ${one.name}<br>`),
  ];
  const toggle = site.running
    ? button("Hentikan", `/_stop/${site.name}`)
    : button("Jalankan", `/_start/${site.name}`, {}, true);
  const state = site.running ? "berjalan" : "dihentikan";
  const until = site.edate === "0000-00-00" ? "tanpa batas" : `sampai ${site.edate}`;
  const tls = site.certificate ? " · TLS" : "";
  return html`<article><h2>${site.name}</h2><p><span class="state">${state}</span> · ${until}${tls}<br>${links(panel, site)}<br><small>${site.path}${site.runPath === "/" ? "" : site.runPath} · ${wib(site.addedAt)} WIB</small></p><p>${accounts}</p>${toggle}${button("Hapus", `/_delete/${site.name}`)}${await fileList(panel, site)}</article>`;
}

function accountCard({ state }: Panel): Html {
  const list = state.whitelist.join(", ");
  return html`<article><h2>API</h2><p>${state.apiOpen ? "menyala" : "mati"} · alamat yang diizinkan: ${list || "tidak ada"}</p><details><summary>Ubah</summary><form method="post" action="/_account"><p><label>Alamat IP yang diizinkan<br><input name="whitelist" value="${list}" size="30"></label></p><button class="main">Simpan</button></form>${button(state.apiOpen ? "Matikan API" : "Nyalakan API", "/_account", { api: String(!state.apiOpen) })}${button("Buka kunci", "/_account", { unlock: "true" })}</details></article>`;
}

/** The list for people: the API's settings, then the last fifty sites, each with what can be done to it. */
export function sitePage(panel: Panel): Handler {
  return async () => {
    const sites = [...panel.state.sites.values()].slice(-50).reverse();
    const cards = await Promise.all(sites.map((site) => card(panel, site)));
    const empty = sites.length === 0 ? html`<p class="dim">Belum ada situs.</p>` : null;
    const hint = html`<p class="dim">Situs dibuka di http://&lt;domain&gt;.localhost:${new URL(panel.url).port}/ atau dengan <code>curl -H 'Host: &lt;domain&gt;' ${panel.url}/</code>.</p>`;
    return htmlAnswer(
      page("aaPanel (tiruan lokal)", html`${accountCard(panel)}${hint}${empty}${cards}`),
    );
  };
}
