import { DEMO_PASSWORD } from "../data.ts";
import { tryRequest, until } from "../http.ts";
import { check, type Tell } from "../narrator.ts";

/** The operator, at one of his servers. */
export interface Operator {
  tell: Tell;
  token: string;
  server: string;
}

interface Said {
  status: number;
  body: unknown;
}

/** One request of the panel's API, whose answers have no envelope. */
export async function panel(
  { tell, token, server }: Operator,
  method: string,
  path: string,
  json?: unknown,
): Promise<Said> {
  const url = `${path}${path.includes("?") ? "&" : "?"}server=${server}`;
  const sent = json === undefined ? {} : { json };
  const { status, body } = await tryRequest<unknown>(tell.app, url, { method, token, ...sent });
  return { status, body: body as unknown };
}

/** The same where anything but success ends the demo. The caller names the contract's shape. */
export async function ask<T>(
  operator: Operator,
  method: string,
  path: string,
  json?: unknown,
): Promise<T> {
  const { status, body } = await panel(operator, method, path, json);
  if (status < 300) return body as T;
  throw new Error(`${method} ${path} answered ${status}: ${(body as { error?: string }).error}`);
}

export interface Job {
  id: string;
  type: string;
  status: "queued" | "running" | "success" | "failed";
  error: string;
  lines?: { text: string }[];
}

/** Follows a job to its end; what it came to must be `wanted`. */
export async function jobEnd(
  operator: Operator,
  { id }: Pick<Job, "id">,
  wanted: Job["status"] = "success",
): Promise<Job> {
  const job = await until(
    `job ${id} ends`,
    () => ask<Job>(operator, "GET", `/v1/jobs/${id}`),
    ({ status }) => status === "success" || status === "failed",
    90_000,
  );
  check(`${job.type} (${job.error})`, job.status, wanted);
  return job;
}

/** The answer, or, where the server took longer than a request waits, the end of the job in it. */
export async function done<T>(
  operator: Operator,
  method: string,
  path: string,
  json?: unknown,
): Promise<T> {
  const answer = await ask<T & { status?: string; job?: Job }>(operator, method, path, json);
  if (answer.status === "pending" && answer.job) await jobEnd(operator, answer.job);
  return answer;
}

export async function signInAtPanel(tell: Tell, email: string): Promise<string> {
  const json = { username: email, password: DEMO_PASSWORD };
  const answer = await tryRequest<unknown>(tell.app, "/v1/auth/login", { method: "POST", json });
  const { token, user, expires_at } = answer.body as unknown as {
    token: string;
    user: { id: string; role: string };
    expires_at: string;
  };
  check("the sign-in", answer.status, 200);
  tell.step(`Signed in at the panel as ${user.id} (${user.role})`, `until ${expires_at}`);
  return token;
}
