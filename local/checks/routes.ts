import { createApiApp } from "../../workers/api.ts";
import { SOCKET_ROUTES } from "../../workers/live/entry.ts";

/** `npm run routes`: `METHOD /path`, a line for every route that the Worker serves on the API host. */
const lines = [...createApiApp().routes, ...SOCKET_ROUTES]
  .filter((route) => route.method !== "ALL")
  .map((route) => `${route.method} ${route.path}`);
console.log([...new Set(lines)].join("\n"));
