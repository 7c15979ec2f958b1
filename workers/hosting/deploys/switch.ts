import type { JobOutcome } from "../../../shared/jobs/jobs.ts";
import type { HostResult, Visit } from "../drivers/index.ts";
import type { DeployWork } from "./rows.ts";
import { endFailed, endLive, enter, goOn, need, type Run, StepFailed } from "./run.ts";

const SWITCH = "Deploy gagal";
const NOT_SERVED = "Deploy gagal: rilis baru tidak tampil, rilis sebelumnya tetap dipakai";
const FORBIDDEN = "Deploy gagal: halaman depan rilis baru tidak dapat dibuka";
const NO_FRONT =
  "Deploy gagal: tidak ada halaman depan (index.html atau index.php) di arsip ini, rilis sebelumnya tetap dipakai";
const FRONT_PAGE = "index.html";

type Seen = "served" | "forbidden" | "no_front" | "other" | "unreachable";

/**
 * Switches the web server to the release and believes it only when a visitor gets the release's marker. A repeat
 * switches and looks again, so it does not matter where an earlier attempt was cut off.
 */
export async function bringLive(run: Run): Promise<JobOutcome> {
  const { deploy, site, turn } = run;
  await goOn(run, 85);
  if (deploy.step === "switching") await enter(run, "switching");
  else if (deploy.step !== "checking") {
    const before = await turn.driver.probe(site, "");
    const frontBefore = before.state === "done" ? before.value.status : null;
    await enter(run, "switching", { frontBefore });
  }
  await need(SWITCH, turn.driver.setDocumentRoot(site, deploy.documentRoot));
  await enter(run, "checking");
  await goOn(run, 92);
  const seen = await look(run);
  switch (seen) {
    case "served":
      // The marker goes last: without it a release that is looked for again would not be found.
      return await endLive(run, () => removeMarker(run));
    case "forbidden":
      return await revert(run, FORBIDDEN);
    case "no_front":
      return await revert(run, NO_FRONT);
    case "other":
      return await revert(run, NOT_SERVED);
    case "unreachable":
      throw new StepFailed({ state: "unknown", detail: "the web server is silent" }, SWITCH);
    default:
      return seen satisfies never;
  }
}

/** Several times, with pauses: a web server reads its configuration a moment after the panel has answered. */
async function look(run: Run): Promise<Seen> {
  let seen: Seen = "unreachable";
  for (const pauseMs of [0, ...run.pausesMs]) {
    await scheduler.wait(pauseMs);
    seen = await visit(run);
    if (seen === "served") break;
  }
  return seen;
}

async function visit(run: Run): Promise<Seen> {
  const { deploy, site, turn } = run;
  const marker = await turn.driver.probe(site, deploy.marker);
  if (marker.state !== "done") return "unreachable";
  if (!isMarker(run, marker.value)) return "other";
  const front = await turn.driver.probe(site, "");
  const status = front.state === "done" ? front.value.status : 200;
  if (status !== 403 && status !== 404) return "served";
  const entries = await turn.driver.listDirectory(site, deploy.documentRoot);
  if (entries.state !== "done") return "unreachable";
  const hasFront = entries.value.some(({ name }) => name === FRONT_PAGE);
  if (hasFront && status === 403) return "forbidden";
  return hadFront(run.deploy) ? "no_front" : "served";
}

/**
 * Whether visitors lose a front page that they had. A site that never had one (an interface for programs) may go on
 * without, and who goes back to a release by himself gets it as it was.
 */
const hadFront = ({ kind, frontBefore }: DeployWork) =>
  kind === "deploy" && frontBefore !== null && frontBefore < 400;

/**
 * The marker itself, or a redirect of exactly it to HTTPS: a site that forces HTTPS answers nothing else over plain
 * HTTP, and then the panel's word must do.
 */
function isMarker({ deploy, site }: Run, { status, body, location }: Visit): boolean {
  if (status === 200) return body.trim() === deploy.id;
  const https = `https://${site.domain}/${deploy.marker}`;
  return [301, 302, 307, 308].includes(status) && location === https;
}

/** The release before is served again. Repeated until it is: a site is never left between two. */
export async function revert(run: Run, failure: string): Promise<JobOutcome> {
  const { deploy, site, turn } = run;
  if (deploy.step !== "reverting") await enter(run, "reverting", { failure });
  await goOn(run, 95);
  await need(SWITCH, turn.driver.setDocumentRoot(site, deploy.previousRoot));
  let marker: HostResult<Visit> = { state: "unknown", detail: "not asked" };
  for (const pauseMs of [0, ...run.pausesMs]) {
    await scheduler.wait(pauseMs);
    marker = await turn.driver.probe(site, deploy.marker);
    if (marker.state === "done" && marker.value.body.trim() !== deploy.id) break;
  }
  if (marker.state === "done" && marker.value.body.trim() === deploy.id) {
    throw new StepFailed({ state: "unknown", detail: "the release is still served" }, SWITCH);
  }
  const isKept = deploy.kind === "rollback";
  return await endFailed(run, failure, isKept ? () => removeMarker(run) : undefined);
}

/** Of no consequence if it stays: it says nothing to anybody. */
async function removeMarker({ deploy, site, turn }: Run): Promise<void> {
  await turn.driver.removeFile(site, `${deploy.documentRoot}/${deploy.marker}`);
}
