import { DurableObject } from "cloudflare:workers";
import { createApiApp } from "./api.ts";
export class StoreRouter extends DurableObject {}
const api = createApiApp();
export default { fetch: (r: Request, e: Env, c: ExecutionContext) => api.fetch(r, e, c) };
