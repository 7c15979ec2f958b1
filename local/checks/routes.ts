import { createApiApp } from "../../workers/api.ts";

/** `npm run routes`: `METHOD /path`, a line for every mounted route. */
const lines = createApiApp()
  .routes.filter((route) => route.method !== "ALL")
  .map((route) => `${route.method} ${route.path}`);
console.log([...new Set(lines)].join("\n"));
