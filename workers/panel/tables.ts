export * from "./tables/backups.ts";
export * from "./tables/certificates.ts";
export * from "./tables/jobs.ts";
export * from "./tables/monitor.ts";
export * from "./tables/operators.ts";
export * from "./tables/servers.ts";
export * from "./tables/sites.ts";
export * from "./tables/updates.ts";
